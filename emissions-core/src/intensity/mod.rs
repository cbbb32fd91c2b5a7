//! How much CO2-equivalent a kilowatt-hour stands for: a place resolved to a row of the tables, or what the user states.

mod band;
mod place;
mod quote;
mod stated;

pub use place::{Place, PlaceError};
pub use quote::Quote;
pub use stated::{StatedError, parse_intensity};
