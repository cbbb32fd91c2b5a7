use super::probe::{Absence, Sensor, Survey};
use super::{Host, SensorError};
use crate::energy::{Meter, Reading};
use crate::quantity::{Domain, Kind, Method, Power};
use std::time::Duration;

/// 3 W for 8 GB (Crucial's rule of thumb, used by CodeCarbon before version 3; Green Algorithms 0.3725, Boavizta 0.284,
/// Cloud Carbon Footprint 0.392).
const W_PER_GB: f64 = 0.375;

/// Memory power from its size: the model for where RAPL has no memory zone.
#[derive(Debug)]
pub struct MemoryModel {
    meter: Meter,
    power: Power,
}

impl MemoryModel {
    /// The model of the memory installed in this machine.
    #[must_use]
    pub fn probe(host: &Host) -> Survey {
        let Some(bytes) = host.memory_bytes() else {
            let why = SensorError::content(&host.path("proc/meminfo"), "the size of memory");
            return Survey::absent(Absence { sensor: "memory size", instead: "memory is not counted", why });
        };
        let gb = bytes as f64 / 1e9;
        let power = Power::from_watts(gb * W_PER_GB);
        Survey::found(vec![Box::new(Self {
            meter: Meter {
                domain: Domain::new(Kind::Memory, 0),
                name: format!("{gb:.0} GB"),
                uuid: None,
                method: Method::MemoryModel,
                wraps_at: None,
                ceiling: power,
                update_period: Duration::ZERO,
            },
            power,
        })])
    }
}

impl Sensor for MemoryModel {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn read(&mut self, _at: Duration) -> Result<Reading, SensorError> {
        Ok(Reading::gauge(self.power))
    }
}
