//! Carbon intensities and what they count.

use crate::source::Source;
use crate::tables::{INTENSITIES, WORLD};

/// Which emissions of a power plant a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Factors {
    /// The whole life: building the plant, bringing the fuel, burning it, taking the plant down. No source is zero.
    LifeCycle,
    /// Only what the plant itself emits while it runs. Wind, sun, water and nuclear power count as zero.
    Direct,
}

impl Factors {
    /// `life-cycle` or `direct`, as in tables and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LifeCycle => "life-cycle",
            Self::Direct => "direct",
        }
    }
}

/// Whose electricity a value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Generated in the place, wherever it is used.
    Generation,
    /// Used in the place: imports counted as where they come from, exports left out.
    Consumption,
}

impl Flow {
    /// `generation` or `consumption`, as in tables and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generation => "generation",
            Self::Consumption => "consumption",
        }
    }
}

/// The average carbon intensity of a place's electricity over a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntensityRow {
    /// The alpha-3 code of a country, or `WORLD`.
    pub place_id: &'static str,
    /// The year the value is of: the newest that the source has a plausible value for.
    pub year: u16,
    /// Grams of CO2-equivalent per kilowatt-hour, always above zero.
    pub g_per_kwh: f64,
    /// Which emissions are counted.
    pub factors: Factors,
    /// Whose electricity it is.
    pub flow: Flow,
    /// Where the value comes from.
    pub source: &'static Source,
}

/// The intensity of a country by its [alpha-3 code](crate::Country::alpha3) in capitals. `None` where the source has
/// no plausible value: Antarctica, Monaco and some thirty others.
///
/// ```
/// let norway = grid_data::intensity("NOR").ok_or("no value")?;
/// assert_eq!((norway.g_per_kwh, norway.year, norway.source.id), (30.746, 2024, "owid"));
/// assert_eq!(grid_data::intensity("ATA"), None);
/// # Ok::<(), &str>(())
/// ```
pub fn intensity(alpha3: &str) -> Option<&'static IntensityRow> {
    let index = INTENSITIES.binary_search_by(|row| row.place_id.cmp(alpha3)).ok()?;
    INTENSITIES.get(index)
}

/// The intensity of all the world's electricity together, weighted by what each country generates: what to assume of
/// an unknown place.
///
/// ```
/// assert_eq!(grid_data::world().g_per_kwh, 473.007);
/// ```
pub fn world() -> &'static IntensityRow {
    &WORLD
}

/// The intensities of all countries that have one, sorted by alpha-3 code, without the world's.
///
/// ```
/// let cleanest = grid_data::rows().iter().map(|row| row.g_per_kwh).fold(f64::INFINITY, f64::min);
/// assert!(cleanest < 30.0);
/// ```
pub fn rows() -> &'static [IntensityRow] {
    &INTENSITIES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::country::{countries, country};

    /// Taken from the source file itself, not from the table made of it.
    #[test]
    fn values_are_those_of_the_source() {
        let golden = [
            ("FRA", 2024, 44.179),
            ("NOR", 2024, 30.746),
            ("SWE", 2024, 35.824),
            ("IND", 2024, 708.322),
            ("GIB", 2023, 590.909),
            // 2013 to 2022 are zero in the source: the newest year that can be true is long ago.
            ("CAF", 2012, 111.111),
            // Eleven early years are zero, the newer ones plausible.
            ("BDI", 2023, 230.769),
            ("TKM", 2023, 1306.304),
        ];
        for (alpha3, year, g_per_kwh) in golden {
            assert_eq!(
                intensity(alpha3).map(|row| (row.year, row.g_per_kwh)),
                Some((year, g_per_kwh)),
                "{alpha3}"
            );
        }
        assert_eq!((world().place_id, world().year, world().g_per_kwh), ("WORLD", 2024, 473.007));
    }

    #[test]
    fn all_values_are_above_zero_and_below_the_dirtiest_fuel() {
        for row in rows().iter().chain([world()]) {
            assert!(row.g_per_kwh > 0.0 && row.g_per_kwh < 1500.0, "{row:?}");
            assert!((2000..=2024).contains(&row.year), "{row:?}");
        }
    }

    #[test]
    fn rows_are_sorted_unique_and_of_known_countries() {
        assert_eq!(rows().len(), 213);
        assert!(rows().is_sorted_by(|a, b| a.place_id < b.place_id));
        for row in rows() {
            assert_eq!(country(row.place_id).map(|found| found.alpha3), Some(row.place_id));
            assert_eq!(intensity(row.place_id), Some(row));
        }
    }

    #[test]
    fn a_country_without_a_value_is_still_a_country() {
        assert_eq!(country("Monaco").map(|found| intensity(found.alpha3)), Some(None));
        assert_eq!(countries().iter().filter(|known| intensity(known.alpha3).is_none()).count(), 249 - 213);
        assert_eq!(intensity("WORLD"), None);
    }

    #[test]
    fn every_row_is_life_cycle_and_of_generation() {
        for row in rows().iter().chain([world()]) {
            assert_eq!((row.factors, row.flow), (Factors::LifeCycle, Flow::Generation));
        }
        assert_eq!(Factors::Direct.as_str(), "direct");
        assert_eq!(Flow::Consumption.as_str(), "consumption");
    }
}
