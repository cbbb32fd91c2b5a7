use super::patience::{LIMIT, patiently};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant, SystemTime};

/// A program that runs. Dropped, it is killed.
pub struct Running {
    pub child: Child,
    pub started: SystemTime,
    pub stdout: PathBuf,
    pub stderr: PathBuf,
    pub summary: PathBuf,
}

impl Running {
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(self) -> Outcome {
        self.wait_at_most(LIMIT.mul_f64(0.9))
    }

    /// Waits for its end, which must come in time.
    #[track_caller]
    pub fn wait_at_most(mut self, limit: Duration) -> Outcome {
        let begun = Instant::now();
        let status = patiently("the program to end", || {
            let late = begun.elapsed() > limit;
            assert!(!late, "still running after {limit:?}, having said:\n{}", self.said());
            self.child.try_wait().unwrap()
        });
        Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: fs::read(&self.stdout).unwrap_or_default(),
            stderr: self.said(),
            // It is opened before the command starts: one that never started leaves it empty.
            summary: match fs::read(&self.summary).unwrap_or_default().as_slice() {
                [] => Value::Null,
                json => serde_json::from_slice(json).expect("the summary is JSON"),
            },
        }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a program ended and what it left.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// What `--summary` wrote; `null` where there is none.
    pub summary: Value,
}

/// An energy in joules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub low: f64,
    pub value: f64,
    pub high: f64,
}

impl Outcome {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("text")
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }

    pub fn duration_s(&self) -> f64 {
        number(&self.summary["duration_s"])
    }

    /// The components' names, in order.
    pub fn components(&self) -> Vec<&str> {
        let components = self.summary["components"].as_array().map(Vec::as_slice).unwrap_or_default();
        components.iter().filter_map(|component| component["id"].as_str()).collect()
    }

    /// One component of the summary.
    #[track_caller]
    pub fn component(&self, id: &str) -> &Value {
        let components = self.summary["components"].as_array();
        let component = components.and_then(|all| all.iter().find(|component| component["id"] == id));
        component.unwrap_or_else(|| panic!("no component {id}\n{self}"))
    }

    /// The energy of one component.
    #[track_caller]
    pub fn joules(&self, id: &str) -> Bounds {
        let energy = &self.component(id)["energy_kwh"];
        let joules = |bound: &str| number(&energy[bound]) * 3.6e6;
        Bounds { low: joules("low"), value: joules("value"), high: joules("high") }
    }

    /// All notes of the summary, a line each.
    pub fn notes(&self) -> String {
        let notes = self.summary["notes"].as_array().map(Vec::as_slice).unwrap_or_default();
        notes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Whether these words stand on standard error, wherever the lines are broken.
    pub fn says(&self, words: &str) -> bool {
        flat(&self.stderr).contains(words)
    }

    /// The lines on standard error.
    pub fn lines(&self) -> Vec<&str> {
        self.stderr.lines().collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, signal, stderr, summary, .. } = self;
        let stdout = String::from_utf8_lossy(&self.stdout);
        writeln!(f, "status {code:?}, signal {signal:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")?;
        write!(f, "--- summary\n{summary:#}")
    }
}

/// A text without its line breaks and indents.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Within this fraction of what was expected.
#[track_caller]
pub fn assert_near(actual: f64, expected: f64, fraction: f64) {
    let apart = (actual - expected).abs() / expected.abs();
    assert!(apart <= fraction, "{actual} is {apart:.5} from {expected}, more than {fraction}");
}
