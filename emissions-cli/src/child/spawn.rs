use super::signals::Signals;
use crate::sys;
use nix::unistd::Pid;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Command;
use thiserror::Error;

/// Why a command did not start. The statuses are those of the shells.
#[derive(Debug, Error)]
pub enum SpawnError {
    #[error("{}: command not found", program.display())]
    NotFound { program: OsString },
    #[error("{}: {source}", program.display())]
    NotExecutable { program: OsString, source: io::Error },
}

impl SpawnError {
    pub fn status(&self) -> i32 {
        match self {
            Self::NotFound { .. } => 127,
            Self::NotExecutable { .. } => 126,
        }
    }
}

/// Starts a command as if the one who started us had started it: same streams, terminal, process group, signal mask.
pub fn spawn(
    command: &[OsString],
    environment: &[(&str, &OsStr)],
    signals: &Signals,
) -> Result<Pid, SpawnError> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| SpawnError::NotFound { program: OsString::new() })?;
    let mut child = Command::new(program);
    child.args(arguments).envs(environment.iter().copied());
    // With this hook std starts the command by fork and execvp, which hands a script without `#!` to the shell.
    sys::restore_in_child(&mut child, signals.original_mask(), signals.sigchld_was_ignored());
    // Dropping the handle neither waits nor kills: the supervisor waits for everything.
    match child.spawn().map(|child| child.id()) {
        Ok(pid) => Ok(Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX))),
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_nowhere(program, &error) => {
            Err(SpawnError::NotFound { program: program.clone() })
        }
        Err(source) => Err(SpawnError::NotExecutable { program: program.clone(), source }),
    }
}

/// A folder of the path that this user may not search makes execvp say "permission denied" of a command that is nowhere.
fn is_nowhere(program: &OsStr, error: &io::Error) -> bool {
    let by_path = !program.as_encoded_bytes().contains(&b'/');
    let folders = env::var_os("PATH").unwrap_or_default();
    error.kind() == io::ErrorKind::PermissionDenied
        && by_path
        && env::split_paths(&folders).all(|folder| !folder.join(program).exists())
}
