//! The wrapper's exit status is the command's, whatever the circumstances.

use crate::support::{Outcome, Sandbox};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

fn shell(script: &str) -> Outcome {
    Sandbox::new().run(&["--", "sh", "-c", script])
}

/// A run that another program starts.
fn shell_by(launcher: &[&str], script: &str) -> Outcome {
    Sandbox::new().start_by(launcher, &["--", "sh", "-c", script]).wait()
}

#[track_caller]
fn assert_status(run: &Outcome, status: i32) {
    assert_eq!((run.code, run.signal), (Some(status), None), "{run}");
}

#[test]
fn the_status_is_the_commands_own() {
    for status in [0, 3, 42, 255] {
        let run = shell(&format!("exit {status}"));
        assert_status(&run, status);
        assert_eq!(run.summary["exit"]["code"], status);
        assert_eq!(run.summary["exit"]["signal"], serde_json::Value::Null);
        assert_eq!(run.summary["status"], "completed");
    }
}

#[test]
fn a_command_killed_by_a_signal_gives_128_and_its_number() {
    for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11)] {
        let run = shell(&format!("kill -{name} $$"));
        assert_status(&run, 128 + number);
        assert_eq!(run.summary["exit"]["signal"], number);
        assert_eq!(run.summary["status"], "completed");
    }
}

#[test]
fn a_command_killed_by_a_real_time_signal_gives_128_and_its_number_too() {
    let run = Sandbox::new().run(&["--", "bash", "-c", "kill -34 $$"]);
    assert_status(&run, 162);
    assert_eq!(run.summary["exit"]["signal"], 34);
    assert_eq!(run.summary["status"], "completed");
}

#[test]
fn an_orphan_killed_by_a_real_time_signal_does_not_end_the_run() {
    let run = shell("(setsid bash -c 'sleep 0.3; kill -34 $$' &); sleep 1; exit 3");
    assert_status(&run, 3);
    assert!(run.duration_s() >= 1.0, "{run}");
    assert_eq!(run.summary["exit"]["code"], 3);
}

#[test]
fn a_command_killed_by_int_takes_the_wrapper_with_it_by_the_same_signal() {
    let run = shell("kill -INT $$");
    assert_eq!((run.code, run.signal), (None, Some(2)), "{run}");
    // But the record is finished first.
    assert_eq!(run.summary["exit"]["signal"], 2);
    assert_eq!(run.summary["status"], "completed");
}

#[test]
fn a_command_that_is_not_found_is_127_and_leaves_no_record() {
    for name in ["no-such-command-anywhere", "./no-such-file", "/no/such/path"] {
        let sandbox = Sandbox::new();
        let run = sandbox.run(&["--", name]);
        assert_status(&run, 127);
        assert!(run.stderr.contains(name), "{run}");
        assert_eq!(sandbox.records().len(), 0);
        assert_eq!(run.summary, serde_json::Value::Null);
    }
}

#[test]
fn a_command_that_cannot_be_executed_is_126_and_leaves_no_record() {
    let sandbox = Sandbox::new();
    sandbox.write("script", "#!/bin/sh\nexit 5\n");
    for name in ["./script", "/"] {
        let run = sandbox.run(&["--", name]);
        assert_status(&run, 126);
        assert!(run.stderr.contains(name), "{run}");
        assert_eq!(sandbox.records().len(), 0);
    }
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    let sandbox = Sandbox::new();
    sandbox.write("script", "echo \"$1,$2\"\nexit 7\n");
    fs::set_permissions(sandbox.path("script"), Permissions::from_mode(0o755)).unwrap();
    let run = sandbox.run(&["--", "./script", "a b", "c"]);
    assert_status(&run, 7);
    assert_eq!(run.text(), "a b,c\n");
}

#[test]
fn wrong_usage_is_2() {
    for wrong in [&["run"][..], &["run", "--no-such-option", "--", "true"], &["no-such-command"], &[]] {
        let outcome = Sandbox::new().emissions(wrong);
        assert_status(&outcome, 2);
        assert!(!outcome.stderr.is_empty() && outcome.stdout.is_empty(), "{outcome}");
    }
}

#[test]
fn an_ignored_sigchld_inherited_from_the_launcher_loses_no_status() {
    assert_status(&shell_by(&["env", "--ignore-signal=CHLD"], "exit 42"), 42);
    assert_status(&shell_by(&["env", "--ignore-signal=CHLD"], "kill -TERM $$"), 143);
    // Nor does the command start with it: it can wait for children of its own.
    assert_status(&shell_by(&["env", "--ignore-signal=CHLD"], "sh -c 'exit 5'; exit $?"), 5);
}

#[test]
fn closed_streams_change_nothing() {
    for closed in ["2>&-", "0<&-", ">&-", "0<&- >&- 2>&-"] {
        let launcher = format!("exec \"$@\" {closed}");
        let run = shell_by(&["sh", "-c", &launcher, "sh"], "exit 42");
        assert_status(&run, 42);
        assert_eq!(run.summary["exit"]["code"], 42, "the record is whole with {closed}");
    }
}

#[test]
fn under_nohup_a_hangup_ends_neither_wrapper_nor_command() {
    let run = shell_by(&["nohup"], "kill -HUP $PPID; kill -HUP $$; sleep 0.2; exit 5");
    assert_status(&run, 5);
    assert_eq!(run.summary["exit"]["code"], 5);
}

#[test]
fn in_the_background_an_interrupt_ends_neither_wrapper_nor_command() {
    // A shell without job control starts `&` with SIGINT and SIGQUIT ignored.
    let launcher = ["sh", "-c", "\"$@\" & wait $!", "sh"];
    let run = shell_by(&launcher, "kill -INT $PPID; kill -INT $$; kill -QUIT $PPID; sleep 0.2; exit 6");
    assert_status(&run, 6);
    assert_eq!(run.summary["exit"]["code"], 6);
}

#[test]
fn timeout_ends_the_command_and_the_record_is_finished() {
    let run = Sandbox::new().start_by(&["timeout", "0.5"], &["--", "sleep", "30"]).wait();
    assert_status(&run, 124);
    assert_eq!((&run.summary["status"], &run.summary["exit"]["signal"]), (&"completed".into(), &15.into()));
}

#[test]
fn the_command_gets_the_signals_as_it_would_have_without_us() {
    let masks = "grep -E 'Sig(Blk|Ign)' /proc/self/status";
    let sandbox = Sandbox::new();
    // Both by `env`, so that std starts both in the same way.
    let alone = sandbox.launch(&["env", "sh", "-c", masks].map(str::to_owned)).wait();
    let wrapped = sandbox.start_by(&["env"], &["--", "sh", "-c", masks]).wait();
    assert_eq!(wrapped.text(), alone.text());
}

#[test]
fn standard_output_is_byte_identical_with_and_without_the_wrapper() {
    let sandbox = Sandbox::new();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_001).collect();
    fs::write(sandbox.path("bytes"), &bytes).unwrap();
    let input = sandbox.path("bytes");
    let sandbox = sandbox.stdin(input);
    let run = sandbox.run(&["--place", "FRA", "--", "cat"]);
    assert_status(&run, 0);
    assert!(run.stdout == bytes, "{} bytes instead of {}", run.stdout.len(), bytes.len());
}

#[test]
fn the_command_has_our_directory_and_environment_and_two_variables_more() {
    let sandbox = Sandbox::new().variable("MINE", "as it was");
    let alone = sandbox.launch(&["sh", "-c", "pwd; env"].map(str::to_owned)).wait().text();
    let wrapped = sandbox.run(&["--", "sh", "-c", "pwd; env"]).text();
    let added: Vec<&str> =
        wrapped.lines().filter(|line| !alone.lines().any(|before| before == *line)).collect();
    let names: Vec<&str> = added.iter().filter_map(|line| line.split('=').next()).collect();
    assert_eq!(names.len(), 2, "{added:?}");
    assert!(names.contains(&"EMISSIONS_RUN") && names.contains(&"EMISSIONS_MARKS"), "{added:?}");
    assert!(alone.lines().all(|before| wrapped.lines().any(|line| line == before)), "{wrapped}");
}

#[test]
fn everything_from_the_command_on_is_the_commands() {
    let run = Sandbox::new().run(&["echo", "--json", "-q", "--", "--place", "x"]);
    assert_status(&run, 0);
    assert_eq!(run.text(), "--json -q -- --place x\n");
}
