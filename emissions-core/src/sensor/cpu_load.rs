use super::probe::{Absence, Sensor, Survey};
use super::{Host, SensorError};
use crate::energy::{Meter, Reading};
use crate::quantity::{Domain, Energy, Kind, Method, Power};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Package power of an idle and of a busy hardware thread, and the bend of the curve between them:
/// `P = threads × (IDLE + RANGE × load^BEND)`.
///
/// Least squares of the logarithm, every machine weighing the same, over CodeCarbon's measured RAPL package power at 0 to
/// 100 % load on four machines of 8 to 32 threads (86 points; its `cpu_load_profiling` data, 2025-01-14, MIT). The
/// curves are concave: they saturate. Leaving one machine out, the mean absolute error is 39, 27, 54 and 26 %, and 96 % of
/// the held-out points lie within 0.5 to 2 times the model, which is the band of the method.
const IDLE_W: f64 = 0.75;
const RANGE_W: f64 = 4.2;
const BEND: f64 = 0.7;

/// Package power from the load of the processors this machine has: the model for where RAPL cannot be read.
///
/// It gives a counter of its own, so that an energy is a load times the very time it was observed over.
#[derive(Debug)]
pub struct CpuLoad {
    meter: Meter,
    stat: PathBuf,
    threads: f64,
    seen: Option<(Duration, Ticks)>,
    energy: Energy,
    load: f64,
}

/// Time of all processors since boot, in clock ticks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Ticks {
    busy: u64,
    all: u64,
}

impl CpuLoad {
    /// The model of this machine, wherever the kernel tells its load.
    #[must_use]
    pub fn probe(host: &Host) -> Survey {
        let stat = host.path("proc/stat");
        let read = read_ticks(&stat).and_then(|_| {
            host.logical_cpus().ok_or_else(|| SensorError::content(&stat, "a line for each processor"))
        });
        let threads = match read {
            Ok(threads) => f64::from(threads),
            Err(why) => {
                return Survey::absent(Absence {
                    sensor: "CPU load",
                    instead: "the CPU is not counted",
                    why,
                });
            }
        };
        Survey::found(vec![Box::new(Self {
            meter: Meter {
                domain: Domain::new(Kind::Cpu, 0),
                name: host.cpu_model().unwrap_or_else(|| format!("{threads} processors")),
                uuid: None,
                method: Method::CpuLoadModel,
                wraps_at: None,
                // Twice what the model can give: rounding is no reset.
                ceiling: Power::from_watts(threads * (IDLE_W + RANGE_W) * 2.0),
                update_period: Duration::from_millis(10),
            },
            stat,
            threads,
            seen: None,
            energy: Energy::ZERO,
            // Until a load is seen, one thread is busy: the command's own.
            load: 1.0 / threads,
        })])
    }

    fn power(&self) -> Power {
        Power::from_watts(self.threads * (IDLE_W + RANGE_W * self.load.powf(BEND)))
    }
}

impl Sensor for CpuLoad {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn read(&mut self, at: Duration) -> Result<Reading, SensorError> {
        let now = read_ticks(&self.stat)?;
        if let Some((then, before)) = self.seen {
            let all = now.all.saturating_sub(before.all);
            let busy = now.busy.saturating_sub(before.busy).min(all);
            if all > 0 {
                self.load = busy as f64 / all as f64;
            }
            self.energy += self.power() * at.saturating_sub(then);
        }
        self.seen = Some((at, now));
        Ok(Reading::counter(self.energy).with_power(self.power()))
    }
}

/// Reads the first line of `/proc/stat`: `cpu  user nice system idle iowait irq softirq steal guest guest_nice`, guests'
/// time being inside user and nice (proc(5)). Waiting for a disk is idle. Does not allocate.
fn read_ticks(path: &Path) -> Result<Ticks, SensorError> {
    let mut buffer = [0_u8; 256];
    let length = File::open(path)
        .and_then(|mut file| file.read(&mut buffer))
        .map_err(|error| SensorError::reading(path, &error))?;
    buffer
        .get(..length)
        .and_then(|bytes| bytes.split(|&byte| byte == b'\n').next())
        .and_then(|line| std::str::from_utf8(line).ok())
        .and_then(parse_ticks)
        .ok_or_else(|| SensorError::content(path, "the processors' time"))
}

fn parse_ticks(line: &str) -> Option<Ticks> {
    let mut ticks = Ticks { busy: 0, all: 0 };
    let mut fields = 0;
    for (field, text) in line.strip_prefix("cpu ")?.split_ascii_whitespace().take(8).enumerate() {
        let time: u64 = text.parse().ok()?;
        ticks.all += time;
        if !matches!(field, 3 | 4) {
            ticks.busy += time;
        }
        fields = field;
    }
    (fields >= 3).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;
    use std::fs;

    #[test]
    fn idle_and_waiting_for_a_disk_are_not_load() {
        let ticks = parse_ticks("cpu  100 20 30 700 50 4 6 10 99 0");
        assert_eq!(ticks, Some(Ticks { busy: 170, all: 920 }));
        assert_eq!(parse_ticks("cpu0 1 2 3 4"), None);
        assert_eq!(parse_ticks("cpu  1 2"), None);
    }

    #[test]
    fn a_load_is_charged_over_the_time_it_was_seen() -> Result<(), Box<dyn Error>> {
        let tree = tempfile::tempdir()?;
        fs::create_dir_all(tree.path().join("proc"))?;
        let stat = tree.path().join("proc/stat");
        fs::write(&stat, "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0\ncpu1 0\ncpu2 0\ncpu3 0\nintr 1\n")?;
        let mut survey = CpuLoad::probe(&Host::at(tree.path()));
        let sensor = survey.sensors.first_mut().ok_or("no sensor")?;
        sensor.read(Duration::ZERO)?;
        // All four busy for 10 s: 4 x (0.75 + 4.2) = 19.8 W, 198 J.
        fs::write(&stat, "cpu  4000 0 0 0 0 0 0 0 0 0\n")?;
        let busy = sensor.read(Duration::from_secs(10))?;
        assert!((busy.energy.ok_or("no energy")?.as_joules() - 198.0).abs() < 1e-9);
        // Then idle for 10 s: 4 x 0.75 = 3 W, 30 J more.
        fs::write(&stat, "cpu  4000 0 0 4000 0 0 0 0 0 0\n")?;
        let idle = sensor.read(Duration::from_secs(20))?;
        assert!((idle.energy.ok_or("no energy")?.as_joules() - 228.0).abs() < 1e-9);
        assert!((idle.power.ok_or("no power")?.as_watts() - 3.0).abs() < 1e-9);
        Ok(())
    }
}
