use super::notes::Notes;
use crate::energy::{Incident, Ledger, MeterId};
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
    /// How long the machine slept.
    pub asleep: Duration,
    /// How long the run was stopped, up to its last going on.
    pub stopped: Duration,
    /// Since when it is stopped.
    pub stopped_since: Option<Duration>,
    /// How many rounds of reading there were.
    pub rounds: u64,
}

impl Books {
    /// How much of the time up to `at` the run did not run: the machine slept or the command was stopped.
    #[must_use]
    pub fn idle(&self, at: Duration) -> Duration {
        let now = self.stopped_since.map_or(Duration::ZERO, |since| at.saturating_sub(since));
        self.asleep + self.stopped + now
    }

    pub(super) fn set_aside(&mut self, aside: bool, at: Duration) {
        self.stopped += self.stopped_since.take().map_or(Duration::ZERO, |since| at.saturating_sub(since));
        self.stopped_since = aside.then_some(at);
        self.ledger.set_aside(aside);
    }

    pub(super) fn note_incident(&mut self, id: MeterId, at: Duration, incident: Incident) {
        let Some(meter) = self.ledger.meter(id) else { return };
        let text = match incident {
            Incident::CounterReset => format!(
                "{} ({}): the energy counter started again at {:.0} s; what was counted stays, the step is filled with \
                 the power beside it",
                meter.domain,
                meter.name,
                at.as_secs_f64()
            ),
            Incident::Bridged => format!(
                "{} ({}): time without a reading is filled with the power beside it, between 0 and 2 times that",
                meter.domain, meter.name
            ),
        };
        self.notes.add(at, Level::Warning, text);
    }

    pub(super) fn note_error(&mut self, id: MeterId, at: Duration, error: &SensorError) {
        let Some(meter) = self.ledger.meter(id) else { return };
        let fate = if error.kind == ErrorKind::Fatal { "is lost" } else { "did not answer" };
        let text = format!("{} ({}) {fate} at {:.0} s: {error}", meter.domain, meter.name, at.as_secs_f64());
        self.notes.add(at, Level::Warning, text);
    }
}
