use super::Message;
use chrono::{DateTime, Utc};
use nix::time::{ClockId, clock_gettime};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// The time, and the waiting for it. Scripted in tests.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment, the sleep of the machine included.
    fn now(&self) -> Duration;

    /// The same without the sleep of the machine.
    fn awake(&self) -> Duration;

    /// The time of the day.
    fn wall(&self) -> DateTime<Utc>;

    /// Waits until `deadline` on the scale of [`Clock::now`], or until a message comes. `None` at the deadline.
    ///
    /// # Errors
    /// [`Hangup`] when nobody can send any more.
    fn wait(&self, inbox: &Receiver<Message>, deadline: Duration) -> Result<Option<Message>, Hangup>;
}

/// Nobody holds the other end any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hangup;

/// The clocks of the kernel: boot time, which counts suspend, and monotonic time, which does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    fn read(clock: ClockId) -> Duration {
        // These two clocks exist on every kernel since 2.6.39.
        clock_gettime(clock).map(Duration::from).unwrap_or_default()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        Self::read(ClockId::CLOCK_BOOTTIME)
    }

    fn awake(&self) -> Duration {
        Self::read(ClockId::CLOCK_MONOTONIC)
    }

    fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn wait(&self, inbox: &Receiver<Message>, deadline: Duration) -> Result<Option<Message>, Hangup> {
        match inbox.recv_timeout(deadline.saturating_sub(self.now())) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Hangup),
        }
    }
}
