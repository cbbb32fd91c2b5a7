//! What `run` and `monitor` share: the outputs opened before, the tracker, the outputs written after.

use super::config::Config;
use crate::args::Measuring;
use crate::error::CliError;
use crate::output::{
    CsvFile, Opened, Screen, SummaryFile, file_among_parents, open_destination, say, summary_text,
};
use crate::settings;
use emissions_core::quantity::Boundary;
use emissions_core::record::{Coverage, Journal, Role, RunId, Status, Store, Summary, read};
use emissions_core::sensor::{Host, Visible};
use emissions_core::tracker::{Builder, Labels, Tracker};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything decided and opened before the first reading.
pub struct Prepared {
    pub builder: Builder,
    pub outputs: Outputs,
    pub id: String,
    pub store: Store,
    training: Option<String>,
    role: Role,
    group: Option<String>,
}

/// What is written when the run has ended.
pub struct Outputs {
    csv: Option<Opened<CsvFile>>,
    summary: Option<Opened<SummaryFile>>,
    log_summary: bool,
    quiet: bool,
    json: bool,
    screen: Screen,
}

/// Who shall read the JSON of `--json`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JsonTo {
    Stdout,
    Stderr,
}

impl Prepared {
    /// Resolves settings and opens outputs.
    ///
    /// # Errors
    /// What is impossible as given: status 2.
    pub fn new(args: &Measuring, command: Option<Vec<String>>) -> Result<Self, CliError> {
        let config = Config::read(&args.shared)?;
        for complaint in config.layers().complaints() {
            say(&format!("emissions: {complaint}"));
        }
        let quote = config.quote()?;
        let pue = config.pue()?;
        let platform = config.platform()?;
        let boundary = config.word::<Boundary>("boundary", args.boundary.as_deref())?.unwrap_or_default();
        let role = config.word::<Role>("role", args.role.as_deref())?.unwrap_or_default();
        config.value("attribution", args.attribution.as_deref(), attribution)?;
        let sample_every = match args.sample_every {
            Some(period) => Some(period),
            None => config.value("sample_every", None, settings::duration)?,
        };
        let record_every = match args.record_every {
            Some(period) => Some(period),
            None => config.value("record_every", None, settings::duration)?,
        };
        let text = |name, flag: &Option<String>| config.text(name, flag.as_deref()).map(|given| given.value);
        let training = text("training", &args.training);
        let project = text("project", &args.project);
        let store = config.store()?;
        let group = args.group.clone().or_else(|| variable(&["SLURM_JOB_ID"]));
        let id = RunId::new(chrono::Utc::now()).to_string();

        refuse_file_as_store(&store)?;
        let csv_path = args.csv.clone().or_else(|| text("csv", &None).map(PathBuf::from));
        let csv = match csv_path {
            Some(path) => open_destination("--csv", &path, CsvFile::open)?,
            None => None,
        };
        let summary = match &args.summary {
            Some(path) => open_destination("--summary", path, SummaryFile::open)?,
            None => None,
        };
        // Last, so that whatever is refused leaves no record behind.
        let journal = open_record(&store.record(&id));

        let labels = Labels {
            id: Some(id.clone()),
            project,
            name: args.name.clone(),
            tags: args.tags.iter().cloned().collect(),
            training: training.clone(),
            role,
            group: group.clone(),
            rank: variable(&["SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "RANK"])
                .and_then(|rank| rank.parse().ok()),
            parent: parent(),
            command,
            coverage: coverage(),
            notes: notes(),
        };
        let mut builder = Tracker::builder()
            .labels(labels)
            .quote(quote)
            .boundary(boundary)
            .visible(visible(args.gpus.as_deref()))
            .host(args.host_root.as_ref().map_or_else(Host::default, Host::at));
        if let Some(pue) = pue {
            builder = builder.pue(pue);
        }
        if let Some(platform) = platform {
            builder = builder.platform(platform);
        }
        if let Some(period) = sample_every {
            builder = builder.sample_every(period);
        }
        if let Some(period) = record_every {
            builder = builder.record_every(period);
        }
        if let Some(journal) = journal {
            builder = builder.journal(journal);
        }
        let outputs = Outputs {
            csv,
            summary,
            log_summary: args.log_summary,
            quiet: args.shared.quiet,
            json: args.shared.json,
            screen: Screen::of_stderr(config.color()),
        };
        Ok(Self { builder, outputs, id, store, training, role, group })
    }

    /// Which attempt at its training this run is.
    pub fn attempt(&self) -> Attempt {
        Attempt {
            store: self.store.clone(),
            training: self.training.clone(),
            role: self.role,
            group: self.group.clone(),
        }
    }
}

/// Counts attempts: reads the store, so it is done when the command runs already.
pub struct Attempt {
    store: Store,
    training: Option<String>,
    role: Role,
    group: Option<String>,
}

impl Attempt {
    pub fn count(&self) -> u32 {
        match &self.training {
            Some(training) => self.store.next_attempt(training, self.role, self.group.as_deref()),
            None => 1,
        }
    }
}

impl Outputs {
    /// The command never started: nothing of it remains.
    pub fn discard(self) {
        if let Some(csv) = self.csv {
            csv.discard();
        }
        if let Some(summary) = self.summary {
            summary.discard();
        }
    }

    /// Writes all that was asked for. What fails is said in one line each and changes nothing else.
    pub fn write(mut self, summary: &Summary, journal: Option<&Arc<Journal>>, json_to: JsonTo, show: bool) {
        if let Some(lost) = journal.and_then(|journal| journal.lost()) {
            say(&format!("emissions: the record is incomplete: {lost}"));
        }
        if let Some(opened) = &mut self.summary
            && let Err(error) = opened.file.write(summary)
        {
            say(&format!("emissions: --summary was not written: {error}"));
        }
        if let Some(opened) = &mut self.csv
            && let Err(error) = opened.file.append(summary)
        {
            say(&format!("emissions: --csv was not written: {error}"));
        }
        if self.log_summary
            && let Ok(line) = serde_json::to_string(summary)
        {
            say(&line);
        }
        if self.json {
            if let Ok(text) = serde_json::to_string_pretty(summary) {
                match json_to {
                    JsonTo::Stderr => say(&text),
                    JsonTo::Stdout => {
                        if let Err(error) = crate::output::print(&format!("{text}\n")) {
                            say(&format!("emissions: cannot write to stdout: {error}"));
                        }
                    }
                }
            }
        } else if !self.quiet && show {
            let mut text = summary_text(summary, self.screen);
            if let Some(journal) = journal {
                let next = format!("emissions runs show latest   record {}", record_name(journal.path()));
                text.push_str(&self.screen.paragraph("Next", &next));
            }
            say(text.trim_end());
        }
    }
}

fn record_name(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn refuse_file_as_store(store: &Store) -> Result<(), CliError> {
    match file_among_parents(&store.record("run")) {
        Some(file) => Err(CliError::usage(format!("--store: {} is a file, not a folder", file.display()))),
        None => Ok(()),
    }
}

/// The record's file. Where it cannot be written the run goes on without.
fn open_record(path: &Path) -> Option<Journal> {
    match Journal::create(path) {
        Ok(journal) => Some(journal),
        Err(error) => {
            say(&format!("emissions: no record of this run will be kept: {error}"));
            None
        }
    }
}

fn attribution(text: &str) -> Result<(), String> {
    match text {
        "auto" | "machine" => Ok(()),
        other => Err(format!("`{other}` is not an attribution of this version: auto or machine")),
    }
}

/// The GPUs the run was given.
pub fn visible(flag: Option<&str>) -> Visible {
    let variable = env::var("CUDA_VISIBLE_DEVICES").ok();
    Visible::parse(flag.or(variable.as_deref()))
}

/// The run inside which we are, if it is alive and of this boot: it holds our energy too.
fn parent() -> Option<String> {
    let id = env::var("EMISSIONS_RUN").ok()?;
    let marks = PathBuf::from(env::var_os("EMISSIONS_MARKS")?);
    let outer = read(&marks.with_extension("jsonl")).ok()?;
    let same_boot = outer.host.boot_id.is_none() || outer.host.boot_id == Host::default().boot_id();
    (outer.id == id && outer.status == Status::Running && same_boot).then_some(id)
}

/// How much of the job the launcher says there is.
fn coverage() -> Coverage {
    let nodes = variable(&["SLURM_STEP_NUM_NODES", "SLURM_JOB_NUM_NODES", "SLURM_NNODES"]);
    let gpus = variable(&["SLURM_GPUS_ON_NODE"]);
    Coverage {
        hosts_expected: Some(nodes.and_then(|nodes| nodes.parse().ok()).unwrap_or(1)),
        hosts_seen: Some(1),
        gpus_expected: gpus.and_then(|gpus| gpus.parse().ok()),
        gpus_seen: None,
    }
}

/// What the environment says that a reader must know.
fn notes() -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(nodes) = coverage().hosts_expected.filter(|&nodes| nodes > 1) {
        notes.push(format!(
            "1 of {nodes} nodes measured here: put `emissions run` after srun to measure each"
        ));
    }
    let (ours, all) = (std::thread::available_parallelism().map_or(0, usize::from), online_cpus());
    if ours > 0 && ours < all {
        notes.push(format!(
            "this run may use {ours} of the machine's {all} processors; the figure is the whole machine's"
        ));
    }
    notes
}

fn online_cpus() -> usize {
    Host::default().logical_cpus().and_then(|cpus| usize::try_from(cpus).ok()).unwrap_or(0)
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}
