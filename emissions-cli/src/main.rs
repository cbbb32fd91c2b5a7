//! `emissions`: what a training run cost the climate, and how sure that figure is.

mod args;
mod child;
mod command;
mod error;
mod output;
mod settings;
mod sys;
mod time_zone;

use args::{Cli, Command, RunsCommand};
use clap::Parser;
use clap::error::ErrorKind;
use error::CliError;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed stream is not an error.
            let _ = error.print();
            let is_answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return ExitCode::from(if is_answer { 0 } else { 2 });
        }
    };
    match dispatch(&cli.command) {
        Ok(status) => status,
        Err(error) => {
            output::say(&error.to_string());
            ExitCode::from(error.kind.status())
        }
    }
}

fn dispatch(command: &Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Run(args) => match command::run(args)? {},
        Command::Monitor(args) => match command::monitor(args)? {},
        Command::Doctor(args) => command::doctor(args),
        Command::Runs(RunsCommand::List { shared }) => command::list(shared),
        Command::Runs(RunsCommand::Show { run, shared }) => command::show(run, shared),
        Command::Other(line) => Err(unknown(line)),
    }
}

/// `emissions python train.py`: the line that was meant.
fn unknown(line: &[OsString]) -> CliError {
    let words: Vec<String> = line.iter().map(|word| quoted(&word.to_string_lossy())).collect();
    let first = words.first().map(String::as_str).unwrap_or_default();
    CliError::usage(format!("`{first}` is not a command of emissions"))
        .with_hint(format!("to run and track it: emissions run -- {}", words.join(" ")))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
