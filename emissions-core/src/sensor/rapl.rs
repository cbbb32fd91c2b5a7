use super::probe::{Absence, Sensor, Survey};
use super::{ErrorKind, Host, SensorError};
use crate::energy::{Meter, Reading};
use crate::quantity::{Domain, Energy, Kind, Method, Power};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Far above every package (the largest are rated 500 W), since the time stamps of a stalled reader can be late.
const CEILING: Power = Power::from_watts(10_000.0);

/// The counters are renewed about every millisecond (kernel documentation of powercap and of `amd_energy`).
const UPDATE_PERIOD: Duration = Duration::from_millis(1);

/// One RAPL zone of powercap: a processor package (or one die of it), or its memory.
///
/// Packages and memory are disjoint. The other zones are not read: `core` and `uncore` are inside the package, `psys`
/// holds it, and `intel-rapl-mmio` is the same package by another door.
#[derive(Debug)]
pub struct Rapl {
    meter: Meter,
    energy_uj: PathBuf,
}

/// A zone's folder and name.
struct Zone {
    folder: PathBuf,
    name: String,
}

impl Rapl {
    /// The processor packages. If one of them cannot be read, none is taken: the sum would be too low without a word.
    #[must_use]
    pub fn packages(host: &Host) -> Survey {
        Self::probe(host, "RAPL", "the CPU is not measured", Kind::Cpu, |name| name.starts_with("package"))
    }

    /// The memory zones, on servers that have them.
    #[must_use]
    pub fn dram(host: &Host) -> Survey {
        Self::probe(host, "RAPL DRAM", "memory is not measured", Kind::Memory, |name| name == "dram")
    }

    fn probe(
        host: &Host,
        sensor: &'static str,
        instead: &'static str,
        kind: Kind,
        wanted: fn(&str) -> bool,
    ) -> Survey {
        let class = host.path("sys/class/powercap");
        let found = zones(&class).and_then(|zones| {
            let wanted: Vec<Zone> = zones.into_iter().filter(|zone| wanted(&zone.name)).collect();
            if wanted.is_empty() {
                return Err(SensorError {
                    path: Some(class.clone()),
                    ..SensorError::missing("this processor offers no such zone")
                });
            }
            (0..).zip(wanted).map(|(index, zone)| Self::open(Domain::new(kind, index), zone)).collect()
        });
        match found {
            Ok(sensors) => Survey::found(sensors),
            Err(why) => Survey::absent(Absence { sensor, instead, why }),
        }
    }

    fn open(domain: Domain, zone: Zone) -> Result<Box<dyn Sensor>, SensorError> {
        let energy_uj = zone.folder.join("energy_uj");
        read_number(&energy_uj).map_err(|error| match error.kind {
            ErrorKind::Denied => {
                error.with_remedy("sudo chmod -R a+r /sys/devices/virtual/powercap/intel-rapl")
            }
            _ => error,
        })?;
        // Without a range a fall can only be taken for a reset; the figure stays right up to there.
        let wraps_at =
            read_number(&zone.folder.join("max_energy_range_uj")).ok().map(Energy::from_microjoules);
        Ok(Box::new(Self {
            meter: Meter {
                domain,
                name: zone.name,
                uuid: None,
                method: Method::Rapl,
                wraps_at,
                ceiling: CEILING,
                update_period: UPDATE_PERIOD,
            },
            energy_uj,
        }))
    }
}

impl Sensor for Rapl {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn read(&mut self, _at: Duration) -> Result<Reading, SensorError> {
        read_number(&self.energy_uj)
            .map(|microjoules| Reading::counter(Energy::from_microjoules(microjoules)))
    }
}

/// The zones of the `intel-rapl` control type (AMD's too bear that name), sorted. The class folder lists them flat; a zone
/// within a zone may also stand only inside its parent's folder.
fn zones(class: &Path) -> Result<Vec<Zone>, SensorError> {
    let mut folders = Vec::new();
    for folder in rapl_folders(class)? {
        folders.extend(rapl_folders(&folder).unwrap_or_default());
        folders.push(folder);
    }
    folders.sort();
    folders.dedup_by(|a, b| a.file_name() == b.file_name());
    // `intel-rapl:0:0` flat in the class folder and inside its parent is one zone.
    let mut zones: Vec<Zone> = Vec::new();
    for folder in folders {
        if zones.iter().any(|zone| zone.folder.file_name() == folder.file_name()) {
            continue;
        }
        if let Ok(name) = Host::text(&folder.join("name")) {
            zones.push(Zone { folder, name });
        }
    }
    zones.sort_by(|a, b| a.folder.file_name().cmp(&b.folder.file_name()));
    Ok(zones)
}

fn rapl_folders(folder: &Path) -> Result<Vec<PathBuf>, SensorError> {
    let entries = fs::read_dir(folder).map_err(|error| SensorError::reading(folder, &error))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_zone))
        .collect())
}

fn is_zone(name: &str) -> bool {
    name.strip_prefix("intel-rapl:")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == ':'))
}

/// Reads a file that holds one number. Opens it anew: a zone can vanish and come back. Does not allocate.
fn read_number(path: &Path) -> Result<u64, SensorError> {
    let mut buffer = [0_u8; 32];
    let length = File::open(path)
        .and_then(|mut file| file.read(&mut buffer))
        .map_err(|error| SensorError::reading(path, &error))?;
    buffer
        .get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| SensorError::content(path, "a number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    type Tested = Result<(), Box<dyn Error>>;

    fn zone(root: &Path, folder: &str, name: &str, energy_uj: u64) -> std::io::Result<()> {
        let folder = root.join("sys/class/powercap").join(folder);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("name"), format!("{name}\n"))?;
        fs::write(folder.join("energy_uj"), format!("{energy_uj}\n"))?;
        fs::write(folder.join("max_energy_range_uj"), "262143328850\n")
    }

    fn names(survey: Survey) -> Vec<String> {
        survey.sensors.iter().map(|sensor| sensor.meter().name.clone()).collect()
    }

    #[test]
    fn packages_and_dies_are_taken_and_nothing_that_holds_or_repeats_them() -> Tested {
        let tree = tempfile::tempdir()?;
        for (folder, name) in [
            ("intel-rapl:0", "package-0"),
            ("intel-rapl:0:0", "core"),
            ("intel-rapl:0:1", "uncore"),
            ("intel-rapl:0:2", "dram"),
            ("intel-rapl:1", "package-0-die-1"),
            ("intel-rapl:2", "psys"),
            ("intel-rapl-mmio:0", "package-0"),
            ("intel-rapl:a", "package-7"),
        ] {
            zone(tree.path(), folder, name, 1)?;
        }
        let host = Host::at(tree.path());
        assert_eq!(names(Rapl::packages(&host)), ["package-0", "package-0-die-1"]);
        assert_eq!(names(Rapl::dram(&host)), ["dram"]);
        Ok(())
    }

    #[test]
    fn a_zone_that_stands_only_inside_its_package_is_found_once() -> Tested {
        let tree = tempfile::tempdir()?;
        zone(tree.path(), "intel-rapl:0", "package-0", 1)?;
        zone(tree.path(), "intel-rapl:0/intel-rapl:0:0", "dram", 1)?;
        zone(tree.path(), "intel-rapl:1", "package-1", 1)?;
        zone(tree.path(), "intel-rapl:1/intel-rapl:1:0", "dram", 1)?;
        zone(tree.path(), "intel-rapl:1:0", "dram", 1)?;
        let host = Host::at(tree.path());
        assert_eq!(names(Rapl::packages(&host)), ["package-0", "package-1"]);
        assert_eq!(names(Rapl::dram(&host)), ["dram", "dram"]);
        Ok(())
    }

    #[test]
    fn microjoules_are_read_as_they_stand() -> Tested {
        let tree = tempfile::tempdir()?;
        zone(tree.path(), "intel-rapl:0", "package-0", 124_599_532_281)?;
        let mut survey = Rapl::packages(&Host::at(tree.path()));
        let reading = survey.sensors.first_mut().ok_or("no sensor")?.read(Duration::ZERO)?;
        assert_eq!(reading.energy, Some(Energy::from_microjoules(124_599_532_281)));
        Ok(())
    }

    #[test]
    fn a_text_that_is_no_number_is_an_error_with_the_path() -> Tested {
        let tree = tempfile::tempdir()?;
        zone(tree.path(), "intel-rapl:0", "package-0", 1)?;
        let energy = tree.path().join("sys/class/powercap/intel-rapl:0/energy_uj");
        fs::write(&energy, "soon")?;
        assert_eq!(read_number(&energy).map_err(|error| error.path), Err(Some(energy)));
        Ok(())
    }

    #[test]
    fn a_machine_without_powercap_says_so() -> Tested {
        let tree = tempfile::tempdir()?;
        let survey = Rapl::packages(&Host::at(tree.path()));
        assert!(survey.sensors.is_empty());
        assert_eq!(survey.absences.first().map(|absence| absence.why.kind), Some(ErrorKind::Missing));
        Ok(())
    }
}
