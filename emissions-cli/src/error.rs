use emissions_core::record::StoreError;
use std::fmt;
use std::io;

/// What the program says when it gives up. The kind decides the exit status.
#[derive(Debug)]
pub struct CliError {
    pub kind: Kind,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Exit statuses of all commands but `run`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// 2: the command line or a file given to it cannot be used.
    Usage,
    /// 3: nothing that could be read.
    NoInput,
    /// 4: could not write.
    Unwritable,
}

impl Kind {
    pub fn status(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::NoInput => 3,
            Self::Unwritable => 4,
        }
    }
}

impl CliError {
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), hint: None }
    }

    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {hint}"),
            None => Ok(()),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::NotFound { .. } => Some("`emissions runs list` shows what is there".to_owned()),
            _ => None,
        };
        let kind = match &error {
            StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotADirectory => Kind::Usage,
            _ => Kind::NoInput,
        };
        Self { kind, message: error.to_string(), hint }
    }
}
