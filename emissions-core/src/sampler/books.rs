use super::notes::Notes;
use crate::energy::{Incident, Ledger, MeterId, Rules};
use crate::quantity::Level;
use crate::sensor::{Absence, ErrorKind, SensorError};
use std::time::Duration;

/// What the sampler writes and others read.
#[derive(Debug)]
pub struct Books {
    /// The accounts, and when the run ran.
    pub ledger: Ledger,
    /// What must be said about them.
    pub notes: Notes,
    /// What is not there, and why.
    pub absences: Vec<Absence>,
}

impl Books {
    pub(super) fn new(rules: Rules, absences: Vec<Absence>) -> Self {
        Self { ledger: Ledger::new(rules), notes: Notes::default(), absences }
    }

    pub(super) fn sleep(&mut self, slept: Duration, at: Duration) {
        self.ledger.sleep(slept, at);
        self.notes.add(at, Level::Info, "sleep", "the machine slept: that time is not charged to the run");
    }

    pub(super) fn note_incident(&mut self, id: MeterId, at: Duration, incident: Incident) {
        let Some(meter) = self.ledger.meter(id) else { return };
        let Incident::CounterReset = incident;
        let text = format!(
            "{} ({}): the energy counter started again at {:.0} s; what was counted stays, the step is filled with the \
             power beside it",
            meter.domain,
            meter.name,
            at.as_secs_f64()
        );
        let key = format!("{} {incident:?}", meter.domain);
        self.notes.add(at, Level::Warning, key, text);
    }

    pub(super) fn note_error(&mut self, id: MeterId, at: Duration, error: &SensorError) {
        let Some(meter) = self.ledger.meter(id) else { return };
        let fate = if error.kind == ErrorKind::Fatal { "is lost" } else { "did not answer" };
        let text = format!("{} ({}) {fate} at {:.0} s: {error}", meter.domain, meter.name, at.as_secs_f64());
        let key = format!("{} {fate}", meter.domain);
        self.notes.add(at, Level::Warning, key, text);
    }
}
