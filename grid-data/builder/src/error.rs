//! What can go wrong, always with the file, and with the line where there is one.

use std::io;
use std::path::PathBuf;

/// Why a table could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// A row is not what the table promises.
    #[error("{}:{line}: {problem}", path.display())]
    Row { path: PathBuf, line: u64, problem: Problem },
    /// The source has no usable value for the whole world, which the library always answers with.
    #[error("{}: no plausible value for World", path.display())]
    NoWorld { path: PathBuf },
}

/// What is wrong with a row.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Not the columns or types expected.
    #[error("{0}")]
    Malformed(csv::Error),
    /// An alpha-3 code that nobody has written a name and an alpha-2 code for.
    #[error("codes.csv has no row for {alpha3} ({name}): add one")]
    UnknownCode { alpha3: String, name: String },
    /// A code or a year that was there already.
    #[error("a second row for {0}")]
    Duplicate(String),
}
