use super::Basis;
use serde::{Deserialize, Serialize};

/// By what a figure of energy was obtained. The words are those of the record.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// NVML's counter of total energy (Volta and newer).
    NvmlEnergyCounter,
    /// NVML's power, integrated over time.
    NvmlPower,
    /// RAPL counters through powercap.
    Rapl,
    /// Package power from the load of the processors.
    CpuLoadModel,
    /// Memory power from its size.
    MemoryModel,
    /// What the components do not hold, from their sum and the time.
    NodeModel,
}

impl Method {
    /// The word of the record, `nvml-energy-counter`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NvmlEnergyCounter => "nvml-energy-counter",
            Self::NvmlPower => "nvml-power",
            Self::Rapl => "rapl",
            Self::CpuLoadModel => "cpu-load-model",
            Self::MemoryModel => "memory-model",
            Self::NodeModel => "node-model",
        }
    }

    /// What a person calls it: `NVML counter`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NvmlEnergyCounter => "NVML counter",
            Self::NvmlPower => "NVML power",
            Self::Rapl => "RAPL",
            Self::CpuLoadModel => "CPU load model",
            Self::MemoryModel => "memory model",
            Self::NodeModel => "node model",
        }
    }

    /// Whether an instrument stands behind it.
    #[must_use]
    pub const fn basis(self) -> Basis {
        match self {
            Self::NvmlEnergyCounter | Self::NvmlPower | Self::Rapl => Basis::Measured,
            Self::CpuLoadModel | Self::MemoryModel | Self::NodeModel => Basis::Modelled,
        }
    }
}
