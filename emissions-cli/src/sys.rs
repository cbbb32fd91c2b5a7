//! The system calls that have no safe form. The only module of the project with `unsafe` in it.
#![expect(
    unsafe_code,
    reason = "dispositions, pre-exec hooks, unnamed signals, perf counters and _exit have no safe form"
)]

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;
use std::fs::File;
use std::io;
use std::os::fd::FromRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What a process does with a signal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Disposition {
    Default,
    Ignored,
    Handled,
}

/// What this process does with a signal now.
pub fn disposition(signal: Signal) -> Disposition {
    // SAFETY: a zeroed sigaction is valid, and with a null new action the call only writes the old one.
    let handler = unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal as libc::c_int, std::ptr::null(), &raw mut old);
        old.sa_sigaction
    };
    match handler {
        libc::SIG_DFL => Disposition::Default,
        libc::SIG_IGN => Disposition::Ignored,
        _ => Disposition::Handled,
    }
}

/// Sets a signal back to its default action.
pub fn set_default(signal: Signal) {
    // SAFETY: SIG_DFL installs no handler.
    unsafe { libc::signal(signal as libc::c_int, libc::SIG_DFL) };
}

/// Makes a command start with this signal mask, and with SIGCHLD ignored if that is how we were started.
pub fn restore_in_child(command: &mut Command, mask: SigSet, ignore_sigchld: bool) {
    let restore = move || {
        mask.thread_set_mask()?;
        if ignore_sigchld {
            // SAFETY: SIG_IGN installs no handler.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes two async-signal-safe calls and allocates nothing.
    unsafe { command.pre_exec(restore) };
}

/// What happened to a child.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    Exited(i32),
    /// By its number: there are real-time signals that have no name.
    Killed(i32),
    Stopped(i32),
    Continued,
}

/// The next child to which something happened, without waiting for it. `Ok(None)`: there are children, and nothing new.
///
/// # Errors
/// `ECHILD` when there are no children.
pub fn next_change() -> io::Result<Option<(Pid, Change)>> {
    let mut status = 0;
    let flags = libc::WNOHANG | libc::WUNTRACED | libc::WCONTINUED;
    // SAFETY: the call writes to `status` alone.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, flags) };
    let change = match pid {
        -1 => return Err(io::Error::last_os_error()),
        0 => return Ok(None),
        _ if libc::WIFEXITED(status) => Change::Exited(libc::WEXITSTATUS(status)),
        _ if libc::WIFSIGNALED(status) => Change::Killed(libc::WTERMSIG(status)),
        _ if libc::WIFSTOPPED(status) => Change::Stopped(libc::WSTOPSIG(status)),
        _ => Change::Continued,
    };
    Ok(Some((Pid::from_raw(pid), change)))
}

/// Ends the process at once. Libraries' exit handlers do not run: a thread that hangs in a driver would make them hang.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: always sound; nothing of ours is left to be flushed.
    unsafe { libc::_exit(status) }
}

/// The fields of `perf_event_attr` up to its first published size (64 bytes, linux/perf_event.h).
#[repr(C)]
#[derive(Default)]
struct PerfEventAttr {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    config1: u64,
}

const PERF_TYPE_SOFTWARE: u32 = 1;
const PERF_COUNT_SW_TASK_CLOCK: u64 = 1;
const PERF_ATTR_SIZE_VER0: u32 = 64;
const PERF_FLAG_INHERIT: u64 = 1 << 1;
/// Lets an ordinary user open the counter at perf_event_paranoid 2; a software clock counts kernel time all the same.
const PERF_FLAG_EXCLUDE_KERNEL: u64 = 1 << 5;
const PERF_FLAG_EXCLUDE_HV: u64 = 1 << 6;
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 1 << 3;

/// Opens a counter of processor time, in nanoseconds, of this thread and of all that it starts from now on.
pub fn open_task_clock() -> io::Result<File> {
    let attr = PerfEventAttr {
        kind: PERF_TYPE_SOFTWARE,
        size: PERF_ATTR_SIZE_VER0,
        config: PERF_COUNT_SW_TASK_CLOCK,
        flags: PERF_FLAG_INHERIT | PERF_FLAG_EXCLUDE_KERNEL | PERF_FLAG_EXCLUDE_HV,
        ..PerfEventAttr::default()
    };
    let (this_thread, any_cpu, no_group) = (0, -1, -1);
    // SAFETY: attr is of the size it states, and outlives the call.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attr,
            this_thread,
            any_cpu,
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call just returned this descriptor, and nobody else owns it.
    Ok(unsafe { File::from_raw_fd(fd) })
}
