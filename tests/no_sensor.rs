//! A machine without any meter: a figure all the same, labelled as the model it is.

use crate::support::{Sandbox, assert_near};
use serde_json::Value;

#[test]
fn without_any_sensor_the_figure_is_a_model_with_its_interval() {
    let run = Sandbox::new().run(&["--place", "FRA", "--", "sleep", "1"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.components(), ["cpu:0", "memory:0", "platform:0"]);
    for (id, method) in
        [("cpu:0", "cpu-load-model"), ("memory:0", "memory-model"), ("platform:0", "node-model")]
    {
        assert_eq!(run.component(id)["method"], method);
        assert_eq!(run.component(id)["basis"], "modelled");
        let energy = run.joules(id);
        assert!(0.0 < energy.low && energy.low < energy.value && energy.value < energy.high, "{energy:?}");
    }
    assert_eq!(run.summary["energy_kwh"]["basis"], "modelled");
    let seconds = run.duration_s();
    // One of four processors busy: 4 × (0.75 + 4.2 × 0.25^0.7) = 4 × (0.75 + 4.2 × 0.378929) = 9.366 W.
    assert_near(run.joules("cpu:0").value, 9.366 * seconds, 0.03);
    // 16 GB × 0.375 W.
    assert_near(run.joules("memory:0").value, 6.0 * seconds, 0.03);
    // 33 W and a fifth of the parts: 33 + 0.2 × 15.366 = 36.073 W.
    assert_near(run.joules("platform:0").value, 36.073 * seconds, 0.03);
}

#[test]
fn the_summary_says_what_was_missing_and_where_to_look() {
    let run = Sandbox::new().run(&["--place", "FRA", "--", "true"]);
    for said in ["nothing measured", "RAPL", "NVML", "emissions doctor"] {
        assert!(run.says(said), "`{said}` is not said\n{run}");
    }
    for noted in ["RAPL", "NVML"] {
        assert!(run.notes().contains(noted), "{run}");
    }
}

#[test]
fn what_is_not_known_is_null_and_never_0() {
    // Not even a load, a size of memory or a name of the processor.
    let sandbox = Sandbox::new().without("proc").without("sys");
    let run = sandbox.run(&["--place", "FRA", "--", "sh", "-c", "sleep 0.3; exit 3"]);
    assert_eq!(run.code, Some(3), "{run}");
    for unknown in ["boot_id", "cpu_model", "logical_cpus", "memory_bytes"] {
        assert_eq!(run.summary["host"][unknown], Value::Null, "{unknown}");
    }
    assert_eq!(run.components(), ["platform:0"], "{run}");
    let mut zeros = Vec::new();
    find_zeros("", &run.summary, &mut zeros);
    // Known to be 0: the run has ended and was never stopped, nothing was measured, and a model misses no reading.
    assert_eq!(run.summary["status"], "completed");
    let known = ["/stopped_s", "/suspended_j", "/measured_share", "/components/0/gap_s"];
    zeros.retain(|path| !known.contains(&path.as_str()));
    assert_eq!(zeros, [""; 0], "{run}");
}

#[test]
fn with_chips_alone_and_no_chip_known_there_is_no_figure_at_all() {
    let sandbox = Sandbox::new().without("proc").without("sys");
    let run = sandbox.run(&["--place", "FRA", "--boundary", "components", "--", "sh", "-c", "exit 3"]);
    assert_eq!(run.code, Some(3), "{run}");
    for unknown in ["energy_kwh", "facility_energy_kwh", "emissions_g", "measured_share"] {
        assert_eq!(run.summary[unknown], Value::Null, "{unknown}");
    }
    let said_zero = run.lines().iter().any(|line| {
        let mut words = line.split_whitespace();
        words.any(|word| ["0", "0.0", "0.00", "0g", "0Wh"].contains(&word))
    });
    assert!(!said_zero, "{run}");
}

/// The paths of all numbers that are exactly 0.
fn find_zeros(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => found.push(path.to_owned()),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                find_zeros(&format!("{path}/{index}"), value, found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                find_zeros(&format!("{path}/{name}"), value, found);
            }
        }
        _ => {}
    }
}
