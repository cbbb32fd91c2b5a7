use super::notes::Notes;
use crate::energy::{Incident, Ledger, MeterId, Rules};
use crate::quantity::Level;
use crate::sensor::{Absence, ErrorKind, SensorError};
use std::time::Duration;

/// What the sampler writes and others read.
#[derive(Debug)]
pub struct Books {
    /// The accounts.
    pub ledger: Ledger,
    /// What must be said about them.
    pub notes: Notes,
    /// What is not there, and why.
    pub absences: Vec<Absence>,
    /// How long the machine slept while the run was not stopped.
    pub asleep: Duration,
    /// How long the run was stopped, up to its last going on.
    pub stopped: Duration,
    /// Since when it is stopped.
    pub stopped_since: Option<Duration>,
    /// Whether the ledger kept energy apart before the machine slept.
    held: bool,
}

impl Books {
    pub(super) fn new(rules: Rules, absences: Vec<Absence>) -> Self {
        Self {
            ledger: Ledger::new(rules),
            notes: Notes::default(),
            absences,
            asleep: Duration::ZERO,
            stopped: Duration::ZERO,
            stopped_since: None,
            held: false,
        }
    }

    /// How much of the time up to `at` the run did not run: the machine slept or the command was stopped.
    #[must_use]
    pub fn idle(&self, at: Duration) -> Duration {
        let now = self.stopped_since.map_or(Duration::ZERO, |since| at.saturating_sub(since));
        self.asleep + self.stopped + now
    }

    /// The run stopped (`true`) or went on at `at`. The clock knows at once, the ledger when the meters have been read.
    pub fn set_stopped(&mut self, stopped: bool, at: Duration) {
        self.stopped += self.stopped_since.take().map_or(Duration::ZERO, |since| at.saturating_sub(since));
        self.stopped_since = stopped.then_some(at);
    }

    /// The machine slept: what the meters say next is kept apart. The sleep of a stopped run is part of its stop.
    pub(super) fn sleep(&mut self, slept: Duration, at: Duration) {
        if self.stopped_since.is_none() {
            self.asleep += slept;
        }
        self.held = self.ledger.is_aside();
        self.ledger.hold(true);
        self.notes.add(at, Level::Info, "sleep", "the machine slept: that time is not charged to the run");
    }

    /// The meters have been read after a sleep.
    pub(super) fn wake(&mut self) {
        self.ledger.hold(self.held);
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
