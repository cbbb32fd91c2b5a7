use super::Shared;
use crate::settings;
use clap::Args;
use emissions_core::quantity::Boundary;
use emissions_core::record::Role;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What `run` and `monitor` have in common.
#[derive(Args, Clone, Debug)]
pub struct Measuring {
    /// What the run belongs to
    #[arg(short, long, value_name = "NAME", help_heading = "Labels")]
    pub project: Option<String>,
    /// The model this run belongs to: many runs make one training
    #[arg(long, value_name = "NAME", help_heading = "Labels")]
    pub training: Option<String>,
    /// What the run is for
    #[arg(long, value_name = "ROLE", value_parser = settings::checked::<Role>, help_heading = "Labels")]
    pub role: Option<String>,
    /// What to call the run
    #[arg(long, value_name = "NAME", help_heading = "Labels")]
    pub name: Option<String>,
    /// A label of your own; can be repeated
    #[arg(long = "tag", value_name = "K=V", value_parser = settings::tag, help_heading = "Labels")]
    pub tags: Vec<(String, String)>,
    /// Ranks and nodes of one job share a group [default: the Slurm job id]
    #[arg(long, value_name = "ID", help_heading = "Labels")]
    pub group: Option<String>,
    /// Whose share of the machine is counted
    #[arg(long, value_name = "HOW", value_parser = ["auto", "machine"], help_heading = "Figures")]
    pub attribution: Option<String>,
    /// The whole node, or the chips alone
    #[arg(long, value_name = "WHAT", value_parser = settings::checked::<Boundary>, help_heading = "Figures")]
    pub boundary: Option<String>,
    /// How often sensors are read [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = settings::duration, help_heading = "Measuring")]
    pub sample_every: Option<Duration>,
    /// How often the record on disk is brought up to date [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = settings::duration, help_heading = "Measuring")]
    pub record_every: Option<Duration>,
    /// GPUs of the run, by index or UUID [default: CUDA_VISIBLE_DEVICES, else all]
    #[arg(long, value_name = "LIST", help_heading = "Measuring", allow_hyphen_values = true)]
    pub gpus: Option<String>,
    /// Append a row in CodeCarbon's columns
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub csv: Option<PathBuf>,
    /// Write the summary as JSON
    #[arg(long, value_name = "FILE.json", help_heading = "Files")]
    pub summary: Option<PathBuf>,
    /// Print the summary as one JSON line on stderr, for log collectors
    #[arg(long, help_heading = "Output")]
    pub log_summary: bool,
    /// Where sensors look instead of `/`
    #[arg(long, value_name = "DIR", hide = true)]
    pub host_root: Option<PathBuf>,
    #[command(flatten)]
    pub shared: Shared,
}

/// Run a command and track it.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    #[command(flatten)]
    pub measuring: Measuring,
    /// Leave the command line out of the record
    #[arg(long, help_heading = "Labels")]
    pub no_command: bool,
    /// Keep signals from the command, for launchers that signal every process themselves
    #[arg(long, help_heading = "Measuring")]
    pub no_forward: bool,
    /// Wait for what the command leaves running in the background
    #[arg(long, help_heading = "Measuring")]
    pub wait_all: bool,
    /// The command; everything from here on is its own
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
