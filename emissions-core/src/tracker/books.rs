//! From the books to the figures of a record.

use crate::energy::{Meter, Total};
use crate::footprint::{Component, Footprint, PlatformModel, StatedPue};
use crate::intensity::Quote;
use crate::quantity::{Basis, Domain, Energy, Estimate, Kind, Quantity};
use crate::record::{
    CarbonIntensityRecord, ComponentRecord, GpuRecord, Interval, IntervalWithBasis, PlaceRecord, PueRecord,
};
use crate::sampler::{Books, Note};
use crate::sensor::{Absence, ErrorKind};
use std::time::Duration;

/// Disagreement of counter and integrated power from which on it is told.
const DISAGREEMENT: f64 = 0.05;

/// What figures are made with.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    pub quote: Quote,
    pub pue: StatedPue,
    pub platform: Option<PlatformModel>,
}

impl Factors {
    /// The footprint if the run ended `at`, over the time it was neither stopped nor asleep.
    pub fn footprint(&self, books: &Books, at: Duration) -> Footprint {
        let active = at.saturating_sub(books.ledger.idle(at));
        Footprint::of(books.ledger.totals_at(at), self.platform, active, &self.pue, &self.quote)
    }

    pub fn place(&self) -> Option<PlaceRecord> {
        self.quote.place.as_ref().map(|place| PlaceRecord {
            id: place.id.clone(),
            name: place.name.clone(),
            given_by: self.quote.given_by,
        })
    }

    pub fn intensity(&self) -> CarbonIntensityRecord {
        CarbonIntensityRecord {
            g_per_kwh: interval(&self.quote.intensity),
            year: self.quote.year,
            factors: self.quote.factors.map(|factors| factors.as_str().to_owned()),
            flow: self.quote.flow.map(|flow| flow.as_str().to_owned()),
            source: self.quote.source.clone(),
        }
    }

    pub fn pue(&self) -> PueRecord {
        let pue = self.pue.pue;
        PueRecord {
            value: pue.value.ratio(),
            low: pue.low.ratio(),
            high: pue.high.ratio(),
            given_by: self.pue.given_by,
        }
    }
}

pub(super) fn interval<T: Quantity>(estimate: &Estimate<T>) -> Interval {
    Interval { value: estimate.value.raw(), low: estimate.low.raw(), high: estimate.high.raw() }
}

pub(super) fn kwh(estimate: &Estimate<Energy>) -> Interval {
    Interval { value: estimate.value.as_kwh(), low: estimate.low.as_kwh(), high: estimate.high.as_kwh() }
}

pub(super) fn kwh_with_basis(estimate: &Estimate<Energy>) -> IntervalWithBasis {
    let Interval { value, low, high } = kwh(estimate);
    IntervalWithBasis { value, low, high, basis: estimate.basis }
}

pub(super) fn component(component: &Component) -> ComponentRecord {
    ComponentRecord {
        id: component.domain.to_string(),
        kind: component.domain.kind,
        name: component.name.clone(),
        method: component.method,
        basis: component.method.basis(),
        energy_kwh: kwh(&component.energy),
        share: 1.0,
        samples: (component.domain.kind != Kind::Platform).then_some(component.samples),
        gap_s: component.gap.as_secs_f64(),
    }
}

pub(super) fn gpus<'a>(meters: impl Iterator<Item = (&'a Meter, Total)>) -> Vec<GpuRecord> {
    let mut gpus: Vec<(Domain, GpuRecord)> = meters
        .filter(|(meter, _)| meter.domain.kind == Kind::Gpu)
        .map(|(meter, _)| {
            let id = meter.domain.to_string();
            (meter.domain, GpuRecord { id, uuid: meter.uuid.clone(), name: meter.name.clone() })
        })
        .collect();
    gpus.sort_by_key(|&(domain, _)| domain);
    gpus.into_iter().map(|(_, gpu)| gpu).collect()
}

/// What instruments saw while the run was stopped, in joules.
pub(super) fn suspended_j(books: &Books, end: Duration) -> f64 {
    books
        .ledger
        .totals_at(end)
        .filter(|(meter, _)| meter.method.basis() == Basis::Measured)
        .map(|(_, total)| total.suspended)
        .sum::<Energy>()
        .as_joules()
}

/// All that a reader must know, as sentences.
pub(super) fn notes(books: &Books, end: Duration) -> Vec<String> {
    let missing = missing(&books.absences);
    let barred = books.absences.iter().filter(|absence| !is_common(absence)).map(absence_text);
    let told = books.notes.all().iter().map(Note::told);
    let shortcomings = books.ledger.totals_at(end).filter_map(|(meter, total)| shortcoming(meter, &total));
    let disagreements =
        books.ledger.totals_at(end).filter_map(|(meter, total)| disagreement(meter, &total, end));
    missing.into_iter().chain(barred).chain(told).chain(shortcomings).chain(disagreements).collect()
}

/// A source that gives nothing, why, and what would mend it.
pub(super) fn absence_text(absence: &Absence) -> String {
    let remedy =
        absence.why.remedy.as_ref().map(|remedy| format!(" (to mend: {remedy})")).unwrap_or_default();
    format!("{}: {}{remedy}; {}", absence.sensor, absence.why, absence.instead)
}

/// Sources that this machine does not have, in one sentence: that is common and nobody's fault.
fn missing(absences: &[Absence]) -> Option<String> {
    let missing: Vec<String> = absences
        .iter()
        .filter(|absence| is_common(absence))
        .map(|absence| format!("{} ({})", absence.sensor, absence.instead))
        .collect();
    (!missing.is_empty())
        .then(|| format!("not on this machine: {}; `emissions doctor` says why", missing.join(", ")))
}

/// Not there, and nothing to mend.
fn is_common(absence: &Absence) -> bool {
    absence.why.kind == ErrorKind::Missing && absence.why.remedy.is_none()
}

/// What a meter did not tell, and what stands in its place.
fn shortcoming(meter: &Meter, total: &Total) -> Option<String> {
    let what = if total.stands_still() && total.power.is_none() {
        "its counter stands still: it is not counted".to_owned()
    } else if total.stands_still() {
        "its counter stands still: its power over time is taken".to_owned()
    } else if !total.is_known() {
        "it gave no figure: it is not counted".to_owned()
    } else if total.bridged > Energy::ZERO {
        let seconds = total.gap.as_secs_f64();
        format!(
            "{seconds:.1} s without a reading are filled with the power beside them, between 0 and 2 times that"
        )
    } else {
        return None;
    };
    Some(format!("{} ({}): {what}", meter.domain, meter.name))
}

/// Counter and power of one device tell the same energy, or it is noted. Below ten seconds the counter's steps show.
fn disagreement(meter: &Meter, total: &Total, run: Duration) -> Option<String> {
    let check = total.check.filter(|_| meter.method.basis() == Basis::Measured)?;
    let (by_power, by_counter) = (check.by_power.as_joules(), check.by_counter.as_joules());
    let apart = (by_power - by_counter).abs() / by_power.max(by_counter);
    (run >= Duration::from_secs(10) && total.samples > 3 && apart > DISAGREEMENT).then(|| {
        format!(
            "{} ({}): the energy counter says {by_counter:.0} J where the power over time says {by_power:.0} J; the counter \
             is used",
            meter.domain, meter.name
        )
    })
}

/// How many GPUs were really read.
pub(super) fn answering_gpus(books: &Books, end: Duration) -> u32 {
    let answering = books
        .ledger
        .totals_at(end)
        .filter(|(meter, total)| meter.domain.kind == Kind::Gpu && total.is_known());
    u32::try_from(answering.count()).unwrap_or(u32::MAX)
}
