use super::interval::Interval;
use super::summary::Summary;
use crate::quantity::{Basis, Kind, Level, Method};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of a record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Line {
    /// The first: all that is known before the command's first second.
    Start(Box<Summary>),
    /// A domain appears: what the samples' keys stand for.
    Component(ComponentLine),
    /// The state of the books.
    Sample(Box<Sample>),
    /// Something a reader must know.
    Note(NoteLine),
    /// The last: the summary.
    End(Box<Summary>),
}

/// A domain of which samples tell.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ComponentLine {
    /// `gpu:0`.
    pub id: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What a person calls it.
    pub name: String,
    /// The device's own identity.
    pub uuid: Option<String>,
    /// By what its energy is obtained.
    pub method: Method,
    /// Measured, modelled or assumed.
    pub basis: Basis,
}

/// The state of the books at a moment. Totals run from the beginning, with their bounds: a reader computes nothing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Sample {
    /// Seconds since the run began.
    pub t_s: f64,
    /// Seconds the run was stopped or the machine slept, up to here.
    #[serde(default)]
    pub stopped_s: f64,
    /// Joules that instruments saw meanwhile: in no other figure.
    #[serde(default)]
    pub suspended_j: f64,
    /// Mean power since the last sample, by domain.
    pub power_w: BTreeMap<String, f64>,
    /// Absolute reading of each counter, by domain: comparable between records of one boot.
    pub counter_j: BTreeMap<String, f64>,
    /// Energy of each domain since the beginning.
    pub component_kwh: BTreeMap<String, Interval>,
    /// Seconds that no reading covers, by domain, where there are any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gap_s: BTreeMap<String, f64>,
    /// Readings of each domain.
    #[serde(default)]
    pub samples: BTreeMap<String, u64>,
    /// Electricity of the machine.
    pub energy_kwh: Option<Interval>,
    /// The share of it that instruments read.
    pub measured_share: Option<f64>,
    /// With the facility around it.
    pub facility_energy_kwh: Option<Interval>,
    /// Its emissions.
    pub emissions_g: Option<Interval>,
}

/// Something a reader must know.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct NoteLine {
    /// Seconds since the run began.
    pub t_s: f64,
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub text: String,
}
