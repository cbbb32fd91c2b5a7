use super::reader::{ReadError, read, read_start};
use super::summary::{Role, Summary};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A folder of records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Store {
    folder: PathBuf,
}

/// Why a store gives no run.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder cannot be listed.
    #[error("cannot read the store {}: {source}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No run has this name.
    #[error("no run `{query}` in the store {}", folder.display())]
    NotFound {
        /// What was asked.
        query: String,
        /// The folder.
        folder: PathBuf,
    },
    /// Several runs' names begin so.
    #[error("`{query}` is the beginning of several runs: {}", matches.join(", "))]
    Ambiguous {
        /// What was asked.
        query: String,
        /// Some of them.
        matches: Vec<String>,
    },
    /// The record itself.
    #[error(transparent)]
    Record(#[from] ReadError),
}

/// A record file of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The run's name.
    pub id: String,
    /// The file.
    pub path: PathBuf,
}

impl Store {
    /// The store in this folder, which need not exist yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The record file of a run.
    #[must_use]
    pub fn record(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.jsonl"))
    }

    /// The marks file of a run: what the wrapped command says of itself.
    #[must_use]
    pub fn marks(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.marks"))
    }

    /// All records, oldest first. A folder that does not exist is an empty store.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let listing = match fs::read_dir(&self.folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(StoreError::Io { folder: self.folder.clone(), source }),
        };
        let mut entries: Vec<Entry> = listing
            .flatten()
            .map(|file| file.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .filter_map(|path| Some(Entry { id: path.file_stem()?.to_str()?.to_owned(), path }))
            .collect();
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(entries)
    }

    /// The run of this name, or whose name begins so, or the `latest`.
    ///
    /// # Errors
    /// [`StoreError`] where there is none, or several, or its record cannot be read.
    pub fn find(&self, query: &str) -> Result<Summary, StoreError> {
        let entries = self.entries()?;
        let not_found = || StoreError::NotFound { query: query.to_owned(), folder: self.folder.clone() };
        if query == "latest" {
            return entries.iter().rev().find_map(|entry| read(&entry.path).ok()).ok_or_else(not_found);
        }
        let exact = entries.iter().find(|entry| entry.id == query);
        let matching: Vec<&Entry> = match exact {
            Some(entry) => vec![entry],
            None if query.is_empty() => vec![],
            None => entries.iter().filter(|entry| entry.id.starts_with(query)).collect(),
        };
        match matching.as_slice() {
            [] => Err(not_found()),
            [entry] => Ok(read(&entry.path)?),
            several => Err(StoreError::Ambiguous {
                query: query.to_owned(),
                matches: several.iter().take(5).map(|entry| entry.id.clone()).collect(),
            }),
        }
    }

    /// Which attempt at a training a new run of this role is: one more than the runs there are. The ranks of a job are one
    /// attempt, so only runs of the same rank are counted: of a requeued job there is one in each attempt.
    #[must_use]
    pub fn next_attempt(&self, training: &str, role: Role, rank: Option<u32>) -> u32 {
        let is_attempt = |run: &Summary| {
            run.training.as_deref() == Some(training)
                && run.role == role
                && run.parent.is_none()
                && run.rank.unwrap_or(0) == rank.unwrap_or(0)
        };
        let entries = self.entries().unwrap_or_default();
        let runs = entries.iter().filter_map(|entry| read_start(&entry.path).ok());
        u32::try_from(runs.filter(is_attempt).count()).map_or(u32::MAX, |attempts| attempts.saturating_add(1))
    }
}
