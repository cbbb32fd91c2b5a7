use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of thing draws the power.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A graphics or accelerator board.
    Gpu,
    /// A processor package or die, without its memory.
    Cpu,
    /// Main memory.
    Memory,
    /// What no component sensor sees: mainboard, fans, disks, regulators, power supplies.
    Platform,
    /// A meter of the whole machine.
    Node,
}

impl Kind {
    /// The word of the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Platform => "platform",
            Self::Node => "node",
        }
    }
}

/// One power domain of this machine, `gpu:0`: nothing is ever counted in two of them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Domain {
    /// What it is.
    pub kind: Kind,
    /// Which of its kind: the index of NVML for GPUs, counted from 0 for the others.
    pub index: u32,
}

impl Domain {
    /// The `index`-th of `kind`.
    #[must_use]
    pub const fn new(kind: Kind, index: u32) -> Self {
        Self { kind, index }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.index)
    }
}
