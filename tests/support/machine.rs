use super::Sandbox;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The machine that the sensors see: a rack server of four processors and 16 GB, without any meter.
///
/// Its `/proc/stat` stands still, so the load model stays at what it assumes before it has seen a load.
pub fn build(root: &Path) {
    let files = [
        (
            "proc/stat",
            "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 25 0 25 200\ncpu1 25 0 25 200\ncpu2 25 0 25 200\n\
             cpu3 25 0 25 200\nctxt 1\n",
        ),
        // 15 625 000 × 1024 = 16 000 000 000 bytes.
        ("proc/meminfo", "MemTotal:       15625000 kB\nMemFree:         8000000 kB\n"),
        ("proc/cpuinfo", "processor\t: 0\nmodel name\t: Fixture CPU 4-Core\nflags\t\t: fpu sse sse2\n"),
        ("proc/sys/kernel/random/boot_id", "3f2b8c1e-0000-4000-8000-0123456789ab\n"),
        ("sys/class/dmi/id/chassis_type", "23\n"),
    ];
    for (path, text) in files {
        write(&root.join(path), text);
    }
    fs::create_dir_all(root.join("sys/class/power_supply")).unwrap();
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The range of Intel's 32-bit counter at 61 µJ, as powercap prints it.
pub const RANGE_UJ: u64 = 262_143_328_850;

impl Sandbox {
    /// Puts a file into the machine, or takes the place of the one that is there.
    pub fn file(self, path: &str, text: &str) -> Self {
        write(&self.host().join(path), text);
        self
    }

    /// Takes a file or folder out of the machine.
    pub fn without(self, path: &str) -> Self {
        let path = self.host().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        self
    }

    /// Puts a RAPL zone into the machine: `intel-rapl:0`, `package-0`, its counter in µJ.
    pub fn zone(self, folder: &str, name: &str, energy_uj: u64) -> Self {
        self.zone_with_range(folder, name, energy_uj, RANGE_UJ)
    }

    /// A RAPL zone whose counter starts again after `range_uj`.
    pub fn zone_with_range(self, folder: &str, name: &str, energy_uj: u64, range_uj: u64) -> Self {
        let folder = format!("sys/class/powercap/{folder}");
        self.file(&format!("{folder}/name"), &format!("{name}\n"))
            .file(&format!("{folder}/energy_uj"), &format!("{energy_uj}\n"))
            .file(&format!("{folder}/max_energy_range_uj"), &format!("{range_uj}\n"))
    }

    /// Takes everybody's permissions from a zone's counter.
    pub fn unreadable(self, folder: &str) -> Self {
        fs::set_permissions(self.counter(folder), Permissions::from_mode(0o000)).unwrap();
        self
    }

    /// The file of a zone's counter.
    pub fn counter(&self, folder: &str) -> PathBuf {
        self.host().join("sys/class/powercap").join(folder).join("energy_uj")
    }

    /// A piece of shell that sets a counter at one blow: who reads it sees the old number or the new one.
    pub fn set(&self, folder: &str, energy_uj: u64) -> String {
        let counter = self.counter(folder);
        let counter = counter.display();
        format!("echo {energy_uj} > {counter}.next; mv -f {counter}.next {counter}; ")
    }
}
