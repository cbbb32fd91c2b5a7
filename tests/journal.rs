//! The record on disk: it grows while the command runs, and what was written stays readable.

use crate::support::{Sandbox, assert_near, patiently};
use chrono::{DateTime, Utc};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

/// What the summary holds by name (the interface's list).
const FIELDS: [&str; 37] = [
    "schema",
    "id",
    "project",
    "name",
    "tags",
    "group",
    "rank",
    "training",
    "role",
    "attempt",
    "resumed_from",
    "parent",
    "status",
    "command",
    "exit",
    "started_at",
    "ended_at",
    "duration_s",
    "stopped_s",
    "cpu_time_s",
    "cpu_time_basis",
    "host",
    "coverage",
    "place",
    "intensity",
    "pue",
    "attribution",
    "boundary",
    "components",
    "energy_kwh",
    "measured_share",
    "facility_energy_kwh",
    "emissions_g",
    "embodied_g",
    "regions",
    "notes",
    "version",
];

fn of_type<'a>(record: &'a [Value], kind: &str) -> Vec<&'a Value> {
    record.iter().filter(|line| line["type"] == kind).collect()
}

#[track_caller]
fn shown(sandbox: &Sandbox, run: &str) -> Value {
    sandbox.emissions(&["runs", "show", run, "--json"]).json()
}

#[test]
fn a_record_begins_with_what_is_known_before_and_ends_with_the_summary() {
    let sandbox = Sandbox::new().gpu_script("0,0,250");
    let run = sandbox.run(&["--sample-every", "100ms", "--record-every", "200ms", "--", "sleep", "1"]);
    let record = sandbox.record();
    let (start, end) = (record.first().unwrap(), record.last().unwrap());
    assert_eq!((&start["type"], &end["type"]), (&"start".into(), &"end".into()));
    assert_eq!((&start["status"], &end["status"]), (&"running".into(), &"completed".into()));
    assert_eq!(start["schema"], "emissions.run/1");
    assert_eq!(start["id"], end["id"]);
    for field in FIELDS {
        assert!(start.get(field).is_some() && end.get(field).is_some(), "no `{field}`");
    }
    // Nothing is known yet: not 0.
    assert_eq!((&start["energy_kwh"], &start["exit"]), (&Value::Null, &Value::Null));
    let components: Vec<&str> =
        of_type(&record, "component").iter().filter_map(|line| line["id"].as_str()).collect();
    for id in ["gpu:0", "cpu:0", "memory:0", "platform:0"] {
        assert!(components.contains(&id), "{components:?}");
    }
    // `--summary`, the last line and `runs show` are one and the same.
    let mut last = end.clone();
    last.as_object_mut().unwrap().remove("type");
    assert_eq!(run.summary, last);
    assert_eq!(shown(&sandbox, "latest"), last);
}

#[test]
fn samples_carry_power_absolute_counters_and_running_totals() {
    let sandbox = Sandbox::new().zone("intel-rapl:0", "package-0", 5_000_000);
    let shell = sandbox.set("intel-rapl:0", 45_000_000) + "sleep 1";
    sandbox.run(&["--sample-every", "100ms", "--record-every", "200ms", "--", "sh", "-c", &shell]);
    let record = sandbox.record();
    let samples = of_type(&record, "sample");
    // Five were due in this second; a busy machine may be late.
    assert!(samples.len() >= 2, "{}", samples.len());
    let last = samples.last().unwrap();
    // 45 J on the counter, of which 40 since the beginning.
    assert_eq!(last["counter_j"]["cpu:0"], 45.0);
    let counted = last["component_kwh"]["cpu:0"]["value"].as_f64().unwrap() * 3.6e6;
    // The instant between reading and writing is filled.
    assert_near(counted, 40.0, 0.001);
    assert!(last["t_s"].as_f64().unwrap() > 0.3);
    // The mean of the moment before the end says nothing; every longer stretch has one.
    assert!(samples.iter().any(|sample| sample["power_w"]["memory:0"].is_number()), "{samples:?}");
    for total in ["energy_kwh", "facility_energy_kwh", "emissions_g"] {
        for bound in ["low", "value", "high"] {
            assert!(last[total][bound].as_f64().unwrap() > 0.0, "{total}.{bound}");
        }
    }
    assert_eq!(record[0]["host"]["boot_id"], "3f2b8c1e-0000-4000-8000-0123456789ab");
}

#[test]
fn a_run_is_running_while_it_runs_and_interrupted_when_the_wrapper_was_killed() {
    let sandbox = Sandbox::new().gpu_script("0,0,250");
    let running = sandbox.start(&[
        "--sample-every",
        "100ms",
        "--record-every",
        "200ms",
        "--",
        "sh",
        "-c",
        "echo $$ > pid; exec sleep 60",
    ]);
    let command = sandbox.wait_for_pid("pid");
    let energy = |run: &Value| run["energy_kwh"]["value"].as_f64().unwrap_or_default();
    let earlier = patiently("a second of record", || {
        let run = shown(&sandbox, "latest");
        assert_eq!(run["status"], "running");
        (run["duration_s"].as_f64() > Some(1.0)).then_some(run)
    });
    assert_eq!(earlier["ended_at"], Value::Null);
    let killed = Utc::now();
    running.signal(Signal::SIGKILL);
    let run = running.wait();
    kill(Pid::from_raw(command), Signal::SIGKILL).unwrap();
    assert_eq!(run.signal, Some(9));

    let left = shown(&sandbox, "latest");
    assert_eq!(left["status"], "interrupted");
    assert_eq!(left["exit"], Value::Null);
    let recorded = left["duration_s"].as_f64().unwrap();
    let lasted = seconds_since_start(&left, killed);
    // An interval of 0.2 s is lost, and what a busy machine was late.
    assert!((lasted - INTERVALS..=lasted + 0.1).contains(&recorded), "{recorded} of {lasted} s");
    assert_stamps(&sandbox.record(), recorded);
    assert!(energy(&left) >= energy(&earlier) && energy(&left) > 0.0);
    let joules = joules_of(&left, "gpu:0");
    assert!((joules - 250.0 * recorded).abs() < 25.0, "{joules} J in {recorded} s");
    assert!(left["ended_at"].is_string(), "it ended with its last line");
}

#[test]
fn the_record_is_brought_up_to_date_as_often_as_asked() {
    let sandbox = Sandbox::new().gpu_script("0,0,250");
    // Sensors are read every second when nobody says otherwise; that is no reason to write less often.
    let run = sandbox.run(&["--record-every", "200ms", "--", "sleep", "3"]);
    assert_stamps(&sandbox.record(), run.duration_s());
}

#[test]
fn every_record_has_absolute_counters_at_both_ends() {
    for seconds in ["0.5", "1.5"] {
        let sandbox = Sandbox::new().gpu_script("0,0,250");
        let run = sandbox.run(&["--", "sleep", seconds]);
        let record = sandbox.record();
        let counters: Vec<(f64, f64)> = of_type(&record, "sample")
            .iter()
            .filter_map(|sample| Some((sample["t_s"].as_f64()?, sample["counter_j"]["gpu:0"].as_f64()?)))
            .collect();
        assert!(counters.len() >= 2, "{counters:?} in {seconds} s");
        let ((begun, first), (ended, last)) = (counters[0], *counters.last().unwrap());
        // The command may start before NVML has answered, not long before.
        assert!(begun < 0.5 && begun < ended, "{counters:?}");
        assert!((ended - run.duration_s()).abs() < 0.2, "{counters:?} in {} s", run.duration_s());
        // 250 W between the two.
        assert!((last - first - 250.0 * (ended - begun)).abs() < 10.0, "{counters:?}");
    }
}

#[test]
fn an_interrupted_record_keeps_what_is_known_of_machine_absences_and_stops() {
    let sandbox = Sandbox::new()
        .gpu_script("0,0,250")
        .zone("intel-rapl:0", "package-0", 1_000_000)
        .unreadable("intel-rapl:0")
        .variable("SLURM_JOB_NUM_NODES", "16")
        .unprivileged();
    let options = ["--sample-every", "100ms", "--record-every", "200ms"];
    let shell = ["--", "sh", "-c", "echo $$ > pid; exec sleep 60"];
    let running = sandbox.start(&[&options[..], &shell].concat());
    let command = Pid::from_raw(sandbox.wait_for_pid("pid"));
    kill(command, Signal::SIGSTOP).unwrap();
    let stopped = Instant::now();
    thread::sleep(Duration::from_secs(1));
    kill(command, Signal::SIGCONT).unwrap();
    let truly_s = stopped.elapsed().as_secs_f64();
    // Two intervals more, so that all of it is written.
    thread::sleep(Duration::from_millis(900));
    running.signal(Signal::SIGKILL);
    running.wait();
    kill(command, Signal::SIGKILL).unwrap();

    let left = shown(&sandbox, "latest");
    assert_eq!(left["status"], "interrupted");
    let gpus = left["host"]["gpus"].as_array().unwrap();
    assert_eq!(gpus.len(), 1, "{left:#}");
    assert_eq!(
        (&gpus[0]["id"], &gpus[0]["uuid"]),
        (&"gpu:0".into(), &"GPU-aaaa0000-0000-4000-8000-000000000000".into())
    );
    let notes: Vec<&str> = left["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let counter = sandbox.counter("intel-rapl:0").display().to_string();
    for said in ["1 of 16 nodes", &counter, "Permission denied"] {
        assert!(notes.iter().any(|note| note.contains(said)), "`{said}` is not among {notes:#?}");
    }
    let stopped_s = left["stopped_s"].as_f64().unwrap_or_else(|| panic!("{left:#}"));
    assert!((stopped_s - truly_s).abs() <= 0.3, "{stopped_s} s instead of {truly_s} s: {left:#}");
    // What was drawn meanwhile is not the run's.
    let charged = 250.0 * (left["duration_s"].as_f64().unwrap() - truly_s);
    assert!((joules_of(&left, "gpu:0") - charged).abs() < 60.0, "not {charged} J: {left:#}");
}

/// How far apart the stamps of a record of `--record-every 200ms` may be: twice that, and what a busy machine was late.
const INTERVALS: f64 = 0.45;

/// From the beginning to the end, no two samples are further apart.
#[track_caller]
fn assert_stamps(record: &[Value], end_s: f64) {
    let samples = of_type(record, "sample");
    let stamps = samples.iter().map(|sample| sample["t_s"].as_f64().unwrap());
    let stamps: Vec<f64> = [0.0].into_iter().chain(stamps).chain([end_s]).collect();
    assert!(stamps.windows(2).all(|pair| pair[1] - pair[0] <= INTERVALS), "{stamps:?}");
}

fn joules_of(run: &Value, id: &str) -> f64 {
    let components = run["components"].as_array().unwrap();
    let component = components.iter().find(|component| component["id"] == id);
    component.and_then(|component| component["energy_kwh"]["value"].as_f64()).unwrap_or_default() * 3.6e6
}

fn seconds_since_start(run: &Value, moment: DateTime<Utc>) -> f64 {
    let started: DateTime<Utc> = run["started_at"].as_str().unwrap().parse().unwrap();
    (moment - started).as_seconds_f64()
}

#[test]
fn a_torn_last_line_costs_that_line_alone() {
    let sandbox = Sandbox::new();
    sandbox.run(&["--sample-every", "50ms", "--record-every", "50ms", "--", "sleep", "0.5"]);
    let record = sandbox.records().remove(0);
    let whole = fs::read_to_string(&record).unwrap();
    // As a power cut leaves it: no end, and half a sample.
    let lines: Vec<&str> = whole.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n" + "{\"type\":\"sample\",\"t_s\":99.0,\"pow";
    fs::write(&record, cut).unwrap();
    let run = shown(&sandbox, "latest");
    assert_eq!(run["status"], "interrupted");
    assert!(run["energy_kwh"]["value"].as_f64().unwrap() > 0.0);
    assert!(run["duration_s"].as_f64().unwrap() < 90.0);
}

#[test]
fn fields_and_lines_of_a_newer_version_are_accepted() {
    let sandbox = Sandbox::new();
    sandbox.run(&["--", "true"]);
    let path = sandbox.records().remove(0);
    let mut record = OpenOptions::new().append(true).open(&path).unwrap();
    writeln!(record, "{{\"type\":\"from-the-future\",\"x\":1}}").unwrap();
    let text = fs::read_to_string(&path).unwrap().replace("\"schema\":", "\"newer_field\":[1],\"schema\":");
    fs::write(&path, text).unwrap();
    assert_eq!(shown(&sandbox, "latest")["status"], "completed");
}

#[test]
fn attempts_at_a_training_are_counted_from_the_store_by_role() {
    let sandbox = Sandbox::new();
    let attempt = |role: &str| {
        let run = sandbox.run(&["--training", "my-llm", "--role", role, "--", "sh", "-c", "exit 1"]);
        assert_eq!((&run.summary["training"], &run.summary["role"]), (&"my-llm".into(), &role.into()));
        run.summary["attempt"].as_u64().unwrap()
    };
    assert_eq!([attempt("final"), attempt("final"), attempt("sweep"), attempt("final")], [1, 2, 1, 3]);
    let other = sandbox.run(&["--training", "another", "--", "true"]);
    assert_eq!((&other.summary["attempt"], &other.summary["role"]), (&1.into(), &"final".into()));
}

#[test]
fn ranks_of_one_attempt_are_not_attempts_and_a_job_may_hold_several() {
    let attempt = |sandbox: &Sandbox| {
        let run = sandbox.run(&["--training", "my-llm", "--", "true"]);
        assert_eq!((run.code, &run.summary["group"]), (Some(0), &"77".into()), "{run}");
        run.summary["attempt"].as_u64().unwrap()
    };
    // A script of one job that trains twice.
    let sandbox = Sandbox::new().variable("SLURM_JOB_ID", "77");
    assert_eq!([attempt(&sandbox), attempt(&sandbox)], [1, 2]);
    // `srun` with two tasks.
    let sandbox = Sandbox::new().variable("SLURM_JOB_ID", "77").variable("SLURM_PROCID", "0");
    let first = attempt(&sandbox);
    let sandbox = sandbox.variable("SLURM_PROCID", "1");
    assert_eq!([first, attempt(&sandbox)], [1, 1]);
}

#[test]
fn group_rank_and_coverage_come_from_slurm() {
    let sandbox = Sandbox::new()
        .variable("SLURM_JOB_ID", "77")
        .variable("SLURM_PROCID", "3")
        .variable("SLURM_JOB_NUM_NODES", "16")
        .variable("SLURM_NNODES", "16");
    let run = sandbox.run(&["--", "true"]);
    assert_eq!((&run.summary["group"], &run.summary["rank"]), (&"77".into(), &3.into()), "{run}");
    let coverage = &run.summary["coverage"];
    assert_eq!((&coverage["hosts_expected"], &coverage["hosts_seen"]), (&16.into(), &1.into()));
    let named = sandbox.run(&["--group", "mine", "--", "true"]);
    assert_eq!(named.summary["group"], "mine");
}

#[test]
fn labels_are_kept() {
    let run = Sandbox::new().run(&[
        "--project",
        "p",
        "--name",
        "n",
        "--tag",
        "a=1",
        "--tag",
        "b=x=y",
        "--role",
        "development",
        "--",
        "true",
    ]);
    assert_eq!((&run.summary["project"], &run.summary["name"]), (&"p".into(), &"n".into()));
    assert_eq!(run.summary["tags"], serde_json::json!({"a": "1", "b": "x=y"}));
    assert_eq!(run.summary["role"], "development");
}

#[test]
fn secrets_of_the_command_line_are_masked() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[
        "--",
        "echo",
        "--api-key",
        "S3CRET",
        "token=S3CRET",
        "--password=S3CRET",
        "hf_S3CRETS3CRETS3CRETS3CRET",
        "--lr",
        "0.1",
    ]);
    let command: Vec<&str> =
        run.summary["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(command, ["echo", "--api-key", "***", "token=***", "--password=***", "***", "--lr", "0.1"]);
    let record = fs::read_to_string(sandbox.records().remove(0)).unwrap();
    assert!(!record.contains("S3CRET"), "{record}");
    assert!(!run.stderr.contains("S3CRET"), "{run}");
    // The command itself got them as they were.
    assert!(run.text().starts_with("--api-key S3CRET token=S3CRET"), "{run}");
}

#[test]
fn secrets_are_masked_however_they_are_written() {
    // No word of a record by chance: ids have no such letters.
    let lines: [&[&str]; 6] = [
        &["--env=WANDB_API_KEY=zyx"],
        &["--authToken=zyx"],
        &["--hfToken", "zyx"],
        &["--header=Authorization: token zyx"],
        &["--header='Authorization: token zyx'"],
        &["{\"api_key\":\"zyx123\"}"],
    ];
    for line in lines {
        let sandbox = Sandbox::new();
        let run = sandbox.run(&[&["--", "echo", "train.py"], line, &["--lr", "0.1"]].concat());
        let record = fs::read_to_string(sandbox.records().remove(0)).unwrap();
        assert!(!record.contains("zyx"), "{line:?}: {record}");
        assert!(!run.stderr.contains("zyx"), "{line:?}: {run}");
        // The rest is there.
        let command: Vec<&str> =
            run.summary["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(command.starts_with(&["echo", "train.py"]) && command.ends_with(&["--lr", "0.1"]), "{run}");
        assert!(run.text().contains("zyx"), "the command itself got it: {run}");
    }
}

#[test]
fn the_command_line_can_be_left_out_and_the_environment_is_never_there() {
    let sandbox = Sandbox::new().variable("PRIVATE", "very-private-value");
    let run = sandbox.run(&["--no-command", "--", "echo", "a-word-of-the-command"]);
    assert_eq!(run.summary["command"], Value::Null);
    let record = fs::read_to_string(sandbox.records().remove(0)).unwrap();
    assert!(!record.contains("a-word-of-the-command") && !record.contains("very-private-value"), "{record}");
}

#[test]
fn a_run_inside_a_run_names_its_parent() {
    // A parent is of this boot of the real kernel.
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let sandbox = Sandbox::new().file("proc/sys/kernel/random/boot_id", &boot_id);
    let inner = format!("echo $EMISSIONS_RUN; '{}' run -q --host-root ../host -- true", sandbox.program());
    let outer = sandbox.run(&["--", "sh", "-c", &inner]);
    assert_eq!(outer.code, Some(0), "{outer}");
    assert_eq!(outer.summary["parent"], Value::Null);
    assert_eq!(outer.text().trim(), outer.summary["id"]);
    let runs = sandbox.emissions(&["runs", "list", "--json"]).json();
    let parents: Vec<&Value> = runs.as_array().unwrap().iter().map(|run| &run["parent"]).collect();
    assert_eq!(parents.len(), 2, "{runs}");
    assert!(parents.contains(&&outer.summary["id"]), "{runs}");
}

#[test]
fn a_parent_that_is_gone_is_no_parent() {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let sandbox = Sandbox::new().file("proc/sys/kernel/random/boot_id", &boot_id);
    let running =
        sandbox.start(&["--", "sh", "-c", "env | grep ^EMISSIONS_ > env; echo $$ > pid; exec sleep 60"]);
    let command = sandbox.wait_for_pid("pid");
    running.signal(Signal::SIGKILL);
    running.wait();
    // What it started lives on, with its environment.
    let inherited = sandbox.read("env");
    let sandbox = inherited.lines().fold(sandbox, |sandbox, line| {
        let (name, value) = line.split_once('=').unwrap();
        sandbox.variable(name, value)
    });
    let gone = shown(&sandbox, "latest");
    assert_eq!(gone["status"], "interrupted");
    assert!(inherited.contains(gone["id"].as_str().unwrap()) && inherited.contains("EMISSIONS_MARKS="));
    let run = sandbox.run(&["--", "true"]);
    kill(Pid::from_raw(command), Signal::SIGKILL).unwrap();
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.summary["parent"], Value::Null, "{run}");
}
