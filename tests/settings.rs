//! Where settings come from, which one counts, and what a cloned repository may not set.

use crate::support::{Outcome, Sandbox, exists_here, skip};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

fn user_config(sandbox: &Sandbox, text: &str) {
    let folder = sandbox.home().join("config/emissions");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), text).unwrap();
}

#[track_caller]
fn assert_place(run: &Outcome, id: &str, given_by: &str) {
    assert_eq!(run.code, Some(0), "{run}");
    let place = &run.summary["place"];
    assert_eq!((&place["id"], &place["given_by"]), (&id.into(), &given_by.into()));
}

#[test]
fn flag_then_environment_then_working_directory_then_user_then_default() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["--", "true"]).summary["place"]["given_by"], "default");
    user_config(&sandbox, "place = \"DEU\"\n");
    assert_place(&sandbox.run(&["--", "true"]), "DEU", "config");
    sandbox.write("emissions.toml", "place = \"FRA\"\n");
    assert_place(&sandbox.run(&["--", "true"]), "FRA", "config");
    let sandbox = sandbox.variable("EMISSIONS_PLACE", "ITA");
    assert_place(&sandbox.run(&["--", "true"]), "ITA", "environment");
    assert_place(&sandbox.run(&["--place", "ESP", "--", "true"]), "ESP", "flag");
}

#[test]
fn each_setting_is_looked_up_by_itself() {
    let sandbox = Sandbox::new().variable("EMISSIONS_TRAINING", "from-the-environment");
    user_config(&sandbox, "pue = 1.4\nproject = \"from-the-user\"\nplace = \"DEU\"\n");
    sandbox.write("emissions.toml", "place = \"FRA\"\npue = 1.2\n");
    let run = sandbox.run(&["--", "true"]);
    assert_place(&run, "FRA", "config");
    assert_eq!(
        (&run.summary["pue"]["value"], &run.summary["pue"]["given_by"]),
        (&1.2.into(), &"config".into())
    );
    assert_eq!(run.summary["project"], "from-the-user");
    assert_eq!(run.summary["training"], "from-the-environment");
}

#[test]
fn a_file_in_a_parent_of_the_working_directory_counts() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("../emissions.toml"), "place = \"FRA\"\n").unwrap();
    assert_place(&sandbox.run(&["--", "true"]), "FRA", "config");
}

#[test]
fn a_file_named_on_the_command_line_may_set_everything() {
    let sandbox = Sandbox::new();
    sandbox.write("mine.toml", &format!("place = \"FRA\"\nstore = \"{}\"\n", sandbox.arg("elsewhere")));
    assert_place(&sandbox.run(&["--config", "mine.toml", "--", "true"]), "FRA", "config");
    assert_eq!(fs::read_dir(sandbox.path("elsewhere")).unwrap().count(), 1);
}

#[test]
fn the_environment_may_name_the_store() {
    let sandbox = Sandbox::new();
    let store = sandbox.arg("elsewhere");
    let sandbox = sandbox.variable("EMISSIONS_STORE", &store);
    sandbox.run(&["--", "true"]);
    assert_eq!(fs::read_dir(&store).unwrap().count(), 1);
    assert_eq!(sandbox.emissions(&["runs", "list", "--json"]).json().as_array().unwrap().len(), 1);
}

#[test]
fn a_cloned_repository_cannot_make_us_write_outside_the_store() {
    let sandbox = Sandbox::new();
    let (store, csv) = (sandbox.arg("their-store"), sandbox.arg("their.csv"));
    let summary = sandbox.arg("their.json");
    sandbox.write(
        "emissions.toml",
        &format!(
            "store = \"{store}\"\ncsv = \"{csv}\"\nsummary = \"{summary}\"\nplace = \"FRA\"\npue = 1.2\n"
        ),
    );
    let run = sandbox.run(&["--", "true"]);
    assert_place(&run, "FRA", "config");
    for theirs in [&store, &csv, &summary] {
        assert!(!fs::exists(theirs).unwrap(), "{theirs} was written");
    }
    assert_eq!(sandbox.records().len(), 1, "the record is in the user's own store");
    for ignored in ["store", "csv"] {
        let told = run.lines().iter().any(|line| {
            line.contains("emissions.toml") && line.contains(ignored) && line.contains("ignored")
        });
        assert!(told, "nothing is said of `{ignored}`\n{run}");
    }
}

#[test]
fn a_cloned_repository_cannot_make_us_open_a_socket() {
    let trace = ["strace", "-f", "-o", "trace", "-e", "trace=socket,connect,sendto,sendmsg"];
    if !exists_here(&[&trace[..], &["true"]].concat()) {
        return skip("strace cannot trace here");
    }
    let sandbox = Sandbox::new();
    sandbox.write(
        "emissions.toml",
        "place = \"FRA\"\nendpoint = \"http://192.0.2.1/\"\nlive = true\nprometheus = \"192.0.2.1:9091\"\n\
         csv = \"tcp://192.0.2.1\"\n",
    );
    let run = sandbox.start_by(&trace, &["--", "true"]).wait();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!sandbox.read("trace").contains("socket("), "{}", sandbox.read("trace"));

    // `auto` asks the cloud's metadata service: that is not for a repository to want.
    sandbox.write("emissions.toml", "place = \"auto\"\n");
    sandbox.start_by(&trace, &["--", "true"]).wait();
    assert!(!sandbox.read("trace").contains("socket("), "{}", sandbox.read("trace"));
}

#[test]
fn a_setting_that_does_not_exist_is_said_and_does_not_stop_the_run() {
    let sandbox = Sandbox::new();
    sandbox.write("emissions.toml", "plaec = \"FRA\"\n");
    let run = sandbox.run(&["--", "true"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("plaec"), "{run}");
}

#[test]
fn a_file_of_the_users_that_cannot_be_read_is_said_and_does_not_stop_the_run() {
    let sandbox = Sandbox::new();
    user_config(&sandbox, "place = \"FRA\"\n");
    let file = sandbox.home().join("config/emissions/config.toml");
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let file = file.display().to_string();
    let sandbox = sandbox.unprivileged();
    let run = sandbox.run(&["-q", "--", "sh", "-c", "exit 3"]);
    assert_eq!(run.code, Some(3), "{run}");
    assert!(run.lines().len() == 1 && run.stderr.contains(&file), "{run}");
    assert!(run.stderr.contains("Permission denied"), "{run}");
    // What is asked for by name must be there.
    let run = sandbox.run(&["--config", &file, "--", "touch", "ran"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains(&file) && !sandbox.path("ran").exists(), "{run}");
}

#[test]
fn the_environment_may_name_run_group_and_gpus() {
    let sandbox = Sandbox::new()
        .gpu_script("0,0,100\n0,1,200")
        .variable("EMISSIONS_NAME", "n-of-the-environment")
        .variable("EMISSIONS_GROUP", "g-of-the-environment")
        .variable("EMISSIONS_GPUS", "1")
        .variable("SLURM_JOB_ID", "77");
    let run = sandbox.run(&["--", "true"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.summary["name"], "n-of-the-environment");
    assert_eq!(run.summary["group"], "g-of-the-environment");
    let gpus: Vec<&str> = run.components().into_iter().filter(|id| id.starts_with("gpu")).collect();
    assert_eq!(gpus, ["gpu:1"], "{run}");
    let run = sandbox.run(&["--name", "n", "--group", "g", "--gpus", "0", "--", "true"]);
    assert_eq!((&run.summary["name"], &run.summary["group"]), (&"n".into(), &"g".into()), "{run}");
    assert!(run.components().contains(&"gpu:0") && !run.components().contains(&"gpu:1"), "{run}");
}
