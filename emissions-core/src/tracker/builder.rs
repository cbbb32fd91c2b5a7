use super::books::Factors;
use super::engine::Tracker;
use super::host::describe;
use crate::footprint::{PlatformModel, StatedPue, assume_pue};
use crate::intensity::Quote;
use crate::quantity::Boundary;
use crate::record::{Coverage, Journal, Role};
use crate::sampler::{Clock, SystemClock};
use crate::sensor::{Host, Sensor, Visible};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the user says of a run.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// The run's name in the store; made from the time where it is empty.
    pub id: Option<String>,
    /// What the run belongs to.
    pub project: Option<String>,
    /// What the user calls it.
    pub name: Option<String>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// The model this run helps to train.
    pub training: Option<String>,
    /// What the run is for.
    pub role: Role,
    /// Ranks and nodes of one job share a group.
    pub group: Option<String>,
    /// The rank within the group.
    pub rank: Option<u32>,
    /// The run inside which this one runs.
    pub parent: Option<String>,
    /// The command line, secrets masked.
    pub command: Option<Vec<String>>,
    /// How much of the job this is expected to be.
    pub coverage: Coverage,
    /// What must be said of the run beside what the sensors tell.
    pub notes: Vec<String>,
}

/// Settings of a [`Tracker`]. Without any: the whole machine, no place, no record on disk.
pub struct Builder {
    pub(super) labels: Labels,
    pub(super) quote: Quote,
    pub(super) pue: Option<StatedPue>,
    pub(super) boundary: Boundary,
    pub(super) platform: Option<PlatformModel>,
    pub(super) visible: Visible,
    pub(super) host: Host,
    pub(super) period: Duration,
    pub(super) record_every: Duration,
    pub(super) journal: Option<Journal>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sensors: Vec<Box<dyn Sensor>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            labels: Labels::default(),
            quote: Quote::anywhere(),
            pue: None,
            boundary: Boundary::Node,
            platform: None,
            visible: Visible::All,
            host: Host::default(),
            period: Duration::from_secs(1),
            record_every: Duration::from_secs(10),
            journal: None,
            clock: Arc::new(SystemClock),
            sensors: Vec::new(),
        }
    }
}

impl Builder {
    /// What the run is called and belongs to.
    #[must_use]
    pub fn labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// What the run belongs to.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.labels.project = Some(project.into());
        self
    }

    /// What a kilowatt-hour emits here. Default: the world's average within the range of its grids.
    #[must_use]
    pub fn quote(self, quote: Quote) -> Self {
        Self { quote, ..self }
    }

    /// The facility's PUE. Default: 1 on a laptop or desktop, else assumed.
    #[must_use]
    pub fn pue(self, pue: StatedPue) -> Self {
        Self { pue: Some(pue), ..self }
    }

    /// The whole node (default) or the chips alone.
    #[must_use]
    pub fn boundary(self, boundary: Boundary) -> Self {
        Self { boundary, ..self }
    }

    /// What the node draws beside its chips. Default: the model for this kind of machine.
    #[must_use]
    pub fn platform(self, platform: PlatformModel) -> Self {
        Self { platform: Some(platform), ..self }
    }

    /// The GPUs the run was given. Default: all.
    #[must_use]
    pub fn visible(self, visible: Visible) -> Self {
        Self { visible, ..self }
    }

    /// Where sensors look. Default: this machine.
    #[must_use]
    pub fn host(self, host: Host) -> Self {
        Self { host, ..self }
    }

    /// How often sensors are read. Default: 1 s. Never below 10 ms.
    #[must_use]
    pub fn sample_every(self, period: Duration) -> Self {
        Self { period: period.max(Duration::from_millis(10)), ..self }
    }

    /// How often the journal is written. Default: 10 s.
    #[must_use]
    pub fn record_every(self, record_every: Duration) -> Self {
        Self { record_every, ..self }
    }

    /// The record on disk. Default: none.
    #[must_use]
    pub fn journal(self, journal: Journal) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// Further sensors of the caller's own.
    #[must_use]
    pub fn sensors(self, sensors: Vec<Box<dyn Sensor>>) -> Self {
        Self { sensors, ..self }
    }

    /// The clock. Default: the system's.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Reads all sensors a first time and begins. Waits at most 20 ms for NVML; what comes later is taken in then.
    #[must_use]
    pub fn start(self) -> Tracker {
        Tracker::begin(self)
    }

    pub(super) fn factors(&self) -> Factors {
        let machine = describe(&self.host);
        let model = if self.host.is_virtual() {
            PlatformModel::of_virtual_machine(machine.logical_cpus.unwrap_or(1))
        } else {
            PlatformModel::default()
        };
        Factors {
            quote: self.quote.clone(),
            pue: self.pue.unwrap_or_else(|| assume_pue(self.host.site())),
            platform: (self.boundary == Boundary::Node).then(|| self.platform.unwrap_or(model)),
        }
    }
}
