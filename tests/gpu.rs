//! The GPUs: a simulated NVML whose true power is known, read through the real library's interface.

use crate::support::{Outcome, Sandbox, assert_near};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a component must hold after a run at this constant power.
#[track_caller]
fn assert_drew(run: &Outcome, id: &str, watts: f64) {
    assert_eq!(run.code, Some(0), "{run}");
    assert_near(run.joules(id).value, watts * run.duration_s(), 0.01);
}

#[test]
fn ten_seconds_at_250_w_are_2500_j_within_1_percent() {
    let run = Sandbox::new().gpu_script("0,0,250").run(&["--", "sleep", "10"]);
    assert_drew(&run, "gpu:0", 250.0);
    assert_near(run.duration_s(), 10.0, 0.05);
    let gpu = run.component("gpu:0");
    assert_eq!((&gpu["method"], &gpu["basis"]), (&"nvml-energy-counter".into(), &"measured".into()));
    assert_eq!(gpu["kind"], "gpu");
    // An energy counter is known to 5 %; from 10 s on its steps do not show.
    let energy = run.joules("gpu:0");
    assert_near(energy.low, 0.95 * energy.value, 0.002);
    assert_near(energy.high, 1.05 * energy.value, 0.002);
}

#[test]
fn a_short_run_is_as_right_and_says_that_the_counter_has_steps() {
    let run = Sandbox::new().gpu_script("counter_step_ms = 100\n0,0,250").run(&["--", "sleep", "3"]);
    assert_eq!(run.code, Some(0), "{run}");
    let (energy, duration) = (run.joules("gpu:0"), run.duration_s());
    // The counter stands still for 100 ms: at each end 25 J may be missing or too many.
    assert!((energy.value - 250.0 * duration).abs() <= 7.5 + 25.0, "{energy:?} in {duration} s");
    // One step of 100 ms × mean power on each side, beside the 5 % of the counter.
    let step = energy.value * 0.1 / duration;
    assert_near(energy.low, 0.95 * energy.value - step, 0.01);
    assert_near(energy.high, 1.05 * energy.value + step, 0.01);
    assert!(energy.low <= 250.0 * duration && 250.0 * duration <= energy.high);
}

#[test]
fn two_gpus_add() {
    let run =
        Sandbox::new().gpu_script("0,0,250\n0,1,100").run(&["--boundary", "components", "--", "sleep", "3"]);
    assert_drew(&run, "gpu:0", 250.0);
    assert_drew(&run, "gpu:1", 100.0);
    assert_eq!(run.components(), ["gpu:0", "gpu:1", "cpu:0", "memory:0"]);
    let sum: f64 = run.components().iter().map(|id| run.joules(id).value).sum();
    assert_near(run.summary["energy_kwh"]["value"].as_f64().unwrap() * 3.6e6, sum, 1e-9);
    assert_eq!(run.summary["coverage"]["gpus_seen"], 2);
}

#[test]
fn constant_power_without_a_counter_is_not_lost() {
    let run = Sandbox::new().gpu_script("energy_counter = false\n0,0,250").run(&["--", "sleep", "3"]);
    assert_drew(&run, "gpu:0", 250.0);
    assert_eq!(run.component("gpu:0")["method"], "nvml-power");
}

#[test]
fn a_counter_that_falls_is_a_reset_and_what_was_counted_stays() {
    let run = Sandbox::new().gpu_script("0,0,250\n1500,0,reset").run(&["--", "sleep", "3"]);
    // Counted: 0 to 1 s and 2 to 3 s. The second between is filled with the power beside it.
    assert_drew(&run, "gpu:0", 250.0);
    let gap_s = run.component("gpu:0")["gap_s"].as_f64().unwrap();
    assert!((0.5..2.0).contains(&gap_s), "{gap_s}");
    assert!(run.notes().contains("gpu:0") && run.notes().contains("counter started again"), "{run}");
}

#[test]
fn a_gpu_lost_in_the_middle_keeps_what_it_had_and_the_other_goes_on() {
    let run = Sandbox::new().gpu_script("0,0,250\n0,1,100\n1500,0,error").run(&[
        "--sample-every",
        "200ms",
        "--",
        "sleep",
        "3",
    ]);
    assert_drew(&run, "gpu:1", 100.0);
    // Alive for 1.5 s, 375 J; at most the last sample's 200 ms, or some more on a busy machine, are not known.
    let lost = run.joules("gpu:0");
    assert!((250.0..=380.0).contains(&lost.value), "{lost:?}");
    // It may have gone on unseen.
    assert!(lost.high >= 250.0 * run.duration_s() * 0.95, "{lost:?}");
    let gap_s = run.component("gpu:0")["gap_s"].as_f64().unwrap();
    assert!(gap_s >= 1.4, "{gap_s}");
    // The record says so, and so does the summary.
    let notes = run.notes();
    let lost = notes.lines().find(|note| note.contains("gpu:0") && note.contains("lost"));
    assert!(lost.is_some_and(|note| run.says(note)), "{run}");
}

#[test]
fn energy_before_a_late_first_reading_is_there_with_its_interval() {
    let run = Sandbox::new().gpu_script("init_delay_ms = 2000\n0,0,250").run(&["--", "sleep", "4"]);
    assert_drew(&run, "gpu:0", 250.0);
    let gap_s = run.component("gpu:0")["gap_s"].as_f64().unwrap();
    assert!((1.9..3.0).contains(&gap_s), "{gap_s}");
    // What was not read may have been anything from nothing to twice that.
    let (energy, unread) = (run.joules("gpu:0"), 250.0 * gap_s);
    assert!(energy.low <= energy.value - unread, "{energy:?}");
    assert!(energy.high >= energy.value + unread, "{energy:?}");
    assert!(run.notes().contains("gpu:0"), "{run}");
}

#[test]
fn the_command_starts_within_50_ms_whatever_nvml_does() {
    let sandbox = Sandbox::new().gpu_script("init_delay_ms = 2000\n0,0,250");
    // The best of some: what else the machine does may hold one of them back, NVML would hold back all.
    let held_back = (0..8).map(|_| {
        let running = sandbox.start(&["-q", "--", "date", "+%s%N"]);
        let spawned = running.started.duration_since(UNIX_EPOCH).unwrap();
        let run = running.wait();
        assert_eq!(run.code, Some(0), "{run}");
        Duration::from_nanos(run.text().trim().parse().unwrap()).saturating_sub(spawned)
    });
    let best = held_back.min().unwrap();
    assert!(best < Duration::from_millis(50), "{best:?}");
}

#[test]
fn a_short_command_does_not_wait_for_nvml_at_its_end() {
    let sandbox = Sandbox::new().gpu_script("init_delay_ms = 20000\n0,0,250");
    let running = sandbox.start(&["--", "true"]);
    let spawned = running.started;
    let run = running.wait();
    assert!(spawned.elapsed().unwrap() < Duration::from_secs(2), "{run}");
    assert_eq!(run.code, Some(0));
    // Unknown is not 0: there is no such component, and the summary says why.
    assert!(!run.components().contains(&"gpu:0"), "{run}");
    assert!(run.notes().contains("NVML"), "{run}");
}

#[test]
fn the_devices_are_those_the_run_was_given() {
    let first = "GPU-aaaa0000-0000-4000-8000-000000000000";
    let third = "GPU-cccc0002-0000-4000-8000-000000000002";
    let cases: [(Option<&str>, &[&str]); 8] = [
        (None, &["gpu:0", "gpu:1", "gpu:2"]),
        (Some("1"), &["gpu:1"]),
        (Some("2,0"), &["gpu:0", "gpu:2"]),
        (Some(third), &["gpu:2"]),
        (Some("GPU-bbbb"), &["gpu:1"]),
        (Some(first), &["gpu:0"]),
        (Some(""), &[]),
        (Some("-1"), &[]),
    ];
    for (visible, expected) in cases {
        let mut sandbox = Sandbox::new().gpu_script("0,0,100\n0,1,200\n0,2,300");
        if let Some(visible) = visible {
            sandbox = sandbox.variable("CUDA_VISIBLE_DEVICES", visible);
        }
        let run = sandbox.run(&["--", "sleep", "0.2"]);
        let gpus: Vec<&str> = run.components().into_iter().filter(|id| id.starts_with("gpu")).collect();
        assert_eq!(gpus, expected, "{visible:?}\n{run}");
        let host: Vec<&str> = run.summary["host"]["gpus"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|gpu| gpu["id"].as_str())
            .collect();
        assert_eq!(host, expected, "{visible:?}");
    }
}

#[test]
fn the_option_for_gpus_beats_the_variable() {
    let sandbox = Sandbox::new().gpu_script("0,0,100\n0,1,200").variable("CUDA_VISIBLE_DEVICES", "0");
    let run = sandbox.run(&["--gpus", "1", "--", "true"]);
    assert!(run.components().contains(&"gpu:1") && !run.components().contains(&"gpu:0"), "{run}");
}

#[test]
fn a_driver_that_refuses_to_start_is_named_and_the_command_runs() {
    // 9: the driver is not loaded.
    let run = Sandbox::new().gpu_script("init_error = 9\n0,0,250").run(&["--", "sh", "-c", "exit 3"]);
    assert_eq!(run.code, Some(3), "{run}");
    assert!(run.notes().contains("driver") && run.stderr.contains("driver"), "{run}");
    assert!(!run.components().contains(&"gpu:0"));
}

#[test]
fn a_run_shorter_than_a_step_of_the_counter_is_known_all_the_same() {
    let run = Sandbox::new().gpu_script("counter_step_ms = 100\n0,0,250").run(&["--", "sleep", "0.03"]);
    assert_eq!(run.code, Some(0), "{run}");
    let (energy, truth) = (run.joules("gpu:0"), 250.0 * run.duration_s());
    assert!(energy.low <= truth && truth <= energy.high, "{energy:?}, truly {truth}: {run}");
    assert_near(energy.value, truth, 0.3);
}

#[test]
fn a_slow_counter_neither_lengthens_the_run_nor_shifts_its_energy() {
    let run = Sandbox::new().gpu_script("call_delay_ms = 300\n0,0,250").run(&["--", "sleep", "3"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!((run.duration_s() - 3.0).abs() <= 0.1, "{run}");
    assert_near(run.joules("gpu:0").value, 250.0 * run.duration_s(), 0.03);
}

#[test]
fn an_nvml_that_has_not_started_at_the_end_is_said_to_have_not() {
    let sandbox = Sandbox::new().gpu_script("init_delay_ms = 3000\n0,0,250");
    let run = sandbox.run(&["--", "sh", "-c", "sleep 1; date +%s%N"]);
    let now = SystemTime::now();
    assert_eq!(run.code, Some(0), "{run}");
    let ended = UNIX_EPOCH + Duration::from_nanos(run.text().trim().parse().unwrap());
    let held_up = now.duration_since(ended).unwrap();
    assert!(held_up <= Duration::from_millis(1500), "{held_up:?}: {run}");
    assert!(!run.components().iter().any(|id| id.starts_with("gpu")), "{run}");
    let notes = run.notes();
    assert!(notes.lines().any(|note| note.contains("NVML") && note.contains("not start")), "{run}");
    assert!(!notes.contains("did not answer"), "{run}");
}
