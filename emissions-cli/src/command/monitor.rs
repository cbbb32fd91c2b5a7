use super::measure::Prepared;
use super::outputs::JsonTo;
use crate::args::MonitorArgs;
use crate::child::Signals;
use crate::error::CliError;
use crate::output::say;
use crate::sys;
use emissions_core::tracker::Outcome;
use nix::sys::signal::Signal;
use std::convert::Infallible;
use std::time::Instant;

/// Tracks the machine until interrupted or for a time.
///
/// # Errors
/// Only before it begins, where something is impossible as given.
pub fn monitor(args: &MonitorArgs) -> Result<Infallible, CliError> {
    let signals = Signals::take_over(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])
        .map_err(|error| CliError::usage(format!("the system refuses to watch signals: {error}")))?;
    let prepared = Prepared::new(&args.measuring, None)?;
    let attempts = prepared.attempts();
    // Longer than the clock can count is until interrupted.
    let deadline = args.duration.and_then(|duration| Instant::now().checked_add(duration));
    let mut tracker = prepared.builder.start();
    tracker.mark_start();
    tracker.announce(attempts());
    if !args.measuring.shared.quiet && deadline.is_none() {
        say("Measuring this machine. Ctrl-C ends it.");
    }
    // A descriptor that cannot be read ends it too: there would be no other way to end it in order.
    let _ = signals.next(deadline);
    let journal = tracker.journal();
    let summary = tracker.finish(Outcome::default());
    prepared.outputs.write(&summary, journal.as_ref(), JsonTo::Stdout, true);
    sys::exit_now(0)
}
