use super::account::{Account, Incident, Rules, Total};
use super::meter::{Meter, Reading};
use std::time::Duration;

/// The accounts of all meters of a run.
#[derive(Clone, Debug)]
pub struct Ledger {
    rules: Rules,
    entries: Vec<Entry>,
    aside: bool,
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
        Self { rules, entries: Vec::new(), aside: false }
    }

    /// Opens an account, at any time: what a late meter missed is filled from its first readings, but for the time that
    /// the run was stopped by then.
    pub fn open(&mut self, meter: Meter, stopped: Duration) -> MeterId {
        let mut account = Account::opened(stopped);
        account.hold(self.aside);
        self.entries.push(Entry { meter, account, lost: false });
        MeterId(self.entries.len() - 1)
    }

    /// Takes a reading. Does not allocate.
    pub fn record(&mut self, id: MeterId, at: Duration, reading: Reading) -> Option<Incident> {
        let rules = self.rules;
        let entry = self.entries.get_mut(id.0)?;
        entry.account.record(&entry.meter, rules, at, reading)
    }

    /// The meter is gone for good.
    pub fn lose(&mut self, id: MeterId) {
        if let Some(entry) = self.entries.get_mut(id.0) {
            entry.lost = true;
        }
    }

    /// Keeps what is read from now on apart, or counts it again.
    pub fn hold(&mut self, aside: bool) {
        self.aside = aside;
        for entry in &mut self.entries {
            entry.account.hold(aside);
        }
    }

    /// The run stopped at `at` (`true`) or went on (`false`). Read all meters first, however late that is.
    pub fn set_aside(&mut self, aside: bool, at: Duration) {
        self.aside = aside;
        for entry in &mut self.entries {
            entry.account.set_aside(aside, at);
        }
    }

    /// Whether energy is kept apart now.
    #[must_use]
    pub fn is_aside(&self) -> bool {
        self.aside
    }

    /// The totals as they would be if the run ended at `end`, with the gaps closed.
    pub fn totals_at(&self, end: Duration) -> impl Iterator<Item = (&Meter, Total)> {
        self.entries.iter().map(move |entry| {
            let mut account = entry.account.clone();
            if entry.lost {
                account.lose(end);
            } else {
                account.close(end);
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
