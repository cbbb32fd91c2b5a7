//! What each command does.

mod config;
mod doctor;
mod environment;
mod measure;
mod monitor;
mod outputs;
mod run;
mod runs;

pub use doctor::doctor;
pub use monitor::monitor;
pub use run::run;
pub use runs::{list, show};
