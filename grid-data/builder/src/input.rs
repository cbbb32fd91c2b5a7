//! Reading a CSV file into rows that know their line.

use std::fs;
use std::io;
use std::path::Path;

use csv::{Position, Reader};
use serde::de::DeserializeOwned;

use crate::error::{Error, Problem};

/// The rows of a file with a header, each with the line it stands on.
pub fn read<Row: DeserializeOwned>(path: &Path) -> Result<Vec<(u64, Row)>, Error> {
    let text = fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    parse(path, text.as_slice())
}

/// The same from any reader; `path` only names it in errors.
pub fn parse<Row: DeserializeOwned>(path: &Path, text: impl io::Read) -> Result<Vec<(u64, Row)>, Error> {
    let mut reader = Reader::from_reader(text);
    let headers = reader.headers().map_err(|error| malformed(path, error))?.clone();
    reader
        .into_records()
        .map(|record| {
            let record = record?;
            Ok((line(record.position()), record.deserialize(Some(&headers))?))
        })
        .collect::<Result<_, _>>()
        .map_err(|error| malformed(path, error))
}

fn malformed(path: &Path, error: csv::Error) -> Error {
    Error::Row { path: path.to_owned(), line: line(error.position()), problem: Problem::Malformed(error) }
}

fn line(position: Option<&Position>) -> u64 {
    position.map_or(1, Position::line)
}
