//! `emissions monitor`: the machine itself, without a command.

use crate::support::{Sandbox, assert_near};
use nix::sys::signal::Signal;

#[test]
fn the_machine_is_tracked_for_the_time_given() {
    let sandbox = Sandbox::new().gpu_script("0,0,250");
    let summary = sandbox.arg("summary.json");
    let run = sandbox.look(&["monitor", "--duration", "1s", "--place", "FRA", "--summary", &summary]);
    assert_eq!(run.code, Some(0), "{run}");
    let summary: serde_json::Value = serde_json::from_str(&sandbox.read("summary.json")).unwrap();
    assert_eq!((&summary["status"], &summary["command"]), (&"completed".into(), &serde_json::Value::Null));
    let seconds = summary["duration_s"].as_f64().unwrap();
    assert_near(seconds, 1.0, 0.3);
    let gpu = summary["components"].as_array().unwrap().iter().find(|part| part["id"] == "gpu:0").unwrap();
    assert_near(gpu["energy_kwh"]["value"].as_f64().unwrap() * 3.6e6, 250.0 * seconds, 0.03);
    assert_eq!(sandbox.records().len(), 1);
}

#[test]
fn an_interrupt_ends_it_with_a_whole_record() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let sandbox = Sandbox::new();
        let host = sandbox.host().display().to_string();
        let line = [&sandbox.program(), "monitor", "--host-root", &host].map(str::to_owned);
        let running = sandbox.launch(&line);
        crate::support::patiently("its record", || (sandbox.records().len() == 1).then_some(()));
        running.signal(signal);
        let run = running.wait();
        assert_eq!(sandbox.record().last().unwrap()["status"], "completed", "{run}");
        assert!(run.stderr.contains("Energy"), "{run}");
    }
}
