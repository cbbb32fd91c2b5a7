//! The wrapped command: it behaves as if it ran alone.
//!
//! It inherits terminal, streams, process group and signal mask; its signals reach it once; its exit status becomes ours;
//! the processor time of all that it starts is counted, however it starts them.

mod cpu_time;
mod process;
mod signals;
mod spawn;
mod supervise;

pub use cpu_time::{CpuTime, WarmUp};
pub use signals::Signals;
pub use spawn::spawn;
pub use supervise::{Ended, Events, supervise};
