//! What a run writes and says: CodeCarbon's columns, the summary as text and as JSON.

use crate::support::{Outcome, Sandbox, assert_near};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// CodeCarbon 3.3.2, `output_methods/emissions_data.py`: 38 columns in this order.
const COLUMNS: &str = "timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,\
    gpu_power,ram_power,cpu_energy,gpu_energy,ram_energy,energy_consumed,water_consumed,country_name,\
    country_iso_code,region,cloud_provider,cloud_region,os,python_version,codecarbon_version,cpu_count,cpu_model,\
    gpu_count,gpu_model,longitude,latitude,ram_total_size,tracking_mode,cpu_utilization_percent,\
    gpu_utilization_percent,ram_utilization_percent,ram_used_gb,on_cloud,pue,wue";

/// A package of 72 kJ and its memory of 18 kJ: 0.025 kWh, whatever the time.
fn measured_run(sandbox: &Sandbox, options: &[&str]) -> Outcome {
    let moved = sandbox.set("intel-rapl:0", 72_001_000_000) + &sandbox.set("intel-rapl:0:0", 18_001_000_000);
    let fixed = ["--place", "FRA", "--pue", "1.2", "--boundary", "components"];
    let run =
        sandbox.run(&[&fixed[..], options, &["--", "sh", "-c", &(moved + "sleep 0.5; exit 3")]].concat());
    assert_eq!(run.code, Some(3), "{run}");
    run
}

fn machine() -> Sandbox {
    Sandbox::new().zone("intel-rapl:0", "package-0", 1_000_000).zone("intel-rapl:0:0", "dram", 1_000_000)
}

#[test]
fn the_csv_has_codecarbons_38_columns_with_kilograms_and_utc() {
    let sandbox = machine();
    let run = measured_run(&sandbox, &["--csv", "runs.csv", "--project", "alpha"]);
    let text = sandbox.read("runs.csv");
    assert_eq!(text.lines().next(), Some(COLUMNS));
    assert_eq!(COLUMNS.split(',').count(), 38);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let [row] = rows.as_slice() else { panic!("{text}") };
    let number = |column: &str| row[column].parse::<f64>().unwrap_or_else(|_| panic!("{column}: {text}"));
    // 0.025 kWh × 1.2 × 44.179 g/kWh = 1.32537 g, in kg.
    assert_near(number("emissions"), 0.001_325_37, 1e-6);
    assert_near(number("energy_consumed"), 0.03, 1e-6);
    assert_near(number("cpu_energy"), 0.02 * 1.2, 1e-6);
    assert_near(number("ram_energy"), 0.005 * 1.2, 1e-6);
    assert_near(number("duration"), run.duration_s(), 0.001);
    assert_near(number("emissions_rate"), 0.001_325_37 / run.duration_s(), 0.001);
    assert_near(number("pue"), 1.2, 1e-9);
    // 16 GB in GiB.
    assert_near(number("ram_total_size"), 14.901_161, 1e-4);
    assert_eq!(row["run_id"], run.summary["id"]);
    assert_eq!((row["project_name"].as_str(), row["country_iso_code"].as_str()), ("alpha", "FRA"));
    assert_eq!((row["country_name"].as_str(), row["cpu_model"].as_str()), ("France", "Fixture CPU 4-Core"));
    // The sandbox's clock stands at Europe/Berlin.
    let stamp = &row["timestamp"];
    assert!(stamp.ends_with('Z') || stamp.ends_with("+00:00"), "{stamp}");
    assert_eq!(stamp[..16], run.summary["ended_at"].as_str().unwrap()[..16]);
    // Unknown is empty, not 0.
    for unknown in ["longitude", "latitude", "water_consumed", "wue"] {
        assert_eq!(row[unknown], "", "{unknown}");
    }
}

#[test]
fn further_runs_are_appended_below_one_header() {
    let sandbox = Sandbox::new();
    for _ in 0..3 {
        sandbox.run(&["--csv", "runs.csv", "--", "true"]);
    }
    let text = sandbox.read("runs.csv");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert_eq!(text.matches("timestamp").count(), 1, "{text}");
}

#[test]
fn a_csv_with_another_header_is_left_alone_and_that_is_said() {
    let sandbox = Sandbox::new();
    let theirs = "date,what\n2026-11-21,something\n";
    sandbox.write("runs.csv", theirs);
    let run = sandbox.run(&["-q", "--csv", "runs.csv", "--", "sh", "-c", "exit 3"]);
    assert_eq!(run.code, Some(3), "{run}");
    assert_eq!(sandbox.read("runs.csv"), theirs);
    assert!(run.lines().len() == 1 && run.stderr.contains("runs.csv"), "{run}");
}

#[test]
fn the_summary_for_people_is_on_standard_error() {
    let sandbox = machine();
    let run = measured_run(&sandbox, &["--project", "alpha", "--training", "my-llm"]);
    assert_eq!(run.text(), "");
    let filters =
        [(r"· 0\.\d+ s ·", "· [time] ·"), (r"record \S+", "record [id]"), (r"Note .*\n( .*\n)*", "")];
    insta::with_settings!({ filters => filters }, {
        // 25 Wh × 1.2 × 44.179 g/kWh = 1.3 g; bounds as in `figures`; as many digits as the interval bears.
        insta::assert_snapshot!(run.stderr, @"
        my-llm · final · attempt 1 · [time] · exit 3
        Emissions   1.3 g CO2e (0.65–2.7)   France 2024, 44.2 g/kWh life-cycle average (Our World in Data)
        Energy      30.0 Wh (25–35) = chips 25.0 × PUE 1.20
        Measured    25.0 Wh 100 %   CPU 20.0 (17–23) RAPL · DRAM 5.00 (4.0–6.0) RAPL
        Not counted mainboard, fans, disks, power supplies, network, storage servers, manufacture
        Next        emissions runs show latest   record [id]
        ");
    });
    assert!(run.stderr.contains(run.summary["id"].as_str().unwrap()), "{run}");
    assert!(!run.stderr.contains('\x1b'), "no colour where nobody looks: {run}");
}

#[test]
fn quiet_is_quiet() {
    let run = machine().run(&["-q", "--", "sh", "-c", "exit 3"]);
    assert_eq!((run.code, run.stderr.as_str(), run.text().as_str()), (Some(3), "", ""));
    // The record is written all the same.
    assert_eq!(run.summary["status"], "completed");
}

#[test]
fn as_json_the_summary_is_one_document_on_standard_error() {
    let run = machine().run(&["--json", "--", "echo", "out"]);
    assert_eq!(run.text(), "out\n");
    let json: serde_json::Value =
        serde_json::from_str(&run.stderr).unwrap_or_else(|error| panic!("{error}\n{run}"));
    assert_eq!(json, run.summary);
}

#[test]
fn for_log_collectors_the_summary_is_one_json_line_beside_the_rest() {
    let sandbox = machine();
    let run = sandbox.run(&["--log-summary", "--", "true"]);
    let json = |run: &Outcome| -> Vec<serde_json::Value> {
        run.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    assert_eq!(json(&run), std::slice::from_ref(&run.summary), "{run}");
    assert!(run.lines().iter().any(|line| line.starts_with("Energy")), "{run}");
    let quiet = sandbox.run(&["-q", "--log-summary", "--", "true"]);
    assert_eq!((json(&quiet).len(), quiet.lines().len()), (1, 1), "{quiet}");
}

#[test]
fn colour_is_used_when_asked_for() {
    let run = machine().run(&["--color", "always", "--", "true"]);
    assert!(run.stderr.contains('\x1b'), "{run}");
    let run = machine().run(&["--color", "never", "--", "true"]);
    assert!(!run.stderr.contains('\x1b'), "{run}");
}

/// Nobody reads from it.
fn pipe(sandbox: &Sandbox) -> String {
    mkfifo(&sandbox.path("pipe"), Mode::from_bits_truncate(0o666)).unwrap();
    sandbox.arg("pipe")
}

#[test]
fn a_csv_that_is_a_pipe_without_a_reader_holds_nobody_up() {
    let sandbox = Sandbox::new();
    let csv = pipe(&sandbox);
    let running = sandbox.start(&["-q", "--csv", &csv, "--", "sh", "-c", "echo ran; exit 3"]);
    let run = running.wait_at_most(Duration::from_secs(5));
    assert_eq!((run.code, run.text().as_str()), (Some(3), "ran\n"), "{run}");
    assert_eq!(run.summary["exit"]["code"], 3);
}

#[test]
fn a_summary_that_is_a_pipe_without_a_reader_holds_nobody_up() {
    let sandbox = Sandbox::new();
    let (program, summary) = (sandbox.program(), pipe(&sandbox));
    let line = [&program, "run", "-q", "--summary", &summary, "--", "sh", "-c", "echo ran; exit 3"];
    let run = sandbox.launch(&line.map(str::to_owned)).wait_at_most(Duration::from_secs(5));
    assert_eq!((run.code, run.text().as_str()), (Some(3), "ran\n"), "{run}");
    assert_eq!(sandbox.record().last().unwrap()["exit"]["code"], 3);
}

#[test]
fn a_csv_that_somebody_holds_locked_costs_the_row_and_3_s_at_most() {
    let sandbox = Sandbox::new();
    sandbox.write("runs.csv", "");
    // One process, which has the lock until it is gone.
    let shell = "exec 9>> runs.csv; flock 9; echo locked > locked; exec sleep 30";
    let mut holder = sandbox.command(&["sh", "-c", shell].map(str::to_owned)).spawn().unwrap();
    sandbox.wait_for("locked");
    let running = sandbox.start(&["-q", "--csv", "runs.csv", "--", "sh", "-c", "date +%s%N; exit 3"]);
    let run = running.wait_at_most(Duration::from_secs(10));
    let now = SystemTime::now();
    holder.kill().unwrap();
    holder.wait().unwrap();
    let ended = UNIX_EPOCH + Duration::from_nanos(run.text().trim().parse().unwrap());
    let held_up = now.duration_since(ended).unwrap();
    assert!(held_up <= Duration::from_millis(3300), "{held_up:?}: {run}");
    assert_eq!(run.code, Some(3), "{run}");
    assert_eq!(sandbox.read("runs.csv"), "");
    assert!(run.lines().len() == 1 && run.stderr.contains("csv") && run.says("not written"), "{run}");
}
