//! The words all rooms share: typed quantities, estimates with their bounds, and where a figure comes from.
//!
//! Watts, joules, grams and g/kWh are types of their own, and only the products that mean something exist:
//!
//! ```
//! use emissions_core::quantity::{CarbonIntensity, Power, Pue};
//! use std::time::Duration;
//!
//! let energy = Power::from_watts(250.0) * Duration::from_secs(3600);
//! assert_eq!(energy.as_kwh(), 0.25);
//! let facility = energy * Pue::new(1.2)?;
//! let emitted = facility * CarbonIntensity::from_g_per_kwh(44.0);
//! assert!((emitted.as_grams() - 13.2).abs() < 1e-9);
//! # Ok::<(), emissions_core::quantity::PueError>(())
//! ```

mod define;
mod domain;
mod estimate;
mod method;
mod physical;
mod pue;
mod words;

pub use define::Quantity;
pub use domain::{Domain, Kind};
pub use estimate::{Basis, Estimate};
pub use method::Method;
pub use physical::{CarbonIntensity, Emissions, Energy, Power};
pub use pue::{Pue, PueError};
pub use words::{Boundary, GivenBy, Level, Site};
