use crate::sys::{self, Disposition};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The signals of this process, blocked and read from a descriptor. Blocked before any thread starts, so that every
/// thread inherits that and no handler ever runs.
pub struct Signals {
    fd: SignalFd,
    original_mask: SigSet,
    sigchld_was_ignored: bool,
}

/// A signal that came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    pub signal: Signal,
    /// The kernel sent it, for the terminal: everyone in the foreground has it.
    pub from_terminal: bool,
    /// Who sent it.
    pub sender: Pid,
}

/// `si_code` of a signal that the kernel generates (sigaction(2)).
const SI_KERNEL: i32 = 0x80;

impl Signals {
    /// Takes over the signals that concern a wrapper, but for those that were ignored already (`nohup`, `&` in a script):
    /// these stay ignored, here and in the command.
    pub fn take_over(wanted: &[Signal]) -> io::Result<Self> {
        let sigchld_was_ignored = sys::disposition(Signal::SIGCHLD) == Disposition::Ignored;
        // With SIGCHLD ignored the kernel reaps children itself and their exit status is lost.
        sys::set_default(Signal::SIGCHLD);
        let mut watched = SigSet::empty();
        for &signal in wanted {
            if signal == Signal::SIGCHLD || sys::disposition(signal) != Disposition::Ignored {
                watched.add(signal);
            }
        }
        let original_mask = SigSet::thread_get_mask()?;
        watched.thread_block()?;
        let fd = SignalFd::with_flags(&watched, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd, original_mask, sigchld_was_ignored })
    }

    /// Those of a wrapper of a command.
    pub fn of_wrapper() -> io::Result<Self> {
        use Signal::{
            SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGXFSZ,
        };
        // SIGXFSZ: a file of ours that grows past the user's limit is an error of that file, not our end.
        Self::take_over(&[
            SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGCHLD, SIGXFSZ,
        ])
    }

    /// The mask this process was started with.
    pub fn original_mask(&self) -> SigSet {
        self.original_mask
    }

    /// Whether this process was started with SIGCHLD ignored.
    pub fn sigchld_was_ignored(&self) -> bool {
        self.sigchld_was_ignored
    }

    /// Waits for the next signal, until `deadline` if there is one.
    pub fn next(&self, deadline: Option<Instant>) -> io::Result<Option<Received>> {
        loop {
            if let Some(info) = self.fd.read_signal()? {
                let Some(signal) =
                    i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())
                else {
                    continue;
                };
                return Ok(Some(Received {
                    signal,
                    from_terminal: info.ssi_code == SI_KERNEL,
                    sender: Pid::from_raw(i32::try_from(info.ssi_pid).unwrap_or(0)),
                }));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            let timeout = left.map_or(PollTimeout::NONE, timeout);
            let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A signal that has come already, of the kind that asks a program to end.
    pub fn impatience(&self) -> Option<Signal> {
        while let Ok(Some(received)) = self.next(Some(Instant::now())) {
            if asks_to_end(received.signal) {
                return Some(received.signal);
            }
        }
        None
    }
}

/// Whether a signal asks a program to end.
pub fn asks_to_end(signal: Signal) -> bool {
    matches!(signal, Signal::SIGINT | Signal::SIGTERM | Signal::SIGQUIT | Signal::SIGHUP)
}

/// Rounded up: waking a little late is better than spinning.
fn timeout(left: Duration) -> PollTimeout {
    let milliseconds = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
    PollTimeout::from(milliseconds)
}
