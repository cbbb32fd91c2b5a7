use super::{CpuLoad, Host, MemoryModel, Rapl, SensorError};
use crate::energy::{Meter, Reading};
use std::time::Duration;

/// A device that can be read. One device each, so that one lost GPU of eight is one error.
pub trait Sensor: Send {
    /// What it stands for.
    fn meter(&self) -> &Meter;

    /// Reads it; `at` is the time since the run began. Does not allocate when all is well.
    ///
    /// # Errors
    /// [`SensorError`]: fatal when the device is gone, else it may answer the next time.
    fn read(&mut self, at: Duration) -> Result<Reading, SensorError>;
}

/// A source that gives nothing on this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Absence {
    /// The source: `NVML`, `RAPL`.
    pub sensor: &'static str,
    /// What is missing without it.
    pub instead: &'static str,
    /// Why.
    pub why: SensorError,
}

/// What a look at one source or at all of them found, and what is not there.
#[derive(Default)]
pub struct Survey {
    /// The sensors found, models among them.
    pub sensors: Vec<Box<dyn Sensor>>,
    /// What is absent.
    pub absences: Vec<Absence>,
}

impl Survey {
    /// Looks for processor and memory: RAPL where it can be read, else the models.
    #[must_use]
    pub fn of(host: &Host) -> Self {
        let mut survey = Self::default();
        if !survey.take(Rapl::packages(host)) {
            survey.take(CpuLoad::probe(host));
        }
        if !survey.take(Rapl::dram(host)) {
            survey.take(MemoryModel::probe(host));
        }
        survey
    }

    /// These devices.
    #[must_use]
    pub fn found(sensors: Vec<Box<dyn Sensor>>) -> Self {
        Self { sensors, absences: Vec::new() }
    }

    /// Nothing, and why.
    #[must_use]
    pub fn absent(absence: Absence) -> Self {
        Self { sensors: Vec::new(), absences: vec![absence] }
    }

    /// Adds what another look found, and says whether it found anything.
    pub fn take(&mut self, mut other: Self) -> bool {
        let found = !other.sensors.is_empty();
        self.sensors.append(&mut other.sensors);
        self.absences.append(&mut other.absences);
        found
    }
}
