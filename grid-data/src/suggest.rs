//! What someone may have meant.

use std::collections::BTreeMap;

use crate::country::{Country, spelling};
use crate::distance::distance;
use crate::tables::NAMES;

/// The countries whose name, alias or code is nearest to an unknown one, best first, for a message that says so.
/// Only reasonable neighbours: there may be none, and never more than `at_most`.
///
/// ```
/// let names = |query| -> Vec<_> { grid_data::nearest(query, 2).iter().map(|country| country.name).collect() };
/// assert_eq!(names("Frnace").first(), Some(&"France"));
/// assert_eq!(names("United Ki"), ["United Kingdom"]);
/// assert!(names("#!$%&/()").is_empty());
/// ```
pub fn nearest(query: &str, at_most: usize) -> Vec<&'static Country> {
    let query = spelling(query);
    let mut best: BTreeMap<&str, (Likeness, &Country)> = BTreeMap::new();
    for &(name, country) in &NAMES {
        let Some(likeness) = likeness(&query, name) else { continue };
        let entry = best.entry(country.name).or_insert((likeness, country));
        entry.0 = entry.0.min(likeness);
    }
    // What is much farther than the best was not meant.
    let limit = best.values().map(|(likeness, _)| likeness.edits + 1).min().unwrap_or_default();
    let mut found: Vec<_> = best.into_values().filter(|(likeness, _)| likeness.edits <= limit).collect();
    // Stable: equally near ones stay in the order of their names.
    found.sort_by_key(|(likeness, _)| *likeness);
    found.into_iter().take(at_most).map(|(_, country)| country).collect()
}

/// How near a name is; the smaller, the nearer, the first field first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    edits: usize,
    /// A name half typed is likelier than a slip.
    is_slip: bool,
    /// Slips on the first letter are rare.
    other_initial: bool,
    /// Of two names half typed, the shorter: `Korea` before `Korea, Democratic People's Republic of`.
    difference_in_length: usize,
}

fn likeness(query: &str, name: &str) -> Option<Likeness> {
    let letters = query.chars().count();
    let letters_of_name = name.chars().count();
    let difference_in_length = letters.abs_diff(letters_of_name);

    // A slip in a code makes another code.
    let is_code = letters_of_name <= 3;
    let half_typed = letters >= 2 && name.starts_with(query);
    // `Germany, Berlin`, `america/new_york`: but not `Nigerria` for Niger.
    let rest = query.strip_prefix(name).and_then(|rest| rest.chars().next());
    let more_typed = !is_code && rest.is_some_and(|next| !next.is_alphanumeric());
    if half_typed || more_typed {
        return Some(Likeness { edits: 1, is_slip: false, other_initial: false, difference_in_length });
    }
    // Half of the letters. A length far off is not worth measuring.
    let tolerated = letters / 2;
    if is_code || difference_in_length > tolerated {
        return None;
    }
    let edits = distance(query, name);
    let other_initial = query.chars().next() != name.chars().next();
    (edits <= tolerated).then_some(Likeness { edits, is_slip: true, other_initial, difference_in_length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(query: &str) -> Vec<&'static str> {
        nearest(query, 3).into_iter().map(|country| country.name).collect()
    }

    #[test]
    fn slips_find_the_country_meant() {
        let pairs = [
            ("Frnace", "France"),
            ("Germny", "Germany"),
            ("gemrany", "Germany"),
            ("  SWEEDEN", "Sweden"),
            ("Untied States", "United States"),
            ("Nowray", "Norway"),
            ("Swizerland", "Switzerland"),
            ("Chna", "China"),
            ("Netherland", "Netherlands"),
            ("Phillipines", "Philippines"),
            ("Germany, Berlin", "Germany"),
            ("Nigerria", "Nigeria"),
            ("Ger", "Germany"),
            ("Kore", "South Korea"),
            ("united", "United States"),
        ];
        for (query, name) in pairs {
            assert_eq!(names(query).first(), Some(&name), "{query}: {:?}", names(query));
        }
    }

    #[test]
    fn atlantis_is_near_something() {
        assert!(!names("atlantis").is_empty());
    }

    #[test]
    fn noise_is_near_nothing() {
        for query in ["", " ", "z", "zz", "zzz", "#!$%&/()", "qqqqqqqqqqqqqqqq", &"x".repeat(1_000_000)] {
            assert_eq!(names(query), [""; 0]);
        }
    }

    #[test]
    fn never_more_than_asked_for_and_no_country_twice() {
        assert!(nearest("France", 0).is_empty());
        assert_eq!(nearest("Frnace", 1).len(), 1);
        let mut found = nearest("united", 10);
        let count = found.len();
        found.sort_by_key(|country| country.alpha3);
        found.dedup();
        assert_eq!(found.len(), count);
        assert!(count >= 4);
    }
}
