//! The clock and the thread: reads every sensor once a period, when it is asked, and at both ends of the run.

mod clock;
mod notes;
mod thread;

pub use clock::{Clock, Hangup, SystemClock};
pub use notes::{Note, Notes};
pub use thread::{Books, Message, Observer, Sampler};
