//! Signals that somebody sends to the wrapper.

use crate::support::{Outcome, Running, Sandbox, assert_near, patiently, state_of};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::time::{Duration, Instant};

/// Shell that notes every TERM it gets, ends 300 ms after the first, and gives up after ten seconds.
const NOTES_TERM: &str = "trap 'echo TERM >> got' TERM; echo ready > ready; \
     for i in $(seq 200); do [ -s got ] && break; sleep 0.05; done; sleep 0.3; exit 9";

/// Starts a piece of shell and waits until it says that it is ready.
fn started(sandbox: &Sandbox, options: &[&str], shell: &str) -> Running {
    let running = sandbox.start(&[options, &["--", "sh", "-c", shell]].concat());
    sandbox.wait_for("ready");
    running
}

#[track_caller]
fn assert_completed(run: &Outcome, status: i32) {
    assert_eq!((run.code, run.signal), (Some(status), None), "{run}");
    assert_eq!(run.summary["status"], "completed");
    assert_eq!(run.summary["exit"]["code"], status);
}

#[test]
fn a_term_sent_to_the_wrapper_reaches_the_command_once_and_the_record_is_finished() {
    let sandbox = Sandbox::new();
    let running = started(&sandbox, &[], NOTES_TERM);
    running.signal(Signal::SIGTERM);
    let run = running.wait();
    assert_completed(&run, 9);
    assert_eq!(sandbox.read("got"), "TERM\n");
    assert_eq!(sandbox.record().last().unwrap()["type"], "end");
}

#[test]
fn a_command_that_dies_of_the_forwarded_term_gives_143() {
    let sandbox = Sandbox::new();
    let running = started(&sandbox, &[], "echo ready > ready; exec sleep 30");
    running.signal(Signal::SIGTERM);
    let run = running.wait();
    assert_eq!((run.code, run.signal), (Some(143), None), "{run}");
    assert_eq!(run.summary["exit"]["signal"], 15);
    assert_eq!(run.summary["status"], "completed");
}

#[test]
fn other_signals_sent_to_the_wrapper_are_forwarded_too() {
    for (signal, name) in [
        (Signal::SIGINT, "INT"),
        (Signal::SIGQUIT, "QUIT"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGUSR1, "USR1"),
        (Signal::SIGUSR2, "USR2"),
    ] {
        let sandbox = Sandbox::new();
        let running = started(&sandbox, &[], &NOTES_TERM.replace("TERM", name));
        running.signal(signal);
        let run = running.wait();
        assert_completed(&run, 9);
        assert_eq!(sandbox.read("got"), format!("{name}\n"));
    }
}

#[test]
fn a_signal_that_the_command_itself_sends_is_not_sent_back() {
    let sandbox = Sandbox::new();
    let run =
        sandbox.run(&["--", "sh", "-c", "trap 'echo TERM >> got' TERM; kill -TERM $PPID; sleep 0.3; exit 4"]);
    assert_completed(&run, 4);
    assert_eq!(sandbox.read("got"), "");
}

#[test]
fn nor_is_one_that_a_descendant_of_the_command_sends() {
    let sandbox = Sandbox::new();
    // It lives on for a moment: of a sender that is gone nobody can tell whose it was.
    let run = sandbox.run(&[
        "--",
        "sh",
        "-c",
        "trap 'echo TERM >> got' TERM; wrapper=$PPID; sh -c \"sh -c 'kill -TERM $wrapper; sleep 0.3'\"; exit 4",
    ]);
    assert_completed(&run, 4);
    assert_eq!(sandbox.read("got"), "");
}

#[test]
fn with_no_forward_the_command_hears_nothing() {
    let sandbox = Sandbox::new();
    let shell = "trap 'echo TERM >> got' TERM; echo ready > ready; sleep 0.5; exit 4";
    let running = started(&sandbox, &["--no-forward"], shell);
    running.signal(Signal::SIGTERM);
    assert_completed(&running.wait(), 4);
    assert_eq!(sandbox.read("got"), "");
}

#[test]
fn the_journal_is_flushed_before_a_signal_is_passed_on() {
    let sandbox = Sandbox::new().gpu_script("0,0,250");
    // Nothing would be due for an hour. The command looks for itself when the signal arrives.
    let samples = "grep -c '\"type\":\"sample\"' ../home/data/emissions/runs/*.jsonl";
    let shell = format!(
        "trap '{{ {samples}; }} > seen; exit 0' TERM; echo ready > ready; \
                         for i in $(seq 200); do sleep 0.05; done"
    )
    .replace("'\"type\":\"sample\"'", "type.:.sample");
    let running = started(&sandbox, &["--record-every", "1h"], &shell);
    running.signal(Signal::SIGTERM);
    assert_completed(&running.wait(), 0);
    let seen: u32 = sandbox.wait_for("seen").parse().unwrap();
    assert!(seen >= 1, "{seen}");
}

#[test]
fn a_command_stopped_by_sigstop_does_not_stop_the_wrapper_and_the_time_is_not_charged() {
    let sandbox = Sandbox::new().gpu_script("0,0,250");
    let running = started(&sandbox, &["--sample-every", "100ms"], "echo $$ > ready; kill -STOP $$; exit 6");
    let command = sandbox.wait_for_pid("ready");
    patiently("the command to stop", || (state_of(command) == Some('T')).then_some(()));
    std::thread::sleep(Duration::from_secs(1));
    assert_ne!(state_of(running.pid()), Some('T'));
    nix::sys::signal::kill(Pid::from_raw(command), Signal::SIGCONT).unwrap();
    let run = running.wait();
    assert_completed(&run, 6);
    let (stopped, duration) = (run.summary["stopped_s"].as_f64().unwrap(), run.duration_s());
    assert!((0.9..=duration).contains(&stopped), "{stopped} of {duration}");
    // What the GPU drew meanwhile is kept apart: 250 W × the time.
    assert_near(run.summary["suspended_j"].as_f64().unwrap(), 250.0 * stopped, 0.1);
    assert!(run.joules("gpu:0").value <= 250.0 * (duration - stopped) + 50.0, "{run}");
}

#[test]
fn a_cont_sent_to_the_wrapper_wakes_a_stopped_command() {
    let sandbox = Sandbox::new();
    let running = started(&sandbox, &[], "echo $$ > ready; kill -STOP $$; exit 6");
    let command = sandbox.wait_for_pid("ready");
    patiently("the command to stop", || (state_of(command) == Some('T')).then_some(()));
    running.signal(Signal::SIGCONT);
    assert_completed(&running.wait(), 6);
}

#[test]
fn the_run_ends_when_the_command_ends_unless_told_to_wait_for_all() {
    let shell = "(sleep 1.5; echo done > late) & exit 3";
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--", "sh", "-c", shell]);
    assert_completed(&run, 3);
    assert!(run.duration_s() < 1.4, "{run}");

    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--wait-all", "--", "sh", "-c", shell]);
    assert_completed(&run, 3);
    assert!(run.duration_s() >= 1.4, "{run}");
    assert_eq!(sandbox.read("late"), "done\n");
}

#[test]
fn a_term_ends_the_wait_for_what_the_command_left_running() {
    let sandbox = Sandbox::new();
    let shell = "echo $$ > command; sleep 30 & echo $! > left; exit 0";
    let running = sandbox.start(&["--wait-all", "--", "sh", "-c", shell]);
    let (command, left) = (sandbox.wait_for_pid("command"), sandbox.wait_for_pid("left"));
    patiently("the command to end", || state_of(command).is_none().then_some(()));
    assert!(sandbox.path("left").exists() && state_of(running.pid()).is_some_and(|state| state != 'Z'));
    running.signal(Signal::SIGTERM);
    let run = running.wait_at_most(Duration::from_secs(3));
    // It may have been ended too.
    let _ = nix::sys::signal::kill(Pid::from_raw(left), Signal::SIGKILL);
    assert_completed(&run, 0);
    assert_eq!(sandbox.record().last().unwrap()["type"], "end");
}

#[test]
fn an_interrupt_while_the_wrapper_starts_ends_it_at_once() {
    for delay in (0..=30).step_by(2).map(Duration::from_millis) {
        // NVML is waited for, for a moment.
        let sandbox = Sandbox::new().gpu_script("init_delay_ms = 500\n0,0,250");
        let running = sandbox.start(&["-q", "--", "sleep", "30"]);
        std::thread::sleep(delay);
        running.signal(Signal::SIGINT);
        // Without a command yet it is for the wrapper, later it is for the command: both die of it.
        let run = running.wait_at_most(Duration::from_secs(5));
        assert_eq!((run.code, run.signal), (None, Some(2)), "after {delay:?}: {run}");
    }
}

#[test]
fn slow_sensors_do_not_shift_when_a_run_was_stopped() {
    let cases = [("call_delay_ms = 400\n0,0,250", 1), ("call_delay_ms = 400\n0,0,250\n0,1,250", 2)];
    let runs = cases.map(|(script, gpus)| {
        let sandbox = Sandbox::new().gpu_script(script);
        let running = started(&sandbox, &[], "echo $$ > ready; exec sleep 4");
        let command = Pid::from_raw(sandbox.wait_for_pid("ready"));
        (sandbox, running, command, gpus)
    });
    let all = |signal| {
        runs.iter().for_each(|(_, _, command, _)| nix::sys::signal::kill(*command, signal).unwrap());
        Instant::now()
    };
    std::thread::sleep(Duration::from_secs(1));
    let stopped = all(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_secs(2));
    let truly_s = (all(Signal::SIGCONT) - stopped).as_secs_f64();
    for (_sandbox, running, _, gpus) in runs {
        let run = running.wait();
        assert_completed(&run, 0);
        let (stopped_s, duration) = (run.summary["stopped_s"].as_f64().unwrap(), run.duration_s());
        assert!((stopped_s - truly_s).abs() <= 0.3, "{stopped_s} s instead of {truly_s} s: {run}");
        for gpu in ["gpu:0", "gpu:1"].iter().take(gpus) {
            let (joules, charged) = (run.joules(gpu).value, 250.0 * (duration - truly_s));
            assert!(
                (joules / charged - 1.0).abs() <= 0.15,
                "{gpu}: {joules} J instead of {charged} J: {run}"
            );
        }
        // A round of two such GPUs takes 1.6 s: what passed before a GPU's first reading nobody saw.
        if gpus == 1 {
            assert_near(run.summary["suspended_j"].as_f64().unwrap(), 250.0 * truly_s, 0.15);
        }
    }
}
