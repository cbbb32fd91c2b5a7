use super::interval::{Interval, IntervalWithBasis};
use crate::quantity::{Basis, Boundary, GivenBy, Kind, Method};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name and version of the format. Readers accept any minor addition under the same number.
pub const SCHEMA: &str = "emissions.run/1";

/// What a run was, used and emitted. Unknown values are `null`, never 0.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: String,
    /// The run's name.
    pub id: String,
    /// What the run belongs to.
    pub project: Option<String>,
    /// What the user calls it.
    pub name: Option<String>,
    /// Free labels.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Ranks and nodes of one job share a group.
    pub group: Option<String>,
    /// The rank within the group.
    pub rank: Option<u32>,
    /// The model this run helps to train.
    pub training: Option<String>,
    /// What the run is for.
    pub role: Role,
    /// Which attempt at the training, counted from 1.
    pub attempt: u32,
    /// The run whose work this one goes on from.
    pub resumed_from: Option<String>,
    /// The run inside which this one ran: it holds this one's energy too.
    pub parent: Option<String>,
    /// Running, completed or interrupted.
    pub status: Status,
    /// The command line, secrets masked. `null` when the user wants it left out.
    pub command: Option<Vec<String>>,
    /// How the command ended. `null` while it runs.
    pub exit: Option<Exit>,
    /// When the command started.
    #[serde(with = "super::stamp")]
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(with = "super::stamp::optional", default)]
    pub ended_at: Option<DateTime<Utc>>,
    /// From start to end, in seconds.
    pub duration_s: f64,
    /// How long the command was stopped or the machine slept, in seconds.
    pub stopped_s: f64,
    /// Energy that instruments saw meanwhile, in joules: outside every other figure.
    #[serde(default)]
    pub suspended_j: f64,
    /// Processor time of all that the command started, in seconds.
    pub cpu_time_s: Option<f64>,
    /// By what it was counted: `perf` or `rusage`.
    pub cpu_time_basis: Option<String>,
    /// The machine.
    pub host: HostRecord,
    /// How much of the job was seen.
    pub coverage: Coverage,
    /// Where the electricity comes from.
    pub place: Option<PlaceRecord>,
    /// What a kilowatt-hour of it emits.
    pub intensity: CarbonIntensityRecord,
    /// The facility's overhead.
    pub pue: PueRecord,
    /// Whose share of the machine is counted.
    pub attribution: String,
    /// The whole node or the chips alone.
    pub boundary: Boundary,
    /// Every domain; their sum is `energy_kwh`.
    pub components: Vec<ComponentRecord>,
    /// Electricity of the machine. `null` when nothing could even be modelled.
    pub energy_kwh: Option<IntervalWithBasis>,
    /// The share of `energy_kwh` that instruments read.
    pub measured_share: Option<f64>,
    /// `energy_kwh` × PUE.
    pub facility_energy_kwh: Option<Interval>,
    /// `facility_energy_kwh` × intensity.
    pub emissions_g: Option<Interval>,
    /// Manufacture: stands beside, never inside.
    pub embodied_g: Option<Interval>,
    /// Named parts of the run.
    #[serde(default)]
    pub regions: Vec<serde_json::Value>,
    /// What a reader must know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How often the journal is written, in seconds.
    #[serde(default)]
    pub record_every_s: Option<f64>,
    /// The version of the program that wrote it.
    pub version: String,
}

/// What a run is for. Only `final` runs make the figure of a training; the others stand beside it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It trains the model that is published.
    #[default]
    Final,
    /// Trying things out.
    Development,
    /// One of many settings.
    Sweep,
    /// Measuring a finished model.
    Evaluation,
    /// Preparing data.
    Data,
}

impl Role {
    /// The word of the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Development => "development",
            Self::Sweep => "sweep",
            Self::Evaluation => "evaluation",
            Self::Data => "data",
        }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its writer is alive.
    Running,
    /// The command ended, whatever its exit status.
    Completed,
    /// The writer is gone without a last line: totals up to the last line.
    Interrupted,
}

impl Status {
    /// The word of the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// How a command ended: one of the two is set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Exit {
    /// Its exit status.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// The machine a run was on.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct HostRecord {
    /// Its network name.
    pub name: Option<String>,
    /// This boot of the kernel: counters of one boot can be compared.
    pub boot_id: Option<String>,
    /// Operating system and version.
    pub os: Option<String>,
    /// The processor's name.
    pub cpu_model: Option<String>,
    /// Processors the kernel runs on.
    pub logical_cpus: Option<u32>,
    /// Installed memory.
    pub memory_bytes: Option<u64>,
    /// The GPUs the run was given.
    #[serde(default)]
    pub gpus: Vec<GpuRecord>,
}

/// One GPU.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct GpuRecord {
    /// The component's id.
    pub id: String,
    /// The board's identity.
    pub uuid: Option<String>,
    /// The board's name.
    pub name: String,
}

/// How much of a job the record holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Coverage {
    /// Machines of the job, where the launcher says it.
    pub hosts_expected: Option<u32>,
    /// Machines measured.
    pub hosts_seen: Option<u32>,
    /// GPUs of the job on this machine, where the launcher says it.
    pub gpus_expected: Option<u32>,
    /// GPUs measured.
    pub gpus_seen: Option<u32>,
}

/// Where the electricity comes from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PlaceRecord {
    /// ISO 3166-1 alpha-3, or `WORLD`.
    pub id: String,
    /// English name.
    pub name: String,
    /// Who gave it.
    pub given_by: GivenBy,
}

/// What a kilowatt-hour emits.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CarbonIntensityRecord {
    /// Grams of CO2-equivalent per kilowatt-hour.
    pub g_per_kwh: Interval,
    /// Year of the data.
    pub year: Option<u16>,
    /// `life-cycle` or `direct`.
    pub factors: Option<String>,
    /// `generation` or `consumption`.
    pub flow: Option<String>,
    /// Who says so.
    pub source: String,
}

/// The facility's overhead.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct PueRecord {
    /// The ratio.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Who gave it.
    pub given_by: GivenBy,
}

/// One domain of the machine.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ComponentRecord {
    /// `gpu:0`.
    pub id: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What a person calls it.
    pub name: String,
    /// By what its energy was obtained.
    pub method: Method,
    /// Measured, modelled or assumed.
    pub basis: Basis,
    /// Its energy.
    pub energy_kwh: Interval,
    /// The run's share of it.
    pub share: f64,
    /// How many readings. `null` for what is computed from the others.
    pub samples: Option<u64>,
    /// Seconds that no reading covers.
    pub gap_s: f64,
}
