use super::account::{Account, Incident, Rules, Total};
use super::meter::{Meter, Reading};
use super::timeline::{State, Timeline};
use std::time::Duration;

/// The accounts of all meters of a run, and when it ran.
#[derive(Clone, Debug)]
pub struct Ledger {
    rules: Rules,
    timeline: Timeline,
    entries: Vec<Entry>,
}

/// A meter's place in the ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MeterId(usize);

#[derive(Clone, Debug)]
struct Entry {
    meter: Meter,
    account: Account,
    lost: bool,
}

impl Ledger {
    /// An empty ledger; time zero is the beginning of the run.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, timeline: Timeline::default(), entries: Vec::new() }
    }

    /// Opens an account, at any time: what a late meter missed is filled from its first readings.
    pub fn open(&mut self, meter: Meter) -> MeterId {
        self.entries.push(Entry { meter, account: Account::default(), lost: false });
        MeterId(self.entries.len() - 1)
    }

    /// Takes a reading. Does not allocate.
    pub fn record(&mut self, id: MeterId, at: Duration, reading: Reading) -> Option<Incident> {
        let entry = self.entries.get_mut(id.0)?;
        entry.account.record(&entry.meter, self.rules, &self.timeline, at, reading)
    }

    /// The meter is gone for good.
    pub fn lose(&mut self, id: MeterId) {
        if let Some(entry) = self.entries.get_mut(id.0) {
            entry.lost = true;
        }
    }

    /// The run stops, goes on or ends at `at`. Readings that come later are split there.
    pub fn change(&mut self, at: Duration, state: State) {
        self.timeline.change(at, state);
    }

    /// The machine slept so long and woke at `until`.
    pub fn sleep(&mut self, length: Duration, until: Duration) {
        self.timeline.sleep(length, until);
    }

    /// How much of the time up to `at` the run was stopped or the machine slept.
    #[must_use]
    pub fn idle(&self, at: Duration) -> Duration {
        self.timeline.shares(Duration::ZERO, at).aside
    }

    /// The totals as they would be if the run ended at `end`, with the gaps closed.
    pub fn totals_at(&self, end: Duration) -> impl Iterator<Item = (&Meter, Total)> {
        self.entries.iter().map(move |entry| {
            let mut account = entry.account.clone();
            if entry.lost {
                account.lose(&self.timeline, end);
            } else {
                account.close(&self.timeline, end);
            }
            (&entry.meter, account.total())
        })
    }

    /// The meter of an account.
    #[must_use]
    pub fn meter(&self, id: MeterId) -> Option<&Meter> {
        self.entries.get(id.0).map(|entry| &entry.meter)
    }

    /// How many accounts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no meter was found at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
