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

/// What a probe of one source found.
pub enum Probe {
    /// These devices, at least one.
    Found(Vec<Box<dyn Sensor>>),
    /// Nothing, and why.
    Absent(Absence),
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

/// All that can be read without a vendor's library, and what cannot.
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

    /// Adds what a probe found, and says whether it found anything.
    pub fn take(&mut self, probe: Probe) -> bool {
        match probe {
            Probe::Found(mut sensors) => {
                self.sensors.append(&mut sensors);
                true
            }
            Probe::Absent(absence) => {
                self.absences.push(absence);
                false
            }
        }
    }
}
