use super::process::descends_from;
use super::signals::{Received, Signals, asks_to_end};
use crate::sys::{self, Change};
use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::unistd::Pid;
use std::fs::File;
use std::io;

/// How the command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    Code(i32),
    /// By its number.
    Signal(i32),
}

impl Ended {
    /// The status a shell gives it.
    pub fn status(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// What the one who measures wants to know while the command runs.
pub trait Events {
    /// The command was stopped, or goes on.
    fn stopped(&mut self, stopped: bool);
    /// A signal goes to the command that may be the end of everything here.
    fn flush(&mut self);
}

/// Waits for the command, hands it the signals that are meant for it, and stops and goes on with it.
pub fn supervise(
    command: Pid,
    signals: &Signals,
    forward: bool,
    wait_all: bool,
    events: &mut dyn Events,
) -> io::Result<Ended> {
    let mut supervisor = Supervisor {
        command,
        ended: None,
        alone: false,
        stopped: false,
        suspended_by_terminal: false,
        events,
    };
    // The command may have ended or been stopped before the first look.
    supervisor.look()?;
    loop {
        if let Some(ended) = supervisor.ended
            && (!wait_all || supervisor.alone)
        {
            return Ok(ended);
        }
        let Some(received) = signals.next(None)? else { continue };
        match (received.signal, supervisor.ended) {
            (Signal::SIGCHLD, _) => supervisor.look()?,
            (Signal::SIGXFSZ, _) => {}
            (Signal::SIGCONT, _) => supervisor.go_on(),
            // Only the command's left-overs are waited for: whoever is tired of it may end that.
            (signal, Some(ended)) if asks_to_end(signal) => return Ok(ended),
            (signal, None) if forward && is_to_be_forwarded(received, is_from_command) => {
                supervisor.hand_on(signal);
            }
            (Signal::SIGTSTP, None) if received.from_terminal => supervisor.suspend(),
            _ => {}
        }
    }
}

/// Whether a process descends from the command: its orphans are our children.
fn is_from_command(sender: Pid) -> bool {
    sender != Pid::this() && descends_from(sender, Pid::this())
}

/// Signals of the terminal reach the command without us; its own are its own affair. All others were meant for it.
fn is_to_be_forwarded(received: Received, is_from_command: impl Fn(Pid) -> bool) -> bool {
    !received.from_terminal && !is_from_command(received.sender)
}

struct Supervisor<'a> {
    command: Pid,
    ended: Option<Ended>,
    /// There is no child left, adopted ones included.
    alone: bool,
    stopped: bool,
    /// The terminal sent ^Z and nobody has woken us since: a program that tidies up first stops itself by SIGSTOP.
    suspended_by_terminal: bool,
    events: &'a mut dyn Events,
}

impl Supervisor<'_> {
    /// Takes in all that happened to children: the command and the orphans we inherited.
    fn look(&mut self) -> io::Result<()> {
        loop {
            match sys::next_change() {
                Ok(Some((pid, change))) if pid == self.command => self.take(change),
                // An orphan of the command that we inherited.
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {
                    self.alone = true;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Exited(code) => self.ended = Some(Ended::Code(code)),
            Change::Killed(signal) => self.ended = Some(Ended::Signal(signal)),
            Change::Stopped(signal) => self.stop(signal),
            Change::Continued => self.continued(),
        }
    }

    fn hand_on(&mut self, signal: Signal) {
        if self.ended.is_none() {
            // Whoever sends TERM to us sends KILL next: what we have must be on the disk by then.
            self.events.flush();
            // Gone in the meantime is gone.
            let _ = kill(self.command, signal);
        }
    }

    /// The command stopped. If the terminal stopped it we stop too, after it, so that the shell sees its job stopped; a
    /// program that ignores ^Z keeps the terminal. By SIGSTOP alone only the command is meant.
    fn stop(&mut self, signal: i32) {
        if !self.stopped {
            self.stopped = true;
            self.events.stopped(true);
        }
        let by_terminal = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];
        match by_terminal.into_iter().find(|&known| known as i32 == signal) {
            Some(signal) => stop_ourselves(signal),
            None if self.suspended_by_terminal => stop_ourselves(Signal::SIGTSTP),
            None => {}
        }
    }

    fn continued(&mut self) {
        if self.stopped {
            self.stopped = false;
            self.events.stopped(false);
        }
    }

    /// The terminal sent ^Z. The command may have stopped itself by SIGSTOP before we read of it.
    fn suspend(&mut self) {
        self.suspended_by_terminal = true;
        if self.stopped {
            stop_ourselves(Signal::SIGTSTP);
        }
    }

    /// Somebody wakes us: the command too, if it sleeps.
    fn go_on(&mut self) {
        self.suspended_by_terminal = false;
        if self.stopped {
            let _ = kill(self.command, Signal::SIGCONT);
        }
    }
}

fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Stops this process by the default action of `signal`, if it has a terminal; returns when it is continued.
fn stop_ourselves(signal: Signal) {
    if !has_terminal() {
        return;
    }
    let mut set = SigSet::empty();
    set.add(signal);
    // Raised while it is blocked: with a ^Z of the terminal that is pending too we stop once, at the unblocking, and
    // what is left is dropped by the kernel when we are continued.
    if raise(signal).is_ok() && set.thread_unblock().is_ok() {
        let _ = set.thread_block();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(signal: Signal, from_terminal: bool, sender: i32) -> Received {
        Received { signal, from_terminal, sender: Pid::from_raw(sender) }
    }

    fn is_seven(pid: Pid) -> bool {
        pid.as_raw() == 7
    }

    #[test]
    fn the_terminals_signals_reach_the_command_without_us() {
        assert!(!is_to_be_forwarded(received(Signal::SIGINT, true, 0), is_seven));
    }

    #[test]
    fn a_killers_signals_are_handed_on_even_int_and_tstp() {
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGTSTP, Signal::SIGUSR1] {
            assert!(is_to_be_forwarded(received(signal, false, 1), is_seven));
        }
    }

    #[test]
    fn what_the_command_sends_is_not_sent_back() {
        assert!(!is_to_be_forwarded(received(Signal::SIGTERM, false, 7), is_seven));
    }
}
