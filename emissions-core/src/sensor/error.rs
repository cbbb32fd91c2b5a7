use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a sensor gives nothing.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{what}{}", located(self.path.as_deref(), self.errno))]
pub struct SensorError {
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// What happened, as a fragment.
    pub what: String,
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// The system's error number.
    pub errno: Option<i32>,
    /// The one command or step that would mend it.
    pub remedy: Option<String>,
}

/// What a caller can do about a [`SensorError`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// The device is gone for good.
    Fatal,
    /// This time it did not answer; the next time it may.
    Retry,
    /// It is there, but this user may not read it.
    Denied,
    /// This machine does not have it.
    Missing,
}

impl SensorError {
    /// A device or a driver that is not there.
    #[must_use]
    pub fn missing(what: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Missing, what: what.into(), path: None, errno: None, remedy: None }
    }

    /// A file that could not be read.
    #[must_use]
    pub fn reading(path: &Path, error: &io::Error) -> Self {
        let (kind, what) = match error.kind() {
            io::ErrorKind::PermissionDenied => (ErrorKind::Denied, "this user may not read"),
            io::ErrorKind::NotFound => (ErrorKind::Missing, "there is no"),
            _ => (ErrorKind::Retry, "cannot read"),
        };
        Self { kind, what: what.into(), path: Some(path.into()), errno: error.raw_os_error(), remedy: None }
    }

    /// A file that does not hold what it should.
    #[must_use]
    pub fn content(path: &Path, expected: &str) -> Self {
        Self {
            kind: ErrorKind::Retry,
            what: format!("does not hold {expected}"),
            path: Some(path.into()),
            errno: None,
            remedy: None,
        }
    }

    /// The same error with the step that would mend it.
    #[must_use]
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

/// ` /sys/class/powercap: No such file or directory (os error 2)`.
fn located(path: Option<&Path>, errno: Option<i32>) -> String {
    match (path, errno) {
        (Some(path), Some(errno)) => {
            format!(" {}: {}", path.display(), io::Error::from_raw_os_error(errno))
        }
        (Some(path), None) => format!(": {}", path.display()),
        (None, _) => String::new(),
    }
}
