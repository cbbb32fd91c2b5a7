//! The engine: sensors, sampler, books and record of one run. The command-line wrapper uses the same one.
//!
//! Nothing here ever fails the caller: what goes wrong becomes a note of the record.
//!
//! ```
//! use emissions_core::intensity::{Place, Quote};
//! use emissions_core::quantity::GivenBy;
//! use emissions_core::tracker::{Outcome, Tracker};
//!
//! let quote = Quote::of(Place::resolve("FRA")?, GivenBy::Caller)?;
//! let tracker = Tracker::builder().quote(quote).project("docs").start();
//! // … train …
//! let summary = tracker.finish(Outcome::default());
//! assert_eq!(summary.place.map(|place| place.id).as_deref(), Some("FRA"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod books;
mod builder;
mod engine;
mod host;
mod nvml;
mod recorder;

pub use builder::{Builder, Labels};
pub use engine::{Outcome, Tracker};
pub use nvml::survey;
