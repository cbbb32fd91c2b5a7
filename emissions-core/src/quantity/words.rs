use serde::{Deserialize, Serialize};

/// Who chose a value.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GivenBy {
    /// The command line.
    Flag,
    /// An environment variable.
    Environment,
    /// A configuration file.
    Config,
    /// What the program knows of this machine.
    Machine,
    /// A rule of the program, for want of better.
    Assumed,
    /// Nobody: the default.
    Default,
    /// The caller of the library.
    Caller,
}

/// Which electricity a figure holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// All that the machine draws, the platform among it.
    #[default]
    Node,
    /// The chips alone, as tools that only read sensors give it.
    Components,
}

/// What kind of building a machine stands in, as far as it can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Site {
    /// A laptop or a desktop: no cooling plant, no second power supply.
    Home,
    /// Anything else: a server, a cloud, unknown.
    DataCentre,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Info,
    /// The figure is less certain than it would be.
    Warning,
}
