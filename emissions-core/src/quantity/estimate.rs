use super::Quantity;
use serde::{Deserialize, Serialize};

/// Where a figure comes from. Ordered from the strongest to the weakest, so that the basis of a sum is the maximum of its
/// parts'.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// An instrument read it.
    Measured,
    /// Computed from something that was observed (load, size, limit).
    Modelled,
    /// Nothing was observed: a rule or a default.
    Assumed,
}

/// A figure and the bounds between which the truth lies with about 95 % probability, and where it comes from.
///
/// `low <= value <= high` always.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate<T> {
    /// The best single figure.
    pub value: T,
    /// About 2.5 % of the probability lies below.
    pub low: T,
    /// About 2.5 % of the probability lies above.
    pub high: T,
    /// Measured, modelled or assumed.
    pub basis: Basis,
}

impl<T: Quantity> Estimate<T> {
    /// A value with its bounds. Bounds on the wrong side of the value are moved to it.
    #[must_use]
    pub fn new(value: T, low: T, high: T, basis: Basis) -> Self {
        Self {
            value,
            low: if low < value { low } else { value },
            high: if high > value { high } else { value },
            basis,
        }
    }

    /// A value that is known exactly, or that the user states without bounds.
    #[must_use]
    pub fn exact(value: T, basis: Basis) -> Self {
        Self::new(value, value, value, basis)
    }

    /// A value whose bounds are factors of it: `within(v, 0.5, 2.0, …)` is v/2 to 2v.
    #[must_use]
    pub fn within(value: T, low_factor: f64, high_factor: f64, basis: Basis) -> Self {
        Self::new(value, T::from_raw(value.raw() * low_factor), T::from_raw(value.raw() * high_factor), basis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Energy;

    #[test]
    fn the_weakest_part_is_the_basis_of_a_sum() {
        assert_eq!(Basis::Measured.max(Basis::Assumed), Basis::Assumed);
        assert_eq!(Basis::Measured.max(Basis::Modelled), Basis::Modelled);
    }

    #[test]
    fn bounds_never_cross_the_value() {
        let j = Energy::from_joules;
        let estimate = Estimate::new(j(5.0), j(6.0), j(4.0), Basis::Measured);
        assert_eq!((estimate.low, estimate.high), (j(5.0), j(5.0)));
    }
}
