//! Where values come from.

/// The edition of the whole table, to be kept with every figure made from it: source and newest year.
///
/// ```
/// assert_eq!(grid_data::EDITION, "owid-2024");
/// ```
pub const EDITION: &str = "owid-2024";

/// A publication that values were taken from, with what its licence asks to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Short and stable, as in the column `source` of the tables: `owid`.
    pub id: &'static str,
    /// Title of the publication.
    pub title: &'static str,
    /// Who publishes it, and with whose data.
    pub publisher: &'static str,
    /// Which edition of it the values are from.
    pub edition: &'static str,
    /// SPDX identifier of the licence of the values.
    pub licence: &'static str,
}

pub(crate) static OWID: Source = Source {
    id: "owid",
    title: "Energy dataset: carbon intensity of electricity",
    publisher: "Our World in Data, with data from Ember and the Energy Institute",
    edition: "newest year 2024, snapshot 2026-02-26 (Ember yearly electricity data 2025, Energy Institute 2024)",
    licence: "CC-BY-4.0",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intensity::{rows, world};

    #[test]
    fn edition_is_the_newest_year() {
        let newest = rows().iter().map(|row| row.year).max();
        assert_eq!(newest, Some(world().year));
        assert_eq!(EDITION, format!("owid-{}", world().year));
    }

    #[test]
    fn licence_is_the_one_of_every_row() -> Result<(), csv::Error> {
        let mut table = csv::Reader::from_reader(include_str!("../data/countries.csv").as_bytes());
        for record in table.records() {
            assert_eq!(record?.iter().next_back(), Some(OWID.licence));
        }
        Ok(())
    }
}
