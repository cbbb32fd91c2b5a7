use super::run::{Measuring, RunArgs};
use super::shared::Shared;
use crate::settings;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a training run cost the climate, and how sure that figure is.
#[derive(Debug, Parser)]
#[command(name = "emissions", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command and track it
    Run(RunArgs),
    /// Track the machine until interrupted
    Monitor(MonitorArgs),
    /// Show what can be measured here, what cannot, why, and what would mend it
    Doctor(DoctorArgs),
    /// Show stored runs
    #[command(subcommand)]
    Runs(RunsCommand),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

#[derive(Args, Debug)]
pub struct MonitorArgs {
    /// Stop by itself after this time
    #[arg(long, value_name = "TIME", value_parser = settings::duration, help_heading = "Measuring")]
    pub duration: Option<Duration>,
    #[command(flatten)]
    pub measuring: Measuring,
}

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// GPUs to look for [default: CUDA_VISIBLE_DEVICES, else all]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub gpus: Option<String>,
    /// Where sensors look instead of `/`
    #[arg(long, value_name = "DIR", hide = true)]
    pub host_root: Option<PathBuf>,
    #[command(flatten)]
    pub shared: Shared,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List stored runs, oldest first
    List {
        #[command(flatten)]
        shared: Shared,
    },
    /// Show one run
    Show {
        /// A run's id, the beginning of one, or `latest`
        #[arg(default_value = "latest", value_name = "RUN")]
        run: String,
        #[command(flatten)]
        shared: Shared,
    },
}
