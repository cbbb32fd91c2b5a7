use crate::error::CliError;
use emissions_core::record::Summary;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The summary as a file of its own, opened before the command starts and written when it has ended.
#[derive(Debug)]
pub struct SummaryFile {
    file: File,
}

impl SummaryFile {
    /// Opens the file without touching what is in it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            // A pipe without a reader holds nobody up.
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        Ok(Self { file })
    }

    /// Replaces its content.
    pub fn write(&mut self, summary: &Summary) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(summary)?;
        text.push(b'\n');
        // A pipe or a terminal (`--summary /dev/stderr`) has no length to set.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(&text)
    }
}

/// A file that a run will write.
#[derive(Debug)]
pub struct Opened<T> {
    pub file: T,
    /// Its path, if it was not there before.
    created: Option<PathBuf>,
}

impl<T> Opened<T> {
    /// The command never started: a file that was made for it goes.
    pub fn discard(self) {
        if let Some(path) = self.created {
            let _ = fs::remove_file(path);
        }
    }
}

/// Opens what a run will write, so that a wrong path is told in the first second. `None`, with one line said, where it
/// cannot be written: that is no reason not to run the command.
///
/// # Errors
/// Where it can never be right: a folder where a file is meant, a file where a folder is.
pub fn open_destination<T>(
    what: &str,
    path: &Path,
    open: impl FnOnce(&Path) -> io::Result<T>,
) -> Result<Option<Opened<T>>, CliError> {
    if path.is_dir() {
        return Err(CliError::usage(format!("{what}: {} is a folder, not a file", path.display())));
    }
    if let Some(file) = file_among_parents(path) {
        return Err(CliError::usage(format!(
            "{what}: {} cannot be: {} is a file, not a folder",
            path.display(),
            file.display()
        )));
    }
    let is_new = !path.exists();
    match create_parent(path).and_then(|()| open(path)) {
        Ok(file) => Ok(Some(Opened { file, created: is_new.then(|| path.to_owned()) })),
        Err(error) => {
            super::say(&format!("emissions: {what} will not be written: {}: {error}", path.display()));
            Ok(None)
        }
    }
}

/// The first part of a path that is a file where a folder must be.
pub fn file_among_parents(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|parent| parent.is_file())
}

fn create_parent(path: &Path) -> io::Result<()> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => fs::create_dir_all(parent),
        None => Ok(()),
    }
}
