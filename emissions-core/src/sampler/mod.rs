//! The clock and the thread: reads every sensor once a period, when it is asked, and at both ends of the run.

mod books;
mod clock;
mod notes;
#[cfg(test)]
mod tests;
mod thread;

pub use books::Books;
pub use clock::{Clock, Hangup, SystemClock};
pub use notes::{Note, Notes};
pub use thread::{Message, Observer, Sampler};
