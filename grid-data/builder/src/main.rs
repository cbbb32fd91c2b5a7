//! Makes the tables of `grid-data` from the outside sources: cleans, checks, writes.
//!
//! ```text
//! cargo run -p grid-data-builder -- ../shared/grid-sources ../shared/hardware-sources
//! ```
//!
//! The second folder may be left out: no table is made from it yet. The result is committed, so that building
//! `grid-data` needs neither this program nor the sources.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command that reports to whoever runs it")]

mod codes;
mod error;
mod input;
mod output;
mod owid;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::codes::Codes;
use crate::error::Error;

/// The tables that are committed: inputs kept by hand and what this program writes, side by side.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let ([grid_sources] | [grid_sources, _]) = folders.as_slice() else {
        eprintln!("usage: grid-data-builder GRID_SOURCES [HARDWARE_SOURCES]");
        return ExitCode::from(2);
    };
    match build(grid_sources) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grid-data-builder: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(grid_sources: &Path) -> Result<(), Error> {
    let data = Path::new(DATA);
    let codes = Codes::read(&data.join("codes.csv"))?;
    let selection = owid::select(&grid_sources.join("owid_carbon_intensity_2000_2024.csv"), &codes)?;
    output::write(&data.join("countries.csv"), &selection.places)?;

    println!("countries.csv: {} places", selection.places.len());
    for remark in &selection.remarks {
        println!("  {remark}");
    }
    Ok(())
}
