//! From readings to joules: counters that wrap and restart, power integrated over time, and the books of every meter.
//!
//! A meter gives a cumulative counter, the power of the moment, or both ([`Reading`]). The [`Ledger`] keeps an account of
//! each: a counter is never integrated from power, power alone is integrated by the trapezoid rule on the real time
//! stamps, and a stretch of time that no reading covers is estimated, marked and counted as a gap.

mod account;
mod counter;
mod ledger;
mod meter;
mod timeline;

pub use account::{Account, CrossCheck, Incident, Rules, Total};
pub use counter::{Counter, Step};
pub use ledger::{Ledger, MeterId};
pub use meter::{Meter, Reading};
pub use timeline::{Shares, State, Timeline};
