use super::measure::Prepared;
use super::outputs::JsonTo;
use crate::args::RunArgs;
use crate::child::{CpuTime, Ended, Events, Signals, WarmUp, spawn, supervise};
use crate::error::CliError;
use crate::output::{mask, say};
use crate::sys;
use emissions_core::record::Exit;
use emissions_core::tracker::{Outcome, Tracker};
use nix::sys::signal::{SigSet, Signal, raise};
use std::convert::Infallible;
use std::ffi::OsStr;

/// Runs the command, tracks it, and ends as it ended.
///
/// # Errors
/// Only before the command starts, where something is impossible as given.
pub fn run(args: &RunArgs) -> Result<Infallible, CliError> {
    let signals = Signals::of_wrapper()
        .map_err(|error| CliError::usage(format!("the system refuses to watch signals: {error}")))?;
    let warm_up = WarmUp::begin();
    let command: Vec<String> =
        args.command.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let stored = (!args.no_command).then(|| mask(&command));
    let prepared = Prepared::new(&args.measuring, stored)?;
    let (attempts, id) = (prepared.attempts(), prepared.id.clone());
    let marks = prepared.store.marks(&id);
    let environment = [("EMISSIONS_RUN", OsStr::new(&id)), ("EMISSIONS_MARKS", marks.as_os_str())];

    let mut tracker = prepared.builder.start();
    let cpu_time = CpuTime::begin(warm_up);
    if let Some(signal) = signals.impatience() {
        // It came before there was a command it could have reached.
        tracker.abandon();
        prepared.outputs.discard();
        die_of(signal);
    }
    tracker.mark_start();
    let child = match spawn(&args.command, &environment, &signals) {
        Ok(child) => child,
        Err(error) => {
            say(&format!("emissions: {error}"));
            tracker.abandon();
            prepared.outputs.discard();
            sys::exit_now(error.status());
        }
    };
    tracker.announce(attempts());
    let ended = supervise(child, &signals, !args.no_forward, args.wait_all, &mut Watcher(&tracker));

    tracker.mark_end();
    let counted = cpu_time.end();
    let mut outcome = Outcome { cpu_time: Some((counted.seconds, counted.basis)), ..Outcome::default() };
    let status = match &ended {
        Ok(ended) => {
            outcome.exit = Some(exit(*ended));
            ended.status()
        }
        Err(error) => {
            outcome.notes.push(format!("the command could not be waited for: {error}"));
            1
        }
    };
    if counted.survivors > 0 {
        outcome.notes.push(survivors(counted.survivors));
    }
    let journal = tracker.journal();
    let summary = tracker.finish(outcome);
    // Somebody who asks a second time wants to be gone: the record is written, the rest is not worth waiting for.
    let show = signals.impatience().is_none();
    prepared.outputs.write(&summary, journal.as_ref(), JsonTo::Stderr, show);
    match ended {
        // A shell ends its loop only when the command itself died of Ctrl-C, so we do too.
        Ok(Ended::Signal(signal)) if signal == Signal::SIGINT as i32 => die_of(Signal::SIGINT),
        _ => sys::exit_now(status),
    }
}

/// Tells the tracker what happens to the command.
struct Watcher<'a>(&'a Tracker);

impl Events for Watcher<'_> {
    fn stopped(&mut self, stopped: bool) {
        self.0.set_stopped(stopped);
    }

    fn flush(&mut self) {
        self.0.flush();
    }
}

fn exit(ended: Ended) -> Exit {
    match ended {
        Ended::Code(code) => Exit { code: Some(code), signal: None },
        Ended::Signal(signal) => Exit { code: None, signal: Some(signal) },
    }
}

fn survivors(count: usize) -> String {
    let processes = if count == 1 { "1 process outlives" } else { &format!("{count} processes outlive") };
    format!("{processes} the command; counted up to its end (--wait-all waits for all)")
}

/// Ends this process by the default action of a signal.
fn die_of(signal: Signal) -> ! {
    sys::set_default(signal);
    let mut set = SigSet::empty();
    set.add(signal);
    let _ = raise(signal);
    let _ = set.thread_unblock();
    // Not reached, unless the signal is ignored.
    sys::exit_now(128 + signal as i32)
}
