//! Measures what a machine-learning run costs in electricity and CO2-equivalent, and says how sure it is.
//!
//! ```text
//!  sensor ─► sampler ─► energy ─► footprint ─► record
//!  NVML       one       joules     × PUE         one file a run,
//!  RAPL       thread    per        × intensity   written as it grows
//!  models               domain
//! ```
//!
//! Every arrow is a module and bears the arrow's word; [`tracker`] ties them together. No figure comes without its
//! [`quantity::Method`] and its bounds ([`quantity::Estimate`]); unknown is `None` or a note, never 0.
//!
//! The library prints nothing, reads no environment variable and opens no socket.

pub mod energy;
pub mod footprint;
pub mod intensity;
pub mod quantity;
pub mod record;
#[cfg(feature = "sensors")]
pub mod sampler;
#[cfg(feature = "sensors")]
pub mod sensor;
#[cfg(feature = "sensors")]
pub mod tracker;
