//! What each command does.

mod config;
mod doctor;
mod measure;
mod monitor;
mod run;
mod runs;

pub use doctor::doctor;
pub use monitor::monitor;
pub use run::run;
pub use runs::{list, show};
