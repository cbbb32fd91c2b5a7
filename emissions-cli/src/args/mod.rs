//! The command line as it is typed.

mod cli;
mod run;
mod shared;

pub use cli::{Cli, Command, DoctorArgs, MonitorArgs, RunsCommand};
pub use run::{Measuring, RunArgs};
pub use shared::{Color, Shared};
