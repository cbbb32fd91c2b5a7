//! The table this program writes.

use std::path::Path;

use csv::Writer;
use serde::Serialize;

use crate::codes::Code;
use crate::error::Error;

/// A row of `countries.csv`; the fields are its columns, in order.
#[derive(Debug, Serialize)]
pub struct Place {
    pub place_id: String,
    name: String,
    alpha2: String,
    kind: Kind,
    pub year: u16,
    pub g_per_kwh: f64,
    factors: &'static str,
    flow: &'static str,
    method: &'static str,
    source: &'static str,
    licence: &'static str,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Country,
    World,
}

/// What a row is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    Country(&'a Code),
    World,
}

impl Subject<'_> {
    pub fn place_id(&self) -> &str {
        match self {
            Self::Country(code) => &code.alpha3,
            Self::World => "WORLD",
        }
    }
}

impl Place {
    pub fn new(subject: Subject<'_>, year: u16, g_per_kwh: f64) -> Self {
        let (name, alpha2, kind) = match subject {
            Subject::Country(code) => (code.name.as_str(), code.alpha2.as_str(), Kind::Country),
            Subject::World => ("World", "", Kind::World),
        };
        Self {
            place_id: subject.place_id().to_owned(),
            name: name.to_owned(),
            alpha2: alpha2.to_owned(),
            kind,
            year,
            g_per_kwh,
            factors: "life-cycle",
            flow: "generation",
            method: "average",
            source: "owid",
            licence: "CC-BY-4.0",
        }
    }

    pub fn is_world(&self) -> bool {
        self.kind == Kind::World
    }
}

/// Writes the table with its header: UTF-8, LF.
pub fn write(path: &Path, places: &[Place]) -> Result<(), Error> {
    let fail = |error: csv::Error| Error::File { path: path.to_owned(), source: error.into() };
    let mut writer = Writer::from_path(path).map_err(fail)?;
    places.iter().try_for_each(|place| writer.serialize(place)).map_err(fail)?;
    writer.flush().map_err(|source| Error::File { path: path.to_owned(), source })
}
