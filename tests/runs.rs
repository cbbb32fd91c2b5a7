//! `emissions runs`, and what the program answers to a command it does not have.

use crate::support::{Outcome, Sandbox};

fn two_runs() -> (Sandbox, [String; 2]) {
    let sandbox = Sandbox::new();
    let id = |run: Outcome| run.summary["id"].as_str().expect("an id").to_owned();
    let first = id(sandbox.run(&["--place", "FRA", "--project", "alpha", "--", "true"]));
    // Names sort by their second.
    std::thread::sleep(std::time::Duration::from_millis(1001));
    let second = id(sandbox.run(&["--place", "FRA", "--project", "beta", "--", "sh", "-c", "exit 3"]));
    (sandbox, [first, second])
}

#[test]
fn stored_runs_are_listed_and_shown() {
    let (sandbox, [first, second]) = two_runs();
    assert!(first < second);
    let list = sandbox.emissions(&["runs", "list"]);
    assert_eq!(list.code, Some(0), "{list}");
    assert!(list.text().contains(&first) && list.text().contains(&second), "{list}");

    let listed = sandbox.emissions(&["runs", "list", "--json"]).json();
    let ids: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|run| run["id"].as_str()).collect();
    assert_eq!(ids, [&first, &second], "oldest first");

    let shown = |run: &str| sandbox.emissions(&["runs", "show", run, "--json"]).json();
    assert_eq!(shown("latest")["id"], *second);
    assert_eq!(shown("latest")["exit"]["code"], 3);
    assert_eq!(shown(&first)["id"], *first);
    // The beginning of a name is enough while it is only one's.
    assert_eq!(shown(&first[..20])["id"], *first);

    let text = sandbox.emissions(&["runs", "show", &first]);
    assert!(text.text().contains("alpha") && text.text().contains("France"), "{text}");
}

#[test]
fn an_empty_store_is_an_empty_list() {
    let sandbox = Sandbox::new();
    let list = sandbox.emissions(&["runs", "list", "--json"]);
    assert_eq!((list.code, list.json()), (Some(0), serde_json::json!([])));
    assert_eq!(sandbox.emissions(&["runs", "list"]).code, Some(0));
}

#[test]
fn a_run_that_is_not_there_is_status_3_and_named() {
    let sandbox = Sandbox::new();
    for name in ["20200101T000000Z-000000", "latest"] {
        let show = sandbox.emissions(&["runs", "show", name]);
        assert_eq!(show.code, Some(3), "{show}");
        assert!(show.stderr.contains(name) && show.stdout.is_empty(), "{show}");
    }
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_listed() {
    let (sandbox, [first, second]) = two_runs();
    std::fs::write(sandbox.store().join(format!("{first}.jsonl")), "{\"type\":\"sta").unwrap();
    let list = sandbox.emissions(&["runs", "list"]);
    assert!(list.text().contains(&second), "{list}");
    assert!(list.stderr.contains(&first), "{list}");
    assert_eq!(list.code, Some(1), "{list}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let sandbox = Sandbox::new();
    sandbox.run(&["--", "true"]);
    let program = sandbox.program();
    for question in ["runs show latest --json", "runs show latest", "runs list", "doctor", "--help"] {
        // The reader is gone before the first byte.
        let script = format!("{{ sleep 0.1; '{program}' {question}; echo $? > status; }} | true");
        let run = sandbox.launch(&["sh", "-c", &script].map(str::to_owned)).wait();
        assert_eq!(sandbox.wait_for("status"), "0", "{question}: {run}");
        assert_eq!(run.stderr, "", "{question}");
        std::fs::remove_file(sandbox.path("status")).unwrap();
    }
    let script = format!("'{program}' runs show latest --json | head -c1");
    let run = sandbox.launch(&["sh", "-c", &script].map(str::to_owned)).wait();
    assert_eq!((run.text().as_str(), run.stderr.as_str()), ("{", ""));
}

#[test]
fn a_command_line_without_run_is_answered_with_the_exact_line_to_type() {
    let sandbox = Sandbox::new();
    let answer = sandbox.emissions(&["python", "train.py"]);
    assert_eq!(answer.code, Some(2), "{answer}");
    assert!(answer.stderr.contains("emissions run -- python train.py"), "{answer}");
    let answer = sandbox.emissions(&["python", "my train.py", "--lr", "0.1"]);
    assert!(answer.stderr.contains("emissions run -- python 'my train.py' --lr 0.1"), "{answer}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let sandbox = Sandbox::new();
    let help = sandbox.emissions(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for command in ["run", "monitor", "doctor", "runs"] {
        assert!(help.text().contains(command), "{help}");
    }
    assert!(!help.text().contains("host-root"));
    let version = sandbox.emissions(&["--version"]);
    assert_eq!(version.text(), format!("emissions {}\n", env!("CARGO_PKG_VERSION")));
}
