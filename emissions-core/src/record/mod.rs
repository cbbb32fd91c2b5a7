//! The run record: one file a run, one JSON object a line, appended only. The stable contract of the program.
//!
//! Readers skip a torn last line and accept unknown fields and unknown kinds of line, so that a newer minor version is no
//! obstacle. Compiles without sensors.

mod id;
mod interval;
mod journal;
mod line;
mod reader;
mod stamp;
mod store;
mod summary;
#[cfg(test)]
mod tests;

pub use id::RunId;
pub use interval::{Basis, Interval, IntervalWithBasis};
pub use journal::{Journal, JournalError};
pub use line::{ComponentLine, Line, NoteLine, Sample};
pub use reader::{ReadError, is_held, read, read_start};
pub use store::{Entry, Store, StoreError};
pub use summary::{
    CarbonIntensityRecord, ComponentRecord, Coverage, Exit, GpuRecord, HostRecord, PlaceRecord, PueRecord,
    Role, SCHEMA, Status, Summary,
};
