use super::books::{Factors, absence_text, interval, kwh, suspended_j};
use crate::energy::{Meter, Total};
use crate::quantity::{Basis, Energy, Level, Power};
use crate::record::{ComponentLine, Journal, Line, NoteLine, Sample};
use crate::sampler::Books;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Mean power is told of stretches from this length on.
const SHORTEST_MEAN: Duration = Duration::from_millis(50);

/// Writes the journal as the books grow. Lives in the sampler's thread.
pub(super) struct Recorder {
    pub journal: Arc<Journal>,
    pub factors: Arc<Factors>,
    pub switches: Arc<Switches>,
    pub every: Duration,
    /// When the next line is due.
    pub due: Duration,
    /// Time of the last sample and energy of every meter at it.
    pub last: (Duration, Vec<Energy>),
    pub told: usize,
    pub absences: usize,
    pub components: usize,
}

/// What the tracker tells the recorder.
#[derive(Debug, Default)]
pub(super) struct Switches {
    /// The start line is written: others may follow.
    pub started: AtomicBool,
    /// Write at the next round, due or not.
    pub hurry: AtomicBool,
}

impl Recorder {
    /// Looks at the books after a round of reading, and writes what is due.
    pub fn observe(&mut self, at: Duration, books: &Books) {
        if !self.switches.started.load(Ordering::Acquire) {
            return;
        }
        self.tell(at, books);
        let hurry = self.switches.hurry.swap(false, Ordering::AcqRel);
        if at >= self.due {
            self.sample(at, books);
            self.journal.settle();
            // The next multiple of the interval that is not past.
            while self.due <= at {
                self.due += self.every;
            }
        } else if hurry {
            self.sample(at, books);
        }
    }

    /// New domains and new notes.
    fn tell(&mut self, at: Duration, books: &Books) {
        if books.ledger.len() > self.components {
            for (meter, _) in books.ledger.totals_at(Duration::ZERO).skip(self.components) {
                self.journal.append(&Line::Component(component(meter)));
            }
            if self.components == 0
                && let Some(platform) = platform(&self.factors)
            {
                self.journal.append(&Line::Component(platform));
            }
            self.components = books.ledger.len();
        }
        for absence in books.absences.iter().skip(self.absences) {
            let (t_s, text) = (at.as_secs_f64(), absence_text(absence));
            self.journal.append(&Line::Note(NoteLine { t_s, level: Level::Info, text }));
        }
        self.absences = books.absences.len();
        for note in books.notes.all().iter().skip(self.told) {
            let text = note.text.clone();
            self.journal.append(&Line::Note(NoteLine {
                t_s: note.at.as_secs_f64(),
                level: note.level,
                text,
            }));
        }
        self.told = books.notes.all().len();
    }

    fn sample(&mut self, at: Duration, books: &Books) {
        let totals: Vec<(&Meter, Total)> = books.ledger.totals_at(at).collect();
        let footprint = self.factors.footprint(books, at);
        let since = at.saturating_sub(self.last.0);
        let mut sample = Sample {
            t_s: round(at.as_secs_f64()),
            stopped_s: round(books.ledger.idle(at).as_secs_f64()),
            suspended_j: suspended_j(books, at),
            ..Sample::default()
        };
        for (index, (meter, total)) in totals.iter().enumerate() {
            let id = meter.domain.to_string();
            let before = self.last.1.get(index).copied().unwrap_or(Energy::ZERO);
            // The mean of next to no time says nothing: a counter has not moved yet.
            if since >= SHORTEST_MEAN && total.is_known() {
                let power = (total.energy() - before) / since;
                // A correction of what was told before is no power.
                if power >= Power::ZERO {
                    sample.power_w.insert(id.clone(), round(power.as_watts()));
                }
            }
            if let Some(counter) = total.counter.filter(|_| meter.method.basis() == Basis::Measured) {
                sample.counter_j.insert(id.clone(), counter.as_joules());
            }
            sample.samples.insert(id, total.samples);
        }
        sample.component_kwh = component_kwh(&footprint.components);
        sample.gap_s = footprint
            .components
            .iter()
            .filter(|component| !component.gap.is_zero())
            .map(|component| (component.domain.to_string(), round(component.gap.as_secs_f64())))
            .collect();
        if !footprint.components.is_empty() {
            sample.energy_kwh = Some(kwh(&footprint.energy));
            sample.measured_share = footprint.measured_share;
            sample.facility_energy_kwh = Some(kwh(&footprint.facility));
            sample.emissions_g = Some(interval(&footprint.emissions));
        }
        self.last = (at, totals.iter().map(|(_, total)| total.energy()).collect());
        self.journal.append(&Line::Sample(Box::new(sample)));
    }
}

fn component_kwh(components: &[crate::footprint::Component]) -> BTreeMap<String, crate::record::Interval> {
    components.iter().map(|component| (component.domain.to_string(), kwh(&component.energy))).collect()
}

fn component(meter: &Meter) -> ComponentLine {
    ComponentLine {
        id: meter.domain.to_string(),
        kind: meter.domain.kind,
        name: meter.name.clone(),
        uuid: meter.uuid.clone(),
        method: meter.method,
        basis: meter.method.basis(),
    }
}

fn platform(factors: &Factors) -> Option<ComponentLine> {
    factors.platform?;
    let domain = crate::footprint::PLATFORM;
    let method = crate::quantity::Method::NodeModel;
    Some(ComponentLine {
        id: domain.to_string(),
        kind: domain.kind,
        name: crate::footprint::PLATFORM_NAME.into(),
        uuid: None,
        method,
        basis: method.basis(),
    })
}

/// Milliseconds and milliwatts are enough for a chart.
fn round(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}
