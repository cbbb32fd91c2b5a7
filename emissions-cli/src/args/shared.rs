use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    Always,
    Never,
}

/// What every command that answers something takes. Texts, not values: environment and files give the same ones.
#[derive(Args, Clone, Debug, Default)]
pub struct Shared {
    /// Where the electricity comes from: country code or name (`FRA`, `fr`, `France`), or `world`
    #[arg(
        long,
        alias = "country",
        value_name = "PLACE",
        help_heading = "Figures",
        allow_hyphen_values = true
    )]
    pub place: Option<String>,
    /// Carbon intensity to use instead of the place's: `56` (g/kWh), `0.954lb/kWh`
    #[arg(long, value_name = "G_PER_KWH", help_heading = "Figures", allow_hyphen_values = true)]
    pub intensity: Option<String>,
    /// The facility's power usage effectiveness, 1 or more
    #[arg(long, value_name = "X", help_heading = "Figures", allow_hyphen_values = true)]
    pub pue: Option<String>,
    /// Folder of the run records
    #[arg(long, value_name = "DIR", help_heading = "Files")]
    pub store: Option<PathBuf>,
    /// Configuration file to read before all others
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    pub config: Option<PathBuf>,
    /// Print one JSON document (under `run`: on stderr)
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Say nothing but errors
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Say more: every component with its readings and gaps
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub color: Option<Color>,
}
