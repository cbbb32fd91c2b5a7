use super::SensorError;
use crate::quantity::Site;
use std::fs;
use std::path::{Path, PathBuf};

/// The file system that sensors look at: `/` in life, a fixture tree in tests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    root: PathBuf,
}

impl Default for Host {
    fn default() -> Self {
        Self { root: "/".into() }
    }
}

impl Host {
    /// The machine under this root.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// A path of the machine, `sys/class/powercap`, without a leading slash.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The content of a small file without the blanks around it.
    ///
    /// # Errors
    /// [`SensorError`] with path and errno.
    pub fn text(path: &Path) -> Result<String, SensorError> {
        fs::read_to_string(path)
            .map(|text| text.trim().to_owned())
            .map_err(|error| SensorError::reading(path, &error))
    }

    /// The processor's name as it gives it itself.
    #[must_use]
    pub fn cpu_model(&self) -> Option<String> {
        self.cpuinfo("model name")
    }

    /// Whether this is a guest of a hypervisor.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.cpuinfo("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"))
    }

    /// How many processors the kernel runs on.
    #[must_use]
    pub fn logical_cpus(&self) -> Option<u32> {
        let stat = Self::text(&self.path("proc/stat")).ok()?;
        let cpus = stat
            .lines()
            .filter(|line| {
                line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            })
            .count();
        u32::try_from(cpus).ok().filter(|&cpus| cpus > 0)
    }

    /// Installed memory in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        let meminfo = Self::text(&self.path("proc/meminfo")).ok()?;
        let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// This boot of the kernel.
    #[must_use]
    pub fn boot_id(&self) -> Option<String> {
        Self::text(&self.path("proc/sys/kernel/random/boot_id")).ok()
    }

    /// Whether this is somebody's laptop or desktop: it has a battery, or its chassis says so.
    #[must_use]
    pub fn site(&self) -> Site {
        if self.has_battery() || self.has_home_chassis() { Site::Home } else { Site::DataCentre }
    }

    fn has_battery(&self) -> bool {
        let Ok(supplies) = fs::read_dir(self.path("sys/class/power_supply")) else { return false };
        supplies.flatten().any(|supply| {
            // A mouse has a battery too: its scope is `Device`.
            let is =
                |file: &str, what: &str| Self::text(&supply.path().join(file)).is_ok_and(|text| text == what);
            is("type", "Battery") && !is("scope", "Device")
        })
    }

    /// SMBIOS 3.x, table 17 (system enclosure types): desktops 3–7, laptops and hand-helds 8–11 and 14, all-in-one 13,
    /// space-saving 15, lunch box 16, tablets and convertibles 30–32, mini and stick PCs 35 and 36.
    fn has_home_chassis(&self) -> bool {
        let chassis = Self::text(&self.path("sys/class/dmi/id/chassis_type"));
        matches!(
            chassis.ok().and_then(|text| text.parse::<u8>().ok()),
            Some(3..=11 | 13..=16 | 30..=32 | 35 | 36)
        ) && !self.is_virtual()
    }

    fn cpuinfo(&self, key: &str) -> Option<String> {
        let text = Self::text(&self.path("proc/cpuinfo")).ok()?;
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        })
    }
}
