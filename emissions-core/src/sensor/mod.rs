//! What can be read on this machine: one file a source, one trait, one probe each.
//!
//! A probe says what it found, or why there is nothing and what would mend it. Instruments come before models: where RAPL
//! cannot be read, the load model stands in, labelled as one.

mod cpu_load;
mod error;
mod host;
mod memory;
#[cfg(feature = "nvml")]
mod nvml;
mod probe;
mod rapl;
mod visible;

pub use cpu_load::CpuLoad;
pub use error::{ErrorKind, SensorError};
pub use host::Host;
pub use memory::MemoryModel;
#[cfg(feature = "nvml")]
pub use nvml::probe as probe_nvml;
pub use probe::{Absence, Sensor, Survey};
pub use rapl::Rapl;
pub use visible::{Selection, Visible};
