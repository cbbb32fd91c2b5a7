//! What the kernel says of processes. Always the real one, whatever `--host-root` says.

use nix::unistd::{Pid, SysconfVar, sysconf};
use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// A line of `/proc/PID/stat`, as far as it matters here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Process {
    pub parent: Pid,
    /// User and system time of the process and of the children it has waited for, in clock ticks.
    pub ticks: u64,
}

impl Process {
    pub fn read(pid: Pid) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name in parentheses may hold blanks and parentheses: fields are counted from the last one (proc(5)).
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        // Field 3 of proc(5), the state, is the first here: 4 is ppid, 14 to 17 utime, stime, cutime, cstime.
        let parent = fields.get(1)?.parse().ok()?;
        let ticks = number(11)? + number(12)? + number(13)? + number(14)?;
        Some(Self { parent: Pid::from_raw(parent), ticks })
    }
}

/// Whether `pid` is `ancestor` or descends from it.
pub fn descends_from(pid: Pid, ancestor: Pid) -> bool {
    let mut pid = pid;
    // Chains of parents are short; a bound keeps a changing table from looping.
    for _ in 0..4096 {
        if pid == ancestor {
            return true;
        }
        match Process::read(pid) {
            Some(process) if process.parent.as_raw() > 0 => pid = process.parent,
            _ => return false,
        }
    }
    false
}

/// Every living descendant of a process, zombies included.
pub fn descendants(of: Pid) -> Vec<(Pid, Process)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let all: HashMap<Pid, Process> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
        .filter_map(|pid| Some((pid, Process::read(pid)?)))
        .collect();
    let is_descendant = |pid: Pid| {
        let mut pid = pid;
        for _ in 0..all.len() {
            match all.get(&pid) {
                Some(process) if process.parent == of => return true,
                Some(process) => pid = process.parent,
                None => return false,
            }
        }
        false
    };
    all.iter().filter(|(pid, _)| is_descendant(**pid)).map(|(pid, process)| (*pid, *process)).collect()
}

/// Clock ticks as time.
pub fn time_of(ticks: u64) -> Duration {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100).max(1);
    Duration::from_secs_f64(ticks as f64 / per_second as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let stat = "42 (a (b) c) S 7 42 42 0 -1 4194304 1 2 3 4 100 20 3 1 20 0 1 0 5 6 7";
        assert_eq!(Process::parse(stat), Some(Process { parent: Pid::from_raw(7), ticks: 124 }));
    }

    #[test]
    fn this_process_descends_from_its_parent() {
        let me = Pid::this();
        assert!(descends_from(me, me));
        assert!(descends_from(me, Pid::parent()));
        assert!(!descends_from(Pid::parent(), me));
    }
}
