//! `emissions doctor`: what can be measured here, what cannot, why, and what would mend it.

use crate::support::{Outcome, Sandbox, flat};
use std::fs;

#[track_caller]
fn assert_says(doctor: &Outcome, words: &[&str]) {
    for word in words {
        assert!(flat(&doctor.text()).contains(word), "`{word}` is not said\n{doctor}");
    }
}

#[test]
fn what_is_there_is_named_with_its_method() {
    let sandbox = Sandbox::new().gpu_script("name = NVIDIA H100 PCIe\n0,0,250\n0,1,100").zone(
        "intel-rapl:0",
        "package-0",
        1_000_000,
    );
    let doctor = sandbox.look(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor}");
    assert_says(&doctor, &["gpu:0", "gpu:1", "NVIDIA H100 PCIe", "nvml-energy-counter", "package-0", "RAPL"]);
    // Memory has no zone here.
    assert_says(&doctor, &["memory-model"]);
}

#[test]
fn what_is_absent_is_named_with_reason_and_remedy() {
    let sandbox =
        Sandbox::new().zone("intel-rapl:0", "package-0", 1_000_000).unreadable("intel-rapl:0").unprivileged();
    let doctor = sandbox.look(&["doctor"]);
    let counter = sandbox.counter("intel-rapl:0").display().to_string();
    assert_says(
        &doctor,
        &["NVML", &counter, "Permission denied (os error 13)", "sudo chmod", "cpu-load-model"],
    );
}

#[test]
fn every_setting_is_shown_with_its_origin() {
    let sandbox = Sandbox::new().variable("EMISSIONS_PROJECT", "p-of-the-environment");
    sandbox.write("emissions.toml", "\nplace = \"FRA\"\nstore = \"/not/this\"\n");
    let doctor = sandbox.look(&["doctor", "--pue", "1.25"]);
    assert_says(
        &doctor,
        &["FRA", "emissions.toml:2", "1.25", "--pue", "p-of-the-environment", "EMISSIONS_PROJECT"],
    );
    // The store is the user's own, and what the repository wanted is said to be ignored.
    assert_says(&doctor, &["ignored"]);
    assert!(sandbox.store().to_str().is_some_and(|store| doctor.text().contains(store)), "{doctor}");
}

#[test]
fn as_json_it_is_one_document() {
    let doctor = Sandbox::new().gpu_script("0,0,250").look(&["doctor", "--json"]);
    assert_eq!(doctor.code, Some(0), "{doctor}");
    let json = doctor.json();
    assert!(json.is_object());
    assert!(doctor.text().contains("gpu:0") && doctor.text().contains("RAPL"), "{doctor}");
}

#[test]
fn it_leaves_no_run_behind() {
    let sandbox = Sandbox::new();
    sandbox.look(&["doctor"]);
    assert_eq!(sandbox.records().len(), 0);
}

#[test]
fn it_leaves_nothing_behind() {
    // As the specification of the base directories has it, empty is not set: `~/.local/share`.
    let unset = Sandbox::new().variable("XDG_DATA_HOME", "").variable("XDG_CONFIG_HOME", "");
    for sandbox in [unset, Sandbox::new()] {
        let doctor = sandbox.look(&["doctor"]);
        assert_eq!(doctor.code, Some(0), "{doctor}");
        for folder in [sandbox.home(), sandbox.path("")] {
            let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}
