//! The ISO 3166-1 codes and English names, kept by hand in `codes.csv`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Problem};
use crate::input;

/// What a country is called.
#[derive(Debug, Deserialize)]
pub struct Code {
    pub alpha3: String,
    pub alpha2: String,
    pub name: String,
}

/// All countries by alpha-3 code.
pub struct Codes(BTreeMap<String, Code>);

impl Codes {
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::from_rows(path, input::read(path)?)
    }

    pub fn from_rows(path: &Path, rows: Vec<(u64, Code)>) -> Result<Self, Error> {
        let mut codes = BTreeMap::new();
        for (line, code) in rows {
            if let Some(twice) = codes.insert(code.alpha3.clone(), code) {
                let problem = Problem::Duplicate(twice.alpha3);
                return Err(Error::Row { path: path.to_owned(), line, problem });
            }
        }
        Ok(Self(codes))
    }

    pub fn get(&self, alpha3: &str) -> Option<&Code> {
        self.0.get(alpha3)
    }
}
