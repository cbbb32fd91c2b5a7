//! The words and numbers on the screen, and the files beside the record.

mod csv_row;
mod destination;
mod numbers;
mod screen;
mod secrets;
mod summary_text;

pub use csv_row::CsvFile;
pub use destination::{Opened, SummaryFile, file_among_parents, open_destination};
pub use numbers::{energy_unit, grams, significant, span};
pub use screen::{Screen, print, say};
pub use secrets::mask;
pub use summary_text::{Telling, summary_text};
