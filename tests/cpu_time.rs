//! Processor time of all that the command starts, against processes that burn an exact amount of it.

use crate::support::{Sandbox, assert_near};
use nix::time::{ClockId, clock_gettime};
use std::env;
use std::time::Duration;

/// Not a test of the program: the test binary starts itself as the process whose processor time is known.
#[test]
fn burner() {
    let Ok(seconds) = env::var("BURN_S") else { return };
    let seconds = Duration::from_secs_f64(seconds.parse().unwrap());
    // All of it counts: this process's own start too.
    while Duration::from(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap()) < seconds {
        std::hint::spin_loop();
    }
}

/// A piece of shell that burns so many seconds of processor time, after all others: the other tests wait for clocks.
fn burn(seconds: f64) -> String {
    let this = env::current_exe().unwrap();
    let this = this.display();
    format!("BURN_S={seconds} nice '{this}' --exact cpu_time::burner --nocapture > /dev/null 2>&1")
}

/// Runs a piece of shell and compares its processor time.
#[track_caller]
fn assert_cpu_time(shell: &str, seconds: f64) {
    let run = Sandbox::new().run(&["-q", "--", "sh", "-c", shell]);
    assert_eq!(run.code, Some(0), "{run}");
    let counted = run.summary["cpu_time_s"].as_f64().unwrap_or_else(|| panic!("no processor time: {run}"));
    assert_near(counted, seconds, 0.03);
    let basis = run.summary["cpu_time_basis"].as_str();
    assert!(matches!(basis, Some("perf" | "rusage")), "{basis:?}");
}

#[test]
fn one_process_of_5_s() {
    assert_cpu_time(&burn(5.0), 5.0);
}

#[test]
fn one_process_of_1_5_s() {
    assert_cpu_time(&burn(1.5), 1.5);
}

#[test]
fn twenty_processes_in_succession_of_0_25_s() {
    let one = burn(0.25);
    assert_cpu_time(&format!("for i in $(seq 20); do {one} || exit 1; done"), 5.0);
}

#[test]
fn a_worker_in_a_session_of_its_own_of_4_s() {
    // The worker is nobody's child when it ends; the command waits on a pipe, which costs nothing, and outlives it.
    let worker = burn(4.0).replace('\'', "");
    assert_cpu_time(
        &format!("mkfifo done; setsid -f sh -c '{worker}; echo > done'; read x < done; sleep 0.2"),
        4.0,
    );
}

#[test]
fn a_worker_forked_twice_of_4_s() {
    let worker = burn(4.0);
    assert_cpu_time(&format!("mkfifo done; ( ( {worker}; echo > done ) & ); read x < done; sleep 0.2"), 4.0);
}

#[test]
fn a_worker_that_is_still_alive_when_the_command_ends_is_counted_up_to_then() {
    let sandbox = Sandbox::new();
    let worker = burn(1.0).replace('\'', "");
    // It burns a second, says so, and sleeps on; the command ends meanwhile.
    let shell = format!(
        "mkfifo done; setsid -f sh -c '{worker}; echo > done; exec sleep 2' 2> /dev/null; read x < done"
    );
    let run = sandbox.run(&["-q", "--", "sh", "-c", &shell]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_near(run.summary["cpu_time_s"].as_f64().unwrap(), 1.0, 0.03);
    assert!(run.duration_s() < 30.0);
}
