//! How far an annual intensity can be from the truth, by kind of row.
//!
//! Two life-cycle sources for one country and year differ by 11 % at the median and by 25–35 % at the ninetieth percentile
//! (48 countries, Our World in Data against Electricity Maps, 2023 and 2024): ±30 % covers nine countries in ten. On
//! grids below 60 g/kWh a factor of 2 is normal. In very large countries the grids of one country differ by more than
//! that: in 2025 the zones of the US ranged from 26 to 848 g/kWh, those of India from 401 to 740, of Canada from 26 to
//! 649, of Australia from 69 to 577.

use crate::quantity::{Basis, CarbonIntensity, Estimate, Quantity};

/// Below this, in g/kWh, a grid is low-carbon and sources differ by a factor of two.
const LOW_CARBON_G_PER_KWH: f64 = 60.0;

/// Countries whose average says little about one of their grids: the zones differ by more than ±30 % (see above).
const MANY_GRIDS: [&str; 6] = ["AUS", "BRA", "CAN", "CHN", "IND", "USA"];

/// An annual country average with its bounds.
pub(super) fn country(id: &str, value: CarbonIntensity) -> Estimate<CarbonIntensity> {
    let (low, high) = if MANY_GRIDS.contains(&id) {
        (0.3, 2.0)
    } else if value.as_g_per_kwh() < LOW_CARBON_G_PER_KWH {
        (0.5, 2.0)
    } else {
        (0.7, 1.3)
    };
    Estimate::within(value, low, high, Basis::Modelled)
}

/// The world average with the range of the world's grids: between the 2.5th and the 97.5th percentile of the countries.
pub(super) fn world(value: CarbonIntensity) -> Estimate<CarbonIntensity> {
    let mut grids: Vec<f64> = grid_data::rows().iter().map(|row| row.g_per_kwh).collect();
    grids.sort_by(f64::total_cmp);
    let tail = grids.len() / 40;
    let (low, high) = match (grids.get(tail), grids.iter().rev().nth(tail)) {
        (Some(&low), Some(&high)) => (low, high),
        _ => (value.raw(), value.raw()),
    };
    Estimate::new(
        value,
        CarbonIntensity::from_g_per_kwh(low),
        CarbonIntensity::from_g_per_kwh(high),
        Basis::Assumed,
    )
}
