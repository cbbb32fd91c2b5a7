use super::{Place, PlaceError, band};
use crate::quantity::{Basis, CarbonIntensity, Estimate, GivenBy};
use grid_data::{Factors, Flow};

/// The carbon intensity that a run is multiplied with, and everything needed to check it.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The place, unless the intensity was stated without one.
    pub place: Option<Place>,
    /// Who gave the place.
    pub given_by: GivenBy,
    /// g/kWh with bounds.
    pub intensity: Estimate<CarbonIntensity>,
    /// The year of the data, where a table gave it.
    pub year: Option<u16>,
    /// Life-cycle or direct, where known.
    pub factors: Option<Factors>,
    /// Of what is generated or of what is consumed in the place, where known.
    pub flow: Option<Flow>,
    /// Who says so.
    pub source: String,
}

impl Quote {
    /// The annual average of a place.
    ///
    /// # Errors
    /// [`PlaceError::NoIntensity`] where no table has a row for it.
    pub fn of(place: Place, given_by: GivenBy) -> Result<Self, PlaceError> {
        let is_world = place.id == "WORLD";
        let row = if is_world { Some(grid_data::world()) } else { grid_data::intensity(&place.id) };
        let row = row.ok_or_else(|| PlaceError::NoIntensity { name: place.name.clone() })?;
        let value = CarbonIntensity::from_g_per_kwh(row.g_per_kwh);
        Ok(Self {
            intensity: if is_world { band::world(value) } else { band::country(&place.id, value) },
            place: Some(place),
            given_by,
            year: Some(row.year),
            factors: Some(row.factors),
            flow: Some(row.flow),
            source: source(row.source),
        })
    }

    /// The world average within the range of the world's grids, for a run whose place nobody gave.
    #[must_use]
    pub fn anywhere() -> Self {
        let row = grid_data::world();
        Self {
            place: Some(Place::world()),
            given_by: GivenBy::Default,
            intensity: band::world(CarbonIntensity::from_g_per_kwh(row.g_per_kwh)),
            year: Some(row.year),
            factors: Some(row.factors),
            flow: Some(row.flow),
            source: source(row.source),
        }
    }

    /// An intensity that the user states. It carries no bounds of its own: whoever states it answers for it.
    #[must_use]
    pub fn stated(intensity: CarbonIntensity, place: Option<Place>, given_by: GivenBy) -> Self {
        Self {
            place,
            given_by,
            intensity: Estimate::exact(intensity, Basis::Assumed),
            year: None,
            factors: None,
            flow: None,
            source: "stated by the user".into(),
        }
    }

    /// Whether somebody said where the run was or what its electricity emits. A card needs that.
    #[must_use]
    pub fn is_placed(&self) -> bool {
        self.given_by != GivenBy::Default
    }
}

/// Who says so, in which edition, under which licence.
fn source(source: &grid_data::Source) -> String {
    format!("{}; {}; {}", source.publisher, source.edition, source.licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(id: &str) -> Quote {
        let place = Place::resolve(id).unwrap_or_else(|error| unreachable!("{error}"));
        Quote::of(place, GivenBy::Flag).unwrap_or_else(|error| unreachable!("{error}"))
    }

    fn bounds(quote: &Quote) -> (f64, f64, f64) {
        let intensity = quote.intensity;
        (intensity.low.as_g_per_kwh(), intensity.value.as_g_per_kwh(), intensity.high.as_g_per_kwh())
    }

    #[test]
    fn france_is_a_low_carbon_grid_known_within_a_factor_of_two() {
        let (low, value, high) = bounds(&quote("FRA"));
        assert!((43.0..45.0).contains(&value));
        assert!((low - value / 2.0).abs() < 1e-9 && (high - value * 2.0).abs() < 1e-9);
        assert_eq!(quote("FRA").year, Some(2024));
    }

    #[test]
    fn one_grid_of_a_large_country_is_known_badly() {
        let (low, value, high) = bounds(&quote("USA"));
        assert!((low / value - 0.3).abs() < 1e-9 && (high / value - 2.0).abs() < 1e-9);
    }

    #[test]
    fn without_a_place_the_bounds_are_the_worlds_grids() {
        let (low, value, high) = bounds(&Quote::anywhere());
        // World 2024 by Our World in Data: 473 g/kWh; the cleanest grids are near 25, the dirtiest between 700 and 1000.
        assert!((470.0..476.0).contains(&value));
        assert!((20.0..60.0).contains(&low), "{low}");
        assert!((680.0..1000.0).contains(&high), "{high}");
    }
}
