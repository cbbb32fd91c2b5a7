//! Records in every state they can be found in.

use super::{Line, Role, Status, Store, Summary, read, read_start};
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

type Tested = Result<(), Box<dyn Error>>;

/// A start line as an older or a newer version may have written it: fields missing that have defaults, one unknown.
const START: &str = r#"{"type":"start","schema":"emissions.run/1","id":"ID","project":null,"name":null,"group":null,"rank":null,
"training":"llm","role":"final","attempt":1,"resumed_from":null,"parent":null,"status":"running","command":["x"],
"exit":null,"started_at":"2026-11-21T09:30:15Z","ended_at":null,"duration_s":0.0,"stopped_s":0.0,"cpu_time_s":null,
"cpu_time_basis":null,"host":{"name":null},"coverage":{"hosts_expected":1,"hosts_seen":1,"gpus_expected":null,
"gpus_seen":null},"place":null,"intensity":{"g_per_kwh":{"value":44.0,"low":22.0,"high":88.0},"year":2024,
"factors":"life-cycle","flow":"generation","source":"s"},"pue":{"value":1.3,"low":1.0,"high":2.0,"given_by":"assumed"},
"attribution":"machine","boundary":"node","components":[],"energy_kwh":null,"measured_share":null,
"facility_energy_kwh":null,"emissions_g":null,"embodied_g":null,"version":"9.9.9","from_the_future":{"a":[1]}}"#;

const COMPONENT: &str = r#"{"type":"component","id":"gpu:0","kind":"gpu","name":"G","uuid":null,"method":"nvml-power","basis":"measured"}"#;

/// 250 W for `t_s`, as kWh.
fn sample(t_s: f64) -> String {
    let kwh = 250.0 * t_s / 3.6e6;
    let interval = format!(r#"{{"value":{kwh},"low":{},"high":{}}}"#, kwh * 0.9, kwh * 1.1);
    format!(
        r#"{{"type":"sample","t_s":{t_s},"power_w":{{"gpu:0":250.0}},"counter_j":{{}},"component_kwh":{{"gpu:0":{interval}}},"energy_kwh":{interval},"measured_share":1.0,"facility_energy_kwh":{interval},"emissions_g":{interval}}}"#
    )
}

fn start(id: &str) -> String {
    START.replace('\n', "").replace("ID", id)
}

fn write(folder: &Path, id: &str, lines: &[String]) -> Result<PathBuf, Box<dyn Error>> {
    let path = folder.join(format!("{id}.jsonl"));
    fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>())?;
    Ok(path)
}

#[test]
fn a_record_cut_anywhere_in_its_last_line_is_read_up_to_the_line_before() -> Tested {
    let folder = tempfile::tempdir()?;
    let whole = [start("a"), COMPONENT.to_owned(), sample(10.0)].map(|line| line + "\n").concat();
    let last = sample(20.0);
    for cut in 0..=last.len() {
        let path = folder.path().join("a.jsonl");
        fs::write(&path, format!("{whole}{}", last.get(..cut).unwrap_or_default()))?;
        let run = read(&path)?;
        assert_eq!((run.status, run.duration_s), (Status::Interrupted, 10.0), "cut at {cut}");
        let energy = run.energy_kwh.ok_or("no energy")?;
        // 250 W x 10 s = 2500 J.
        assert!((energy.value * 3.6e6 - 2500.0).abs() < 1e-6);
        assert_eq!(run.components.len(), 1);
        assert_eq!(run.ended_at.map(|at| at.to_rfc3339()), Some("2026-11-21T09:30:25+00:00".into()));
    }
    Ok(())
}

#[test]
fn lines_of_kinds_to_come_and_garbage_are_stepped_over() -> Tested {
    let folder = tempfile::tempdir()?;
    let lines = [
        start("a"),
        r#"{"type":"weather","t_s":1}"#.to_owned(),
        "\u{0}\u{1} not json".to_owned(),
        String::new(),
        COMPONENT.to_owned(),
        sample(10.0),
        r#"{"type":"note","t_s":1.0,"level":"warning","text":"look"}"#.to_owned(),
    ];
    let run = read(&write(folder.path(), "a", &lines)?)?;
    assert_eq!(run.duration_s, 10.0);
    assert_eq!(run.notes, ["look"]);
    Ok(())
}

#[test]
fn without_a_sample_the_energy_is_unknown_and_not_zero() -> Tested {
    let folder = tempfile::tempdir()?;
    let run = read(&write(folder.path(), "a", &[start("a")])?)?;
    assert_eq!((run.energy_kwh, run.emissions_g, run.measured_share), (None, None, None));
    Ok(())
}

#[test]
fn a_record_that_its_writer_holds_is_running() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = write(folder.path(), "a", &[start("a"), sample(10.0)])?;
    let writer = File::open(&path)?;
    writer.lock()?;
    assert_eq!(read(&path)?.status, Status::Running);
    writer.unlock()?;
    assert_eq!(read(&path)?.status, Status::Interrupted);
    Ok(())
}

#[test]
fn of_another_machine_the_age_of_the_last_line_tells_whether_it_runs() -> Tested {
    let folder = tempfile::tempdir()?;
    let elsewhere =
        start("a").replace(r#""host":{"name":null}"#, r#""host":{"name":"h","boot_id":"elsewhere"}"#);
    let path = write(folder.path(), "a", &[elsewhere])?;
    assert_eq!(read(&path)?.status, Status::Running, "written just now");
    // Three intervals of 10 s ago and more.
    File::options().write(true).open(&path)?.set_modified(SystemTime::now() - Duration::from_secs(31))?;
    assert_eq!(read(&path)?.status, Status::Interrupted);
    Ok(())
}

#[test]
fn an_interrupted_record_keeps_its_gpus_and_what_was_said_at_the_start() -> Tested {
    let folder = tempfile::tempdir()?;
    let start = start("a").replace(r#""version":"9.9.9""#, r#""notes":["1 of 4 nodes"],"version":"9.9.9""#);
    let component = COMPONENT.replace(r#""uuid":null"#, r#""uuid":"GPU-1""#);
    let run = read(&write(folder.path(), "a", &[start, component, sample(10.0)])?)?;
    assert_eq!(run.notes, ["1 of 4 nodes"]);
    assert_eq!(run.host.gpus.first().and_then(|gpu| gpu.uuid.as_deref()), Some("GPU-1"));
    assert_eq!(run.coverage.gpus_seen, Some(1));
    Ok(())
}

#[test]
fn an_end_line_is_the_summary() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = write(folder.path(), "a", &[start("a"), sample(10.0)])?;
    let ended = Summary { status: Status::Completed, duration_s: 12.0, ..read(&path)? };
    let end = serde_json::to_string(&Line::End(Box::new(ended.clone())))?;
    let path = write(folder.path(), "b", &[start("a"), sample(10.0), end])?;
    assert_eq!(read(&path)?, ended);
    Ok(())
}

#[test]
fn what_is_no_record_says_so_with_file_and_line() -> Tested {
    let folder = tempfile::tempdir()?;
    for content in ["\n", "hello\n", "{\"type\":\"sample\"}\n"] {
        let path = folder.path().join("a.jsonl");
        fs::write(&path, content)?;
        let said = read(&path).map_err(|error| error.to_string()).err().ok_or(content)?;
        assert!(said.contains("a.jsonl:1: "), "{said}");
        assert!(read_start(&path).is_err(), "{content}");
    }
    Ok(())
}

#[test]
fn runs_are_found_by_name_by_beginning_and_as_latest() -> Tested {
    let folder = tempfile::tempdir()?;
    for id in ["20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"] {
        write(folder.path(), id, &[start(id)])?;
    }
    fs::write(folder.path().join("zzz.jsonl"), "")?;
    let store = Store::at(folder.path());
    assert_eq!(store.find("latest")?.id, "20260102T000000Z-bbbbbb");
    assert_eq!(store.find("20260101")?.id, "20260101T000000Z-aaaaaa");
    assert!(store.find("2026").is_err(), "two begin so");
    assert!(store.find("").is_err() && store.find("1999").is_err());
    Ok(())
}

#[test]
fn attempts_are_runs_of_one_training_and_role_and_the_ranks_of_a_job_are_one() -> Tested {
    let folder = tempfile::tempdir()?;
    let store = Store::at(folder.path());
    assert_eq!(store.next_attempt("llm", Role::Final, None), 1);
    let ranked = |id: &str, rank: u32| start(id).replace(r#""rank":null"#, &format!(r#""rank":{rank}"#));
    write(folder.path(), "a", &[start("a")])?;
    write(folder.path(), "b", &[ranked("b", 0)])?;
    write(folder.path(), "c", &[ranked("c", 1)])?;
    write(folder.path(), "d", &[start("d").replace(r#""role":"final""#, r#""role":"sweep""#)])?;
    write(folder.path(), "e", &[start("e").replace(r#""training":"llm""#, r#""training":"other""#)])?;
    write(folder.path(), "f", &[start("f").replace(r#""parent":null"#, r#""parent":"a""#)])?;
    assert_eq!(store.next_attempt("llm", Role::Final, None), 3);
    assert_eq!(store.next_attempt("llm", Role::Final, Some(1)), 2);
    Ok(())
}
