use super::process::{descendants, time_of};
use crate::sys::{self, Change};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{self, Read};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Counts the processor time of all that the command starts, in two ways that can each miss some.
///
/// A perf counter is inherited by every process that the command starts; it is lost where a program changes its user.
/// What the kernel adds up for a parent of the processes it reaped misses the children of those that ignore SIGCHLD. Perf
/// is taken unless it is clearly the smaller.
pub struct CpuTime {
    perf: Option<File>,
    own_thread: Duration,
}

/// /proc tells time in hundredths of a second, process by process.
const ROUNDING: Duration = Duration::from_millis(20);

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    pub seconds: f64,
    /// `perf` or `rusage`.
    pub basis: &'static str,
    /// Processes that outlive the command.
    pub survivors: usize,
}

/// A counter that only keeps the kernel's perf machinery switched on: switching it on takes some 10 ms (it waits for
/// every processor once), which pass while the sensors are looked for.
pub struct WarmUp(Option<JoinHandle<Option<File>>>);

impl WarmUp {
    pub fn begin() -> Self {
        let open = || sys::open_task_clock().ok();
        Self(thread::Builder::new().name("emissions-perf".into()).spawn(open).ok())
    }
}

impl CpuTime {
    /// Call on the thread that spawns the command, just before it does. Orphans of the command become children of this
    /// process, so that their time is not lost.
    pub fn begin(warm_up: WarmUp) -> Self {
        // Without it (never seen) orphans' time would be missing from `rusage`.
        let _ = set_child_subreaper(true);
        let _keep = warm_up.0.and_then(|thread| thread.join().ok());
        Self { perf: sys::open_task_clock().ok(), own_thread: thread_time() }
    }

    /// Call on the same thread when the command has ended.
    pub fn end(self) -> Counted {
        let (by_rusage, survivors) = by_rusage();
        let by_perf = self.perf.and_then(|mut perf| {
            let mut nanoseconds = [0; 8];
            perf.read_exact(&mut nanoseconds).ok()?;
            let all = Duration::from_nanos(u64::from_ne_bytes(nanoseconds));
            Some(all.saturating_sub(thread_time().saturating_sub(self.own_thread)))
        });
        match by_perf {
            // The two differ by rounding; perf lost something only where it is clearly below.
            Some(by_perf) if by_perf + ROUNDING >= by_rusage.mul_f64(0.99) => {
                Counted { seconds: by_perf.as_secs_f64(), basis: "perf", survivors }
            }
            _ => Counted { seconds: by_rusage.as_secs_f64(), basis: "rusage", survivors },
        }
    }
}

/// Time of the reaped, and of the living, which is read from /proc. A process that ends between the two looks would be
/// in neither: then both are looked at again.
fn by_rusage() -> (Duration, usize) {
    let mut living = Vec::new();
    for _ in 0..5 {
        if !reap().living {
            return (reaped_time(), 0);
        }
        living = descendants(Pid::this());
        if reap().reaped == 0 {
            break;
        }
    }
    let ticks = living.iter().map(|(_, process)| process.ticks).sum();
    (reaped_time() + time_of(ticks), living.len())
}

struct Reaped {
    reaped: usize,
    /// Whether there are children still.
    living: bool,
}

fn reap() -> Reaped {
    let mut reaped = 0;
    loop {
        match sys::next_change() {
            Ok(Some((_, Change::Exited(_) | Change::Killed(_)))) => reaped += 1,
            Ok(Some(_)) => {}
            Ok(None) => return Reaped { reaped, living: true },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Reaped { reaped, living: false },
        }
    }
}

fn reaped_time() -> Duration {
    getrusage(UsageWho::RUSAGE_CHILDREN)
        .map(|usage| usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
        .ok()
        .and_then(|microseconds| u64::try_from(microseconds).ok())
        .map_or(Duration::ZERO, Duration::from_micros)
}

fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
