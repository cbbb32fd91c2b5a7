//! How much CO2 a kilowatt-hour of electricity costs, country by country: an embedded, typed table.
//!
//! Every value is in **grams of CO2-equivalent per kilowatt-hour** and says of which year it is, whether it counts
//! the whole life of the power plants or only what leaves their chimneys ([`Factors`]), whether it is of the
//! electricity generated in the country or of that consumed there ([`Flow`]), and where it comes from ([`Source`]).
//! All are averages over the year and the country, as an account of a finished run needs; none is marginal.
//!
//! The table is compiled in: no file is read, nothing is parsed, nothing can fail at run time.
//!
//! ```
//! let france = grid_data::country("France").ok_or("no such place")?; // or `fr`, `FRA`, `French Republic`
//! let row = grid_data::intensity(france.alpha3).ok_or("no value")?;
//! assert_eq!((row.g_per_kwh, row.year), (44.179, 2024));
//! assert_eq!((row.factors.as_str(), row.flow.as_str()), ("life-cycle", "generation"));
//!
//! // 120 kWh there, and on the average grid of the world:
//! assert_eq!((120.0 * row.g_per_kwh).round(), 5301.0);
//! assert_eq!((120.0 * grid_data::world().g_per_kwh).round(), 56761.0);
//! # Ok::<(), &str>(())
//! ```
//!
//! # Source and licence
//!
//! The intensities are those of Our World in Data, with data from Ember and the Energy Institute, under
//! [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/): who publishes them names their [`Source`]. The time
//! zones are those of the IANA database, in the public domain. `data/SOURCES.md` has the editions and what was
//! changed; `grid-data-builder` makes the tables.
//!
//! # Limits
//!
//! National values leave out trade between countries, losses of the grid, and everything that varies within a
//! country or a day. Two good sources for one country and year differ by about a tenth as a rule and by a third now
//! and then; below 60 g/kWh, by a factor of two. Small systems are rounded hard: 500 or 1000 g/kWh there is one digit.

mod country;
mod distance;
mod intensity;
mod source;
mod suggest;
mod tables;
mod timezone;

pub use country::{Country, countries, country};
pub use intensity::{Factors, Flow, IntensityRow, intensity, rows, world};
pub use source::{EDITION, Source};
pub use suggest::nearest;
pub use timezone::time_zone_country;
