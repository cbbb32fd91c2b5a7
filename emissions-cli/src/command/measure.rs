//! What `run` and `monitor` share: the outputs opened before, the tracker, the outputs written after.

use super::config::Config;
use super::environment;
use super::outputs::Outputs;
use crate::args::Measuring;
use crate::error::CliError;
use crate::output::{CsvFile, Screen, SummaryFile, file_among_parents, open_destination, say};
use crate::settings;
use emissions_core::quantity::Boundary;
use emissions_core::record::{Journal, Role, RunId, Store};
use emissions_core::sensor::Host;
use emissions_core::tracker::{Builder, Labels, Tracker};
use std::path::{Path, PathBuf};

/// Everything decided and opened before the first reading.
pub struct Prepared {
    pub builder: Builder,
    pub outputs: Outputs,
    pub id: String,
    pub store: Store,
    training: Option<String>,
    role: Role,
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
        let store = config.store();
        let group = text("group", &args.group).or_else(environment::group);
        let id = RunId::new(chrono::Utc::now()).to_string();

        refuse_file_as_store(&store)?;
        let path =
            |name, flag: &Option<PathBuf>| flag.clone().or_else(|| text(name, &None).map(PathBuf::from));
        let csv = match path("csv", &args.csv) {
            Some(path) => open_destination("--csv", &path, CsvFile::open)?,
            None => None,
        };
        let summary = match path("summary", &args.summary) {
            Some(path) => open_destination("--summary", &path, SummaryFile::open)?,
            None => None,
        };
        // Last, so that whatever is refused leaves no record behind.
        let journal = open_record(&store.record(&id));

        let labels = Labels {
            id: Some(id.clone()),
            project,
            name: text("name", &args.name),
            tags: args.tags.iter().cloned().collect(),
            training: training.clone(),
            role,
            group,
            rank: environment::rank(),
            parent: environment::parent(),
            command,
            coverage: environment::coverage(),
            notes: environment::notes(),
        };
        let mut builder = Tracker::builder()
            .labels(labels)
            .quote(quote)
            .boundary(boundary)
            .visible(environment::visible(text("gpus", &args.gpus).as_deref()))
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
            verbose: args.shared.verbose > 0,
            screen: Screen::of_stderr(config.color()),
        };
        Ok(Self { builder, outputs, id, store, training, role })
    }

    /// Which attempt at its training this run is. Reads the store.
    pub fn attempts(&self) -> impl Fn() -> u32 + use<> {
        let (store, training, role) = (self.store.clone(), self.training.clone(), self.role);
        move || match &training {
            Some(training) => store.next_attempt(training, role, environment::rank()),
            None => 1,
        }
    }
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
