pub use crate::quantity::Basis;
use serde::{Deserialize, Serialize};

/// A number with its bounds, as it stands in a record. The unit is in the field's name.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Interval {
    /// The best single figure.
    pub value: f64,
    /// The lower bound (about 95 % together with `high`).
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// An [`Interval`] that says where it comes from.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct IntervalWithBasis {
    /// The best single figure.
    pub value: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
    /// The weakest part's basis.
    pub basis: Basis,
}

impl From<IntervalWithBasis> for Interval {
    fn from(from: IntervalWithBasis) -> Self {
        Self { value: from.value, low: from.low, high: from.high }
    }
}
