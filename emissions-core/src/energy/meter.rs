use crate::quantity::{Domain, Energy, Method, Power};
use std::time::Duration;

/// What is known of a thing that gives readings. One meter, one domain, one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    /// The domain it stands for.
    pub domain: Domain,
    /// What a person calls the device: `NVIDIA H100 80GB HBM3`, `package-0`.
    pub name: String,
    /// The device's own identity, where it has one.
    pub uuid: Option<String>,
    /// How the energy is obtained.
    pub method: Method,
    /// The reading after which a counter starts again at zero. `None`: it does not wrap, a fall is a reset.
    pub wraps_at: Option<Energy>,
    /// More than this the device cannot draw: a larger step is a reset that looks like a wrap.
    pub ceiling: Power,
    /// How often the device renews its figure. An edge of the run can be off by that much.
    pub update_period: Duration,
}

/// What one look at a meter gives. At least one of the two is there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// The cumulative counter.
    pub energy: Option<Energy>,
    /// The power of the moment.
    pub power: Option<Power>,
}

impl Reading {
    /// A cumulative counter alone.
    #[must_use]
    pub const fn counter(energy: Energy) -> Self {
        Self { energy: Some(energy), power: None }
    }

    /// The power of the moment alone.
    #[must_use]
    pub const fn gauge(power: Power) -> Self {
        Self { energy: None, power: Some(power) }
    }

    /// The same reading with the power of the moment beside it, for the chart and as a cross-check.
    #[must_use]
    pub const fn with_power(self, power: Power) -> Self {
        Self { power: Some(power), ..self }
    }
}
