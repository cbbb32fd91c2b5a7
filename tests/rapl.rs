//! RAPL: a tree of powercap zones whose counters the wrapped command itself moves, so that every energy is exact.

use crate::support::{Outcome, Sandbox, assert_near};

/// Runs a piece of shell as the command.
fn run(sandbox: &Sandbox, shell: &str) -> Outcome {
    let run = sandbox.run(&["--", "sh", "-c", shell]);
    assert_eq!(run.code, Some(0), "{run}");
    run
}

#[track_caller]
fn assert_exact(run: &Outcome, id: &str, joules: f64) {
    assert_near(run.joules(id).value, joules, 1e-9);
    assert_eq!(run.component(id)["method"], "rapl");
    assert_eq!(run.component(id)["basis"], "measured");
}

#[test]
fn a_wrap_is_exact_and_each_zone_has_its_own() {
    let sandbox = Sandbox::new()
        // 50 J before its end.
        .zone("intel-rapl:0", "package-0", 262_143_328_850 - 50_000_000)
        // 7 J before the end of a shorter counter.
        .zone_with_range("intel-rapl:1", "package-1", 65_532_610_987 - 7_000_000, 65_532_610_987)
        .zone("intel-rapl:2", "package-2", 10_000_000);
    let moved = sandbox.set("intel-rapl:0", 30_000_000)
        + &sandbox.set("intel-rapl:1", 4_000_000)
        + &sandbox.set("intel-rapl:2", 35_000_000);
    let run = run(&sandbox, &moved);
    assert_exact(&run, "cpu:0", 50.0 + 30.0);
    assert_exact(&run, "cpu:1", 7.0 + 4.0);
    assert_exact(&run, "cpu:2", 25.0);
    assert!(!run.notes().contains("counter"), "a wrap is no incident: {run}");
}

#[test]
fn a_counter_that_wraps_twice_loses_nothing() {
    // A counter of 60 J: read often enough, every round counts.
    let sandbox = Sandbox::new().zone_with_range("intel-rapl:0", "package-0", 50_000_000, 60_000_000);
    let pause = "sleep 0.6; ";
    let steps = [20_000_000, 55_000_000, 5_000_000].map(|energy| sandbox.set("intel-rapl:0", energy) + pause);
    let run = sandbox.run(&["--sample-every", "50ms", "--", "sh", "-c", &steps.concat()]);
    // 50 → 60 and 0 → 20: 30 J; 20 → 55: 35 J; 55 → 60 and 0 → 5: 10 J.
    assert_exact(&run, "cpu:0", 75.0);
}

#[test]
fn zones_that_hold_or_repeat_a_package_are_never_added() {
    let others = [
        ("intel-rapl:0:0", "core"),
        ("intel-rapl:0:1", "uncore"),
        ("intel-rapl:1", "psys"),
        ("intel-rapl-mmio:0", "package-0"),
    ];
    let mut sandbox = Sandbox::new().zone("intel-rapl:0", "package-0", 1_000_000);
    let mut moved = sandbox.set("intel-rapl:0", 101_000_000);
    for (folder, name) in others {
        sandbox = sandbox.zone(folder, name, 1_000_000);
        moved += &sandbox.set(folder, 901_000_000);
    }
    let run = run(&sandbox, &moved);
    assert_exact(&run, "cpu:0", 100.0);
    assert_eq!(run.components(), ["cpu:0", "memory:0", "platform:0"]);
    assert_eq!(run.component("memory:0")["method"], "memory-model");
}

#[test]
fn two_dies_of_one_package_are_summed() {
    let sandbox = Sandbox::new().zone("intel-rapl:0", "package-0-die-0", 1_000_000).zone(
        "intel-rapl:1",
        "package-0-die-1",
        2_000_000,
    );
    let moved = sandbox.set("intel-rapl:0", 61_000_000) + &sandbox.set("intel-rapl:1", 47_000_000);
    let run = run(&sandbox, &moved);
    assert_exact(&run, "cpu:0", 60.0);
    assert_exact(&run, "cpu:1", 45.0);
}

#[test]
fn memory_is_measured_where_it_has_a_zone() {
    let sandbox =
        Sandbox::new().zone("intel-rapl:0", "package-0", 1_000_000).zone("intel-rapl:0:0", "dram", 1_000_000);
    let moved = sandbox.set("intel-rapl:0", 61_000_000) + &sandbox.set("intel-rapl:0:0", 21_000_000);
    let run = run(&sandbox, &moved);
    assert_exact(&run, "cpu:0", 60.0);
    assert_exact(&run, "memory:0", 20.0);
}

#[test]
fn a_counter_nobody_may_read_gives_path_errno_and_remedy_and_the_cpu_falls_back_to_the_model() {
    let sandbox =
        Sandbox::new().zone("intel-rapl:0", "package-0", 1_000_000).unreadable("intel-rapl:0").unprivileged();
    let run = sandbox.run(&["--", "true"]);
    assert_eq!(run.code, Some(0), "{run}");
    let cpu = run.component("cpu:0");
    assert_eq!((&cpu["method"], &cpu["basis"]), (&"cpu-load-model".into(), &"modelled".into()));
    let counter = sandbox.counter("intel-rapl:0").display().to_string();
    // EACCES is 13.
    for said in [&counter, "Permission denied (os error 13)", "sudo chmod"] {
        assert!(run.notes().contains(said), "{said} is not in the notes\n{run}");
        assert!(run.says(said), "{said} is not in the summary\n{run}");
    }
}

#[test]
fn two_packages_of_which_one_is_unreadable_are_not_half_a_figure() {
    let sandbox = Sandbox::new()
        .zone("intel-rapl:0", "package-0", 1_000_000)
        .zone("intel-rapl:1", "package-1", 1_000_000)
        .unreadable("intel-rapl:1")
        .unprivileged();
    let run = sandbox.run(&["--", "true"]);
    assert_eq!(run.components(), ["cpu:0", "memory:0", "platform:0"]);
    assert_eq!(run.component("cpu:0")["method"], "cpu-load-model");
}

#[test]
fn a_counter_that_vanishes_after_its_first_reading_is_not_0() {
    let sandbox = Sandbox::new().zone("intel-rapl:0", "package-0", 1_000_000);
    let counter = sandbox.counter("intel-rapl:0").display().to_string();
    // 5 J, of which nobody can know.
    let shell = sandbox.set("intel-rapl:0", 6_000_000) + &format!("rm -f {counter}; sleep 0.5");
    let run = run(&sandbox, &shell);
    if run.components().contains(&"cpu:0") {
        let energy = run.joules("cpu:0");
        assert!(energy.low <= 5.0 && 5.0 <= energy.high && energy.high > 0.0, "{energy:?}: {run}");
    }
    let noted = run.notes().contains("cpu:0") || run.notes().contains(&counter);
    assert!(noted, "{run}");
}
