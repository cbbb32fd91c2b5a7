//! Our World in Data: per place, the newest year whose value can be true.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use crate::codes::Codes;
use crate::error::{Error, Problem};
use crate::input;
use crate::output::{Place, Subject};

/// Above this, coal with poor plants alone does not explain a value: it is kept, and said.
const SUSPICIOUS_G_PER_KWH: f64 = 1000.0;
/// A value this many years behind the newest of the table is kept, and said.
const OLD_YEARS: u16 = 5;

/// A row of the source. The aggregates of regions have no code.
#[derive(Debug, Deserialize)]
pub struct Row {
    iso_code: String,
    country: String,
    year: u16,
    carbon_intensity_elec: Option<f64>,
}

/// What goes into the table, and what whoever builds it should know.
#[derive(Debug)]
pub struct Selection {
    /// Sorted by `place_id`.
    pub places: Vec<Place>,
    pub remarks: Vec<Remark>,
}

/// Something odd in the source.
#[derive(Debug, PartialEq)]
pub enum Remark {
    /// Values that cannot be true, and were left out: empty, zero or below.
    Rejected { place: String, years: Vec<u16> },
    /// A value that may be true.
    Suspicious { place: String, year: u16, g_per_kwh: f64 },
    /// The newest plausible value is old.
    Old { place: String, year: u16 },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected { place, years } => write!(f, "rejected {place}: zero or empty in {years:?}"),
            Self::Suspicious { place, year, g_per_kwh } => {
                write!(f, "flagged  {place}: {g_per_kwh} g/kWh in {year} is above {SUSPICIOUS_G_PER_KWH}")
            }
            Self::Old { place, year } => write!(f, "flagged  {place}: nothing newer than {year}"),
        }
    }
}

/// Reads the source and chooses.
pub fn select(path: &Path, codes: &Codes) -> Result<Selection, Error> {
    choose(path, input::read(path)?, codes)
}

fn choose(path: &Path, rows: Vec<(u64, Row)>, codes: &Codes) -> Result<Selection, Error> {
    let mut places = Vec::new();
    let mut remarks = Vec::new();
    for (place_id, Series { subject, years }) in series(path, rows, codes)? {
        let (plausible, rejected): (Vec<_>, Vec<_>) =
            years.into_iter().partition(|(_, value)| value.is_some_and(|value| value > 0.0));
        if !rejected.is_empty() {
            let years = rejected.into_iter().map(|(year, _)| year).collect();
            remarks.push(Remark::Rejected { place: place_id, years });
        }
        if let Some(&(year, Some(g_per_kwh))) = plausible.last() {
            places.push(Place::new(subject, year, g_per_kwh));
        }
    }
    if !places.iter().any(Place::is_world) {
        return Err(Error::NoWorld { path: path.to_owned() });
    }
    remarks.extend(flags(&places));
    Ok(Selection { places, remarks })
}

/// All years of one place, oldest first.
struct Series<'a> {
    subject: Subject<'a>,
    years: BTreeMap<u16, Option<f64>>,
}

/// The rows by `place_id`.
fn series<'a>(
    path: &Path,
    rows: Vec<(u64, Row)>,
    codes: &'a Codes,
) -> Result<BTreeMap<String, Series<'a>>, Error> {
    let mut all: BTreeMap<String, Series<'a>> = BTreeMap::new();
    for (line, Row { iso_code, country, year, carbon_intensity_elec }) in rows {
        let fail = |problem| Error::Row { path: path.to_owned(), line, problem };
        let subject = match (iso_code.as_str(), country.as_str()) {
            ("", "World") => Subject::World,
            // Continents, clubs and income groups; Kosovo, which has no code.
            ("", _) => continue,
            (alpha3, _) => match codes.get(alpha3) {
                Some(code) => Subject::Country(code),
                None => return Err(fail(Problem::UnknownCode { alpha3: iso_code, name: country })),
            },
        };
        let new = || Series { subject, years: BTreeMap::new() };
        match all.entry(subject.place_id().to_owned()).or_insert_with(new).years.entry(year) {
            Entry::Vacant(vacant) => vacant.insert(carbon_intensity_elec),
            Entry::Occupied(_) => return Err(fail(Problem::Duplicate(format!("{country} {year}")))),
        };
    }
    Ok(all)
}

fn flags(places: &[Place]) -> Vec<Remark> {
    let newest = places.iter().map(|place| place.year).max().unwrap_or_default();
    let mut flags = Vec::new();
    for Place { place_id, year, g_per_kwh, .. } in places {
        let (place, year, g_per_kwh) = (place_id.clone(), *year, *g_per_kwh);
        if newest - year > OLD_YEARS {
            flags.push(Remark::Old { place: place.clone(), year });
        }
        if g_per_kwh > SUSPICIOUS_G_PER_KWH {
            flags.push(Remark::Suspicious { place, year, g_per_kwh });
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "iso_code,country,year,carbon_intensity_elec,renewables_share_elec,hydro_share_elec\n";
    const WORLD: &str = ",World,2024,473.007,31.9,14.2\n";

    fn selected(rows: &str) -> Result<Selection, Error> {
        let codes = input::parse(
            Path::new("codes.csv"),
            "alpha3,alpha2,name,aliases\nBDI,BI,Burundi,\nFRA,FR,France,French Republic\n".as_bytes(),
        )?;
        let codes = Codes::from_rows(Path::new("codes.csv"), codes)?;
        let path = Path::new("owid.csv");
        choose(path, input::parse(path, format!("{HEADER}{rows}").as_bytes())?, &codes)
    }

    fn failure(rows: &str) -> String {
        selected(rows).map_or_else(|error| error.to_string(), |selection| format!("{selection:?}"))
    }

    #[test]
    fn newest_year_is_taken_in_whatever_order_the_rows_stand() -> Result<(), Error> {
        let rows = format!("FRA,France,2024,44.179,27,12\nFRA,France,2023,55.1,26,11\n{WORLD}");
        let selection = selected(&rows)?;
        let found: Vec<_> =
            selection.places.iter().map(|p| (p.place_id.as_str(), p.year, p.g_per_kwh)).collect();
        assert_eq!(found, [("FRA", 2024, 44.179), ("WORLD", 2024, 473.007)]);
        assert_eq!(selection.remarks, []);
        Ok(())
    }

    #[test]
    fn zero_and_empty_are_no_values() -> Result<(), Error> {
        let rows = format!("BDI,Burundi,2022,230.769,,\nBDI,Burundi,2023,0,,\nBDI,Burundi,2024,,,\n{WORLD}");
        let selection = selected(&rows)?;
        assert_eq!(
            selection.places.first().map(|place| (place.year, place.g_per_kwh)),
            Some((2022, 230.769))
        );
        assert_eq!(selection.remarks, [Remark::Rejected { place: "BDI".into(), years: vec![2023, 2024] }]);
        Ok(())
    }

    #[test]
    fn high_and_old_values_stay_and_are_flagged() -> Result<(), Error> {
        let selection = selected(&format!("BDI,Burundi,2012,1306.3,,\n{WORLD}"))?;
        let place = || "BDI".to_owned();
        assert_eq!(selection.places.len(), 2);
        assert_eq!(
            selection.remarks,
            [
                Remark::Old { place: place(), year: 2012 },
                Remark::Suspicious { place: place(), year: 2012, g_per_kwh: 1306.3 }
            ]
        );
        Ok(())
    }

    #[test]
    fn aggregates_other_than_the_world_are_left_out() -> Result<(), Error> {
        assert_eq!(selected(&format!(",Africa,2024,500,,\n,Kosovo,2024,900,,\n{WORLD}"))?.places.len(), 1);
        Ok(())
    }

    #[test]
    fn errors_name_file_and_line() {
        assert_eq!(
            failure(&format!("{WORLD}XYZ,Nowhere,2024,1,,\n")),
            "owid.csv:3: codes.csv has no row for XYZ (Nowhere): add one"
        );
        assert_eq!(failure(&format!("{WORLD}{WORLD}")), "owid.csv:3: a second row for World 2024");
        assert!(failure(&format!("{WORLD}FRA,France,soon,1,,\n")).starts_with("owid.csv:3: "));
        assert_eq!(failure("FRA,France,2024,44,,\n"), "owid.csv: no plausible value for World");
    }
}
