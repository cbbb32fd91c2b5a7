//! From the time zone of a machine to a country: a hint for who has not said where the machine stands.

use crate::country::Country;
use crate::tables::ZONES;

/// The country of a time zone of the IANA database, spelt as there, by its present or a former name. `None` for
/// zones of no country (`UTC`, `CET`, `Etc/GMT+5`).
///
/// A zone that several countries share is given to the one it is named after.
///
/// ```
/// let name = |zone| grid_data::time_zone_country(zone).map(|country| country.name);
/// assert_eq!(name("Europe/Paris"), Some("France"));
/// assert_eq!(name("Asia/Calcutta"), Some("India"));
/// assert_eq!(name("UTC"), None);
/// ```
pub fn time_zone_country(zone: &str) -> Option<&'static Country> {
    let index = ZONES.binary_search_by(|(name, _)| (*name).cmp(zone)).ok()?;
    ZONES.get(index).map(|(_, country)| *country)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::country::country;

    #[test]
    fn zones_are_in_their_countries() {
        let pairs = [
            ("Europe/Paris", "FRA"),
            ("America/New_York", "USA"),
            ("Asia/Tokyo", "JPN"),
            ("Europe/London", "GBR"),
            ("Asia/Calcutta", "IND"),
            ("US/Pacific", "USA"),
            // Former names that the database links to a zone of another country.
            ("Iceland", "ISL"),
            ("Africa/Timbuktu", "MLI"),
            ("America/Virgin", "VIR"),
        ];
        for (zone, alpha3) in pairs {
            assert_eq!(time_zone_country(zone).map(|found| found.alpha3), Some(alpha3), "{zone}");
        }
    }

    #[test]
    fn zones_of_no_country_are_none() {
        for zone in ["UTC", "Etc/GMT+5", "CET", "EST5EDT", "Mars/Olympus_Mons", ""] {
            assert_eq!(time_zone_country(zone), None, "{zone:?}");
        }
    }

    #[test]
    fn every_zone_is_found_and_of_a_known_country() {
        assert!(ZONES.is_sorted_by(|(a, _), (b, _)| a < b));
        for (zone, known) in &ZONES {
            assert_eq!(time_zone_country(zone), Some(*known), "{zone}");
            assert_eq!(country(known.alpha3), Some(*known), "{zone}");
        }
    }
}
