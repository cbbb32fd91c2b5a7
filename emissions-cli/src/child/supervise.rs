use super::process::descends_from;
use super::signals::{Received, Signals};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs::File;
use std::io;

/// How the command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    Code(i32),
    Signal(Signal),
}

impl Ended {
    /// The status a shell gives it.
    pub fn status(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal as i32,
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
    let mut supervisor = Supervisor { command, ended: None, stopped: false, events };
    // The command may have ended or been stopped before the first look.
    supervisor.look()?;
    loop {
        if let Some(ended) = supervisor.ended
            && (!wait_all || supervisor.is_alone())
        {
            return Ok(ended);
        }
        let Some(received) = signals.next(None)? else { continue };
        match received.signal {
            Signal::SIGCHLD => supervisor.look()?,
            Signal::SIGCONT => supervisor.go_on(),
            _ if forward && is_to_be_forwarded(received, |sender| descends_from(sender, command)) => {
                supervisor.hand_on(received.signal);
            }
            _ => {}
        }
    }
}

/// Signals of the terminal reach the command without us; its own are its own affair. All others were meant for it.
fn is_to_be_forwarded(received: Received, is_from_command: impl Fn(Pid) -> bool) -> bool {
    !received.from_terminal && !is_from_command(received.sender)
}

struct Supervisor<'a> {
    command: Pid,
    ended: Option<Ended>,
    stopped: bool,
    events: &'a mut dyn Events,
}

impl Supervisor<'_> {
    /// Takes in all that happened to children: the command and the orphans we inherited.
    fn look(&mut self) -> io::Result<()> {
        let what = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED | WaitPidFlag::WCONTINUED;
        loop {
            match waitpid(None, Some(what)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == self.command => {
                    self.ended = Some(Ended::Code(code));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.command => {
                    self.ended = Some(Ended::Signal(signal));
                }
                Ok(WaitStatus::Stopped(pid, signal)) if pid == self.command => self.stop(signal),
                Ok(WaitStatus::Continued(pid)) if pid == self.command => self.continued(),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_alone(&self) -> bool {
        waitpid(None, Some(WaitPidFlag::WNOHANG)) == Err(Errno::ECHILD)
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
    fn stop(&mut self, signal: Signal) {
        if !self.stopped {
            self.stopped = true;
            self.events.stopped(true);
        }
        let by_terminal = matches!(signal, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU);
        if by_terminal && has_terminal() {
            stop_ourselves(signal);
        }
    }

    fn continued(&mut self) {
        if self.stopped {
            self.stopped = false;
            self.events.stopped(false);
        }
    }

    /// Somebody wakes us: the command too, if it sleeps.
    fn go_on(&mut self) {
        if self.stopped {
            let _ = kill(self.command, Signal::SIGCONT);
        }
    }
}

fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Stops this process by the default action of `signal`; returns when it is continued.
fn stop_ourselves(signal: Signal) {
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
