//! What cannot be as it was given is an error before the command starts; what cannot be written is one line.

use crate::support::{Outcome, Sandbox, exists_here, patiently, skip};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

/// Refused with status 2 and these words, and nothing was started or recorded.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, options: &[&str], words: &[&str]) {
    let run = sandbox.run(&[options, &["--", "touch", "ran"]].concat());
    assert_eq!((run.code, run.signal), (Some(2), None), "{run}");
    for word in words {
        assert!(run.says(word), "`{word}` is not said\n{run}");
    }
    assert!(run.stdout.is_empty(), "{run}");
    assert!(!sandbox.path("ran").exists(), "the command ran: {run}");
    assert_eq!(sandbox.records().len(), 0);
}

#[test]
fn an_unknown_place_names_the_nearest() {
    assert_refused(&Sandbox::new(), &["--place", "Frnace"], &["Frnace", "France"]);
    assert_refused(&Sandbox::new(), &["--place", "Germny"], &["Germny", "Germany"]);
    assert_refused(
        &Sandbox::new().variable("EMISSIONS_PLACE", "Swizerland"),
        &[],
        &["Swizerland", "Switzerland"],
    );
}

#[test]
fn a_pue_is_one_or_more() {
    for wrong in ["-1.2", "0.9", "0", "lots", "120"] {
        assert_refused(&Sandbox::new(), &["--pue", wrong], &[wrong.trim_start_matches('-'), "--pue"]);
    }
}

#[test]
fn a_pue_that_is_not_a_number_is_no_pue() {
    assert_refused(&Sandbox::new(), &["--pue", "nan"], &["PUE"]);
}

#[test]
fn an_intensity_is_a_number_with_a_unit_that_a_grid_can_have() {
    for wrong in ["abc", "-5", "5 apples", "56kg/kWh"] {
        assert_refused(&Sandbox::new(), &["--intensity", wrong], &["intensity"]);
    }
}

#[test]
fn words_and_times_that_do_not_exist_are_refused() {
    assert_refused(&Sandbox::new(), &["--role", "finale"], &["finale", "final"]);
    assert_refused(&Sandbox::new(), &["--sample-every", "soon"], &["soon"]);
    assert_refused(&Sandbox::new(), &["--tag", "no-value"], &["no-value"]);
    assert_refused(&Sandbox::new(), &["--plaec", "FRA"], &["--plaec", "--place"]);
}

#[test]
fn a_file_where_a_folder_is_needed_and_the_reverse_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    fs::create_dir(sandbox.path("folder")).unwrap();
    let (file, folder) = (sandbox.arg("file"), sandbox.arg("folder"));
    assert_refused(&sandbox, &["--store", &file], &[&file]);
    assert_refused(&sandbox, &["--store", &format!("{file}/below")], &[&file]);
    assert_refused(&sandbox, &["--csv", &folder], &[&folder]);
    assert_refused(&sandbox, &["--csv", &format!("{file}/below.csv")], &[&file]);
    let line = [&sandbox.program(), "run", "--summary", &folder, "--", "touch", "ran"].map(str::to_owned);
    let run = sandbox.launch(&line).wait();
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains(&folder) && !sandbox.path("ran").exists(), "{run}");
}

#[test]
fn a_configuration_that_does_not_parse_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write("emissions.toml", "pue = 1.2\nplace = = \"FRA\"\n");
    assert_refused(&sandbox, &[], &["emissions.toml:2"]);
    let sandbox = Sandbox::new();
    assert_refused(&sandbox, &["--config", &sandbox.arg("missing.toml")], &["missing.toml"]);
    let sandbox = Sandbox::new();
    sandbox.write("emissions.toml", "pue = 0.5\n");
    assert_refused(&sandbox, &[], &["emissions.toml", "0.5"]);
}

/// The command ran and its status counts; one line says what was lost, and nothing else is said.
#[track_caller]
fn assert_one_line_of_loss(run: &Outcome, words: &[&str]) {
    assert_eq!((run.code, run.signal), (Some(42), None), "{run}");
    assert_eq!(run.text(), "ran\n");
    let lines = run.lines();
    assert_eq!(lines.len(), 1, "{run}");
    for word in words {
        assert!(lines[0].contains(word), "`{word}` is not said\n{run}");
    }
}

const COMMAND: [&str; 4] = ["--", "sh", "-c", "echo ran; exit 42"];

#[test]
fn a_store_that_may_not_be_written_costs_the_record_and_not_the_run() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("store")).unwrap();
    fs::set_permissions(sandbox.path("store"), Permissions::from_mode(0o555)).unwrap();
    let sandbox = sandbox.unprivileged();
    let store = sandbox.arg("store");
    let run = sandbox.run(&[&["-q", "--store", &store][..], &COMMAND].concat());
    assert_one_line_of_loss(&run, &[&store, "Permission denied"]);
    // What could be written was.
    assert_eq!(run.summary["exit"]["code"], 42);
}

#[test]
fn a_store_below_a_folder_that_may_not_be_written_is_no_other_case() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("closed")).unwrap();
    fs::set_permissions(sandbox.path("closed"), Permissions::from_mode(0o555)).unwrap();
    let sandbox = sandbox.unprivileged();
    let store = sandbox.arg("closed/a/b");
    let run = sandbox.run(&[&["-q", "--store", &store][..], &COMMAND].concat());
    assert_one_line_of_loss(&run, &["closed", "Permission denied"]);
}

#[test]
fn outputs_that_may_not_be_written_are_named_before_the_command_ends_up_without_them() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("closed")).unwrap();
    fs::set_permissions(sandbox.path("closed"), Permissions::from_mode(0o555)).unwrap();
    let sandbox = sandbox.unprivileged();
    let csv = sandbox.arg("closed/runs.csv");
    let run = sandbox.run(&[&["-q", "--csv", &csv][..], &COMMAND].concat());
    assert_one_line_of_loss(&run, &[&csv, "Permission denied"]);
}

#[test]
fn a_missing_folder_is_made() {
    let sandbox = Sandbox::new();
    let (store, csv) = (sandbox.arg("new/store"), sandbox.arg("also/new/runs.csv"));
    let run = sandbox.run(&[&["-q", "--store", &store, "--csv", &csv][..], &COMMAND].concat());
    assert_eq!(run.code, Some(42), "{run}");
    assert_eq!(run.stderr, "");
    assert_eq!(fs::read_dir(&store).unwrap().count(), 1);
    assert!(sandbox.read("also/new/runs.csv").starts_with("timestamp,"));
}

/// A launcher with a disk of 8 KiB at `./disk`, in a name space of its own that goes with it.
fn small_disk(fill: &str) -> Option<[String; 6]> {
    let flags = ["-rm", "-m"]
        .into_iter()
        .find(|flags| exists_here(&["unshare", flags, "sh", "-c", "mount -t tmpfs -o size=8k none /mnt"]))?;
    let script = format!("mount -t tmpfs -o size=8k,mode=777 none disk && {fill} exec \"$@\"");
    Some(["unshare", flags, "sh", "-c", &script, "sh"].map(str::to_owned))
}

#[test]
fn a_disk_that_is_full_from_the_start_costs_the_record_and_not_the_run() {
    let Some(launcher) = small_disk("head -c 8192 /dev/zero > disk/full;") else {
        return skip("a small disk cannot be mounted here");
    };
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("disk")).unwrap();
    let launcher = launcher.each_ref().map(String::as_str);
    let run = sandbox.start_by(&launcher, &[&["-q", "--store", "disk"][..], &COMMAND].concat()).wait();
    assert_one_line_of_loss(&run, &["disk", "No space left"]);
}

#[test]
fn a_disk_that_fills_meanwhile_costs_the_rest_of_the_record_and_not_the_run() {
    let Some(launcher) = small_disk("") else { return skip("a small disk cannot be mounted here") };
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("disk")).unwrap();
    let launcher = launcher.each_ref().map(String::as_str);
    let options = ["-q", "--store", "disk", "--sample-every", "50ms", "--record-every", "50ms"];
    let shell = "head -c 8192 /dev/zero > disk/full 2> /dev/null; sleep 0.5; echo ran; exit 42";
    let run = sandbox.start_by(&launcher, &[&options[..], &["--", "sh", "-c", shell]].concat()).wait();
    assert_one_line_of_loss(&run, &["disk", "No space left"]);
}

#[test]
fn a_time_longer_than_any_clock_is_no_panic() {
    let sandbox = Sandbox::new();
    let host = sandbox.host().display().to_string();
    for duration in ["200000000000000d", "1e18s", "584554049254d"] {
        let line = [&sandbox.program(), "monitor", "--duration", duration, "--host-root", &host];
        let records = sandbox.records().len();
        let mut running = sandbox.launch(&line.map(str::to_owned));
        // Refused, or it runs on.
        let ended = patiently("refusal or record", || match running.child.try_wait().unwrap() {
            Some(_) => Some(true),
            None => (sandbox.records().len() > records).then_some(false),
        });
        if !ended {
            thread::sleep(Duration::from_millis(200));
            // It may be over by now.
            let _ = kill(Pid::from_raw(running.pid()), Signal::SIGTERM);
        }
        let run = running.wait();
        assert!(!run.stderr.contains("panicked"), "{duration}: {run}");
        let refused = run.code == Some(2) && !run.stderr.is_empty();
        assert!(refused || !ended && (run.code == Some(0) || run.code == Some(143)), "{duration}: {run}");
    }
}

/// A store of one run whose numbers are not of this world.
fn absurd_store(ended: bool) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(&["--sample-every", "50ms", "--record-every", "50ms", "--", "sleep", "0.2"]);
    let mut record = sandbox.record();
    record.retain(|line| ended || line["type"] != "end");
    for line in &mut record {
        for name in ["duration_s", "t_s", "stopped_s"] {
            if let Some(number) = line.get_mut(name) {
                *number = 1e30.into();
            }
        }
    }
    let text: String = record.iter().map(|line| format!("{line}\n")).collect();
    fs::write(sandbox.records().remove(0), text).unwrap();
    sandbox
}

#[test]
fn a_record_of_an_absurd_length_is_no_panic() {
    for ended in [true, false] {
        let sandbox = absurd_store(ended);
        for question in ["list", "show"] {
            for options in [&[][..], &["--json"]] {
                let answer = sandbox.emissions(&[&["runs", question], options].concat());
                assert!(matches!(answer.code, Some(0 | 1)), "{question} {options:?}: {answer}");
                assert!(!answer.stderr.contains("panicked"), "{question} {options:?}: {answer}");
            }
        }
    }
}

#[test]
fn an_empty_file_in_the_store_is_no_run_and_no_error() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["--", "true"]);
    fs::write(sandbox.store().join("20200101T000000Z-000000.jsonl"), "").unwrap();
    let list = sandbox.emissions(&["runs", "list"]);
    assert_eq!(list.code, Some(0), "{list}");
    assert!(!list.text().contains("20200101T000000Z") && list.stderr.is_empty(), "{list}");
    let listed = sandbox.emissions(&["runs", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["id"], run.summary["id"]);
}
