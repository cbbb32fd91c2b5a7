//! Countries and what they are called.

use crate::tables::{COUNTRIES, NAMES};

/// A country or territory with a code in ISO 3166-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Country {
    /// ISO 3166-1 alpha-3 code, in capitals: `FRA`. The key of the tables.
    pub alpha3: &'static str,
    /// ISO 3166-1 alpha-2 code, in capitals: `FR`.
    pub alpha2: &'static str,
    /// The usual English name: `France`.
    pub name: &'static str,
    /// Other names that [`country`] understands: former, formal, native and short ones.
    pub aliases: &'static [&'static str],
}

/// All countries of ISO 3166-1, sorted by alpha-3 code, those without an intensity too.
///
/// ```
/// assert_eq!(grid_data::countries().len(), 249);
/// ```
pub fn countries() -> &'static [Country] {
    &COUNTRIES
}

/// The country of an alpha-3 code, an alpha-2 code, an English name or an alias, in capitals or not. Blanks around
/// the query do not count.
///
/// ```
/// let alpha3 = |query| grid_data::country(query).map(|country| country.alpha3);
/// assert_eq!(alpha3("UK"), Some("GBR"));
/// assert_eq!(alpha3(" south korea "), Some("KOR"));
/// assert_eq!(alpha3("Frnace"), None);
/// ```
pub fn country(query: &str) -> Option<&'static Country> {
    let query = spelling(query);
    let index = NAMES.binary_search_by(|(name, _)| (*name).cmp(&query)).ok()?;
    NAMES.get(index).map(|(_, country)| *country)
}

/// A query in the form in which names are looked up.
pub(crate) fn spelling(query: &str) -> String {
    query.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_in_any_case_are_one_country() {
        let queries =
            ["FRA", "fra", "FR", "fr", "France", "FRANCE", "france", "\tFrance \n", "French Republic"];
        for query in queries {
            assert_eq!(country(query).map(|found| found.alpha3), Some("FRA"), "{query:?}");
        }
    }

    #[test]
    fn names_in_daily_use_are_understood() {
        let pairs = [
            ("US", "USA"),
            ("America", "USA"),
            ("United States of America", "USA"),
            ("UK", "GBR"),
            ("Britain", "GBR"),
            ("Korea", "KOR"),
            ("Czech Republic", "CZE"),
            ("Türkiye", "TUR"),
            ("TÜRKIYE", "TUR"),
            ("Turkey", "TUR"),
            ("Ivory Coast", "CIV"),
            ("Cote d'Ivoire", "CIV"),
            ("DRC", "COD"),
            ("Congo", "COG"),
            ("Laos", "LAO"),
            ("Viet Nam", "VNM"),
            ("Holland", "NLD"),
            ("UAE", "ARE"),
            ("Russian Federation", "RUS"),
        ];
        for (query, alpha3) in pairs {
            assert_eq!(country(query).map(|found| found.alpha3), Some(alpha3), "{query}");
        }
    }

    #[test]
    fn unknown_is_none() {
        for query in ["ZZ", "", " ", "WORLD", "Frnace", "Fran"] {
            assert_eq!(country(query), None, "{query:?}");
        }
    }

    #[test]
    fn every_spelling_finds_its_own_country() {
        for known in countries() {
            let names =
                [known.alpha3, known.alpha2, known.name].into_iter().chain(known.aliases.iter().copied());
            for name in names {
                assert_eq!(country(name), Some(known), "{name}");
                assert_eq!(country(&name.to_uppercase()), Some(known), "{name}");
            }
        }
    }

    #[test]
    fn codes_are_sorted_unique_and_well_formed() {
        assert!(countries().is_sorted_by(|a, b| a.alpha3 < b.alpha3));
        let is_code =
            |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_uppercase());
        for Country { alpha3, alpha2, name, aliases } in countries() {
            assert!(is_code(alpha3, 3) && is_code(alpha2, 2), "{alpha3} {alpha2}");
            assert!(
                aliases.iter().chain([name]).all(|name| !name.is_empty() && *name == name.trim()),
                "{alpha3}"
            );
        }
    }
}
