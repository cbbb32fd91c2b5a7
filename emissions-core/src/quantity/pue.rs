use super::Quantity;
use thiserror::Error;

/// Power usage effectiveness: electricity of the facility over electricity of the machine. Never below 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Pue(f64);

/// Why a number is not a PUE.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum PueError {
    /// A facility cannot draw less than the machines in it.
    #[error("a PUE is the facility's electricity over the machines': {0} is below 1")]
    BelowOne(f64),
    /// Above 10 it is a percentage or a typing error: the worst sites on record are near 3.
    #[error("a PUE of {0} is beyond every known site (up to about 3): is it a percentage?")]
    Implausible(f64),
}

impl Pue {
    /// No overhead: a laptop or a desktop on a socket of the house.
    pub const ONE: Self = Self(1.0);

    /// A ratio from 1 to 10.
    ///
    /// # Errors
    /// [`PueError::BelowOne`] (NaN among them), [`PueError::Implausible`] above 10.
    pub fn new(ratio: f64) -> Result<Self, PueError> {
        if ratio > 10.0 {
            Err(PueError::Implausible(ratio))
        } else if ratio >= 1.0 {
            Ok(Self(ratio))
        } else {
            Err(PueError::BelowOne(ratio))
        }
    }

    /// The ratio, 1 or more.
    #[must_use]
    pub const fn ratio(self) -> f64 {
        self.0
    }
}

impl Quantity for Pue {
    fn raw(self) -> f64 {
        self.0
    }

    fn from_raw(raw: f64) -> Self {
        Self(raw.max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_one_is_refused() {
        assert_eq!(Pue::new(0.9), Err(PueError::BelowOne(0.9)));
        assert_eq!(Pue::new(-1.2), Err(PueError::BelowOne(-1.2)));
        assert!(matches!(Pue::new(f64::NAN), Err(PueError::BelowOne(_))));
    }

    #[test]
    fn a_percentage_is_refused() {
        assert_eq!(Pue::new(120.0), Err(PueError::Implausible(120.0)));
    }

    #[test]
    fn one_is_a_pue() {
        assert_eq!(Pue::new(1.0), Ok(Pue::ONE));
    }
}
