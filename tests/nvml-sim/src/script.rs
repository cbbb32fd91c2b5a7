//! The script and its parser. The grammar is in the crate's documentation.

use std::collections::HashSet;
use std::str::FromStr;

const MAX_GPUS: usize = 64;
const GPU_IS_LOST: u32 = 15;

/// What happens to a GPU at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// It draws so many milliwatts and answers calls.
    Power(u32),
    /// Every call on it returns this code.
    Error(u32),
    /// Its energy counter starts again at 0.
    Reset,
}

/// One row of the script.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    pub t_us: u64,
    pub change: Change,
}

/// One simulated GPU.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    pub uuid: String,
    pub counter_start_mj: u64,
    /// In order of time.
    pub events: Vec<Event>,
}

/// A whole script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub gpus: Vec<Gpu>,
    pub energy_counter: bool,
    pub power: bool,
    pub init_delay_ms: u64,
    pub init_error: Option<u32>,
    pub call_delay_ms: u64,
    pub counter_step_us: u64,
    pub name: String,
    pub driver: String,
    pub power_limit_mw: u32,
    pub mig: bool,
    pub epoch_ms: Option<u64>,
}

/// Why a script is not understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub line: usize,
    pub reason: String,
}

/// A row with the line it stands on.
struct Row {
    line: usize,
    gpu: usize,
    event: Event,
}

/// What the lines say, before it is known how many GPUs there are.
#[derive(Default)]
struct Draft {
    keys: HashSet<String>,
    rows: Vec<Row>,
    /// Line, GPU, UUID.
    uuids: Vec<(usize, usize, String)>,
    gpus: Option<usize>,
    counter_start_mj: Option<u64>,
}

impl Script {
    /// Reads a script.
    pub fn parse(text: &str) -> Result<Script, Problem> {
        let mut script = Script {
            gpus: Vec::new(),
            energy_counter: true,
            power: true,
            init_delay_ms: 0,
            init_error: None,
            call_delay_ms: 0,
            counter_step_us: 0,
            name: "NVIDIA H100 80GB HBM3 (simulated)".to_owned(),
            driver: "580.95.05".to_owned(),
            power_limit_mw: 700_000,
            mig: false,
            epoch_ms: None,
        };
        let mut draft = Draft::default();
        for (index, full) in text.lines().enumerate() {
            let line = index + 1;
            let content = full.split('#').next().unwrap_or_default().trim();
            if content.is_empty() || content == "t_ms,gpu,value" {
                continue;
            }
            let read = match content.split_once('=') {
                Some((key, value)) => script.set(&mut draft, line, key.trim(), value.trim()),
                None => row(content).map(|(gpu, event)| draft.rows.push(Row { line, gpu, event })),
            };
            read.map_err(|reason| Problem { line, reason })?;
        }
        script.gpus = draft.into_gpus()?;
        Ok(script)
    }

    fn set(&mut self, draft: &mut Draft, line: usize, key: &str, value: &str) -> Result<(), String> {
        if !draft.keys.insert(key.to_owned()) {
            return Err(format!("`{key}` is set twice"));
        }
        match key {
            "gpus" => draft.gpus = Some(number(key, value, MAX_GPUS)?),
            "energy_counter" => self.energy_counter = boolean(key, value)?,
            "power" => self.power = boolean(key, value)?,
            "init_delay_ms" => self.init_delay_ms = number(key, value, u64::from(u32::MAX))?,
            "init_error" => self.init_error = Some(error_code(value)?),
            "call_delay_ms" => self.call_delay_ms = number(key, value, u64::from(u32::MAX))?,
            "counter_step_ms" => self.counter_step_us = 1000 * number(key, value, u64::from(u32::MAX))?,
            "counter_start_j" => draft.counter_start_mj = Some(thousandths(key, value, u32::MAX)?),
            "name" => self.name = label(key, value)?,
            "driver" => self.driver = label(key, value)?,
            "power_limit_w" => match watts(key, value)? {
                0 => return Err(format!("`{key}` must be above 0")),
                limit => self.power_limit_mw = limit,
            },
            "mig" => self.mig = boolean(key, value)?,
            "epoch_ms" => self.epoch_ms = Some(number(key, value, u64::MAX / 1000)?),
            _ => match key.strip_prefix("uuid").and_then(|gpu| gpu.parse().ok()) {
                Some(gpu) => draft.uuids.push((line, gpu, label(key, value)?)),
                None => return Err(format!("no setting is named `{key}`")),
            },
        }
        Ok(())
    }
}

impl Draft {
    fn into_gpus(self) -> Result<Vec<Gpu>, Problem> {
        let in_rows = self.rows.iter().map(|row| row.gpu + 1).max().unwrap_or(0);
        let count = self.gpus.unwrap_or(in_rows);
        let absent = |line, gpu| Problem { line, reason: format!("there is no GPU {gpu}, only {count}") };

        let mut gpus: Vec<Gpu> = (0..count)
            .map(|index| Gpu {
                uuid: default_uuid(index),
                counter_start_mj: self.counter_start_mj.unwrap_or(1000 * (1000 + 17 * index as u64)),
                events: Vec::new(),
            })
            .collect();
        for (line, gpu, uuid) in self.uuids {
            gpus.get_mut(gpu).ok_or_else(|| absent(line, gpu))?.uuid = uuid;
        }
        for Row { line, gpu, event } in self.rows {
            let events = &mut gpus.get_mut(gpu).ok_or_else(|| absent(line, gpu))?.events;
            if events.last().is_some_and(|last| last.t_us > event.t_us) {
                return Err(Problem { line, reason: format!("earlier than the row of GPU {gpu} before it") });
            }
            events.push(event);
        }
        Ok(gpus)
    }
}

fn default_uuid(index: usize) -> String {
    let letter = ["a", "b", "c", "d", "e", "f"][index % 6].repeat(4);
    format!("GPU-{letter}{index:04x}-0000-4000-8000-{index:012x}")
}

/// A row `t_ms,gpu,value`.
fn row(content: &str) -> Result<(usize, Event), String> {
    let fields: Vec<&str> = content.split(',').map(str::trim).collect();
    let [t_ms, gpu, value] = fields[..] else {
        return Err(format!("`{content}` is neither `key = value` nor `t_ms,gpu,value`"));
    };
    let t_us = 1000 * number("t_ms", t_ms, u64::MAX / 1000)?;
    let gpu = number("gpu", gpu, MAX_GPUS - 1)?;
    let change = match value {
        "error" => Change::Error(GPU_IS_LOST),
        "reset" => Change::Reset,
        _ => match value.strip_prefix("error:") {
            Some(code) => Change::Error(error_code(code.trim())?),
            None => Change::Power(watts("value", value)?),
        },
    };
    Ok((gpu, Event { t_us, change }))
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(what: &str, value: &str, max: T) -> Result<T, String> {
    match value.parse() {
        Ok(number) if number <= max => Ok(number),
        _ => Err(format!("`{what}`: `{value}` is not a whole number from 0 to {max}")),
    }
}

/// A decimal number, in whole thousandths: watts to milliwatts, joules to millijoules.
fn thousandths(what: &str, value: &str, max: u32) -> Result<u64, String> {
    match value.parse::<f64>() {
        Ok(number) if (0.0..=f64::from(max)).contains(&number) => Ok((number * 1000.0).round() as u64),
        _ => Err(format!("`{what}`: `{value}` is not a number from 0 to {max}")),
    }
}

/// Watts, in milliwatts.
fn watts(what: &str, value: &str) -> Result<u32, String> {
    Ok(thousandths(what, value, 1_000_000)? as u32)
}

fn boolean(key: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("`{key}`: `{value}` is neither `true` nor `false`"))
}

/// Text for a C string that fits the buffers of 80 bytes and more that callers use.
fn label(key: &str, value: &str) -> Result<String, String> {
    if value.is_empty() || value.len() > 79 || value.contains('\0') {
        return Err(format!("`{key}` must have 1 to 79 bytes and no NUL"));
    }
    Ok(value.to_owned())
}

fn error_code(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(code @ 1..=999) => Ok(code),
        _ => Err(format!("`{value}` is not an NVML error code, 1 to 999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (usize, String) {
        let problem = Script::parse(text).unwrap_err();
        (problem.line, problem.reason)
    }

    #[test]
    fn rows_comments_and_defaults() {
        let script = Script::parse(
            "# title\n\nt_ms,gpu,value\n0, 0, 100.5 # idle\n10,2,error\n20,2,error:4\n5,0,reset\n",
        )
        .unwrap();
        assert_eq!(script.gpus.len(), 3);
        assert_eq!(
            script.gpus[0].events,
            [Event { t_us: 0, change: Change::Power(100_500) }, Event { t_us: 5000, change: Change::Reset }]
        );
        assert_eq!(
            script.gpus[2].events,
            [
                Event { t_us: 10_000, change: Change::Error(15) },
                Event { t_us: 20_000, change: Change::Error(4) }
            ]
        );
        assert_eq!(script.gpus[1].events, []);
        assert_eq!(script.gpus[1].uuid, "GPU-bbbb0001-0000-4000-8000-000000000001");
        assert_eq!(script.gpus[2].counter_start_mj, 1_034_000);
        assert!(script.energy_counter && script.power && !script.mig);
        assert_eq!((script.init_error, script.epoch_ms, script.power_limit_mw), (None, None, 700_000));
    }

    #[test]
    fn settings() {
        let text = "gpus = 2\nenergy_counter=false\npower = false\ninit_delay_ms = 2000\ninit_error = 9\n\
                    call_delay_ms = 7\ncounter_step_ms = 100\ncounter_start_j = 12.5\nname = Some GPU\n\
                    driver = 535.1\npower_limit_w = 400\nmig = true\nuuid1 = GPU-x\nepoch_ms = 1700000000000\n";
        let script = Script::parse(text).unwrap();
        let gpu = |uuid: &str| Gpu { uuid: uuid.to_owned(), counter_start_mj: 12_500, events: Vec::new() };
        assert_eq!(
            script,
            Script {
                gpus: vec![gpu("GPU-aaaa0000-0000-4000-8000-000000000000"), gpu("GPU-x")],
                energy_counter: false,
                power: false,
                init_delay_ms: 2000,
                init_error: Some(9),
                call_delay_ms: 7,
                counter_step_us: 100_000,
                name: "Some GPU".to_owned(),
                driver: "535.1".to_owned(),
                power_limit_mw: 400_000,
                mig: true,
                epoch_ms: Some(1_700_000_000_000),
            }
        );
    }

    #[test]
    fn an_empty_script_has_no_gpu() {
        assert_eq!(Script::parse("").unwrap().gpus, []);
    }

    #[test]
    fn default_uuids_differ_in_the_first_eight_digits() {
        let starts: HashSet<String> =
            (0..MAX_GPUS).map(|index| default_uuid(index)[..12].to_owned()).collect();
        assert_eq!(starts.len(), MAX_GPUS);
        assert!((0..MAX_GPUS).all(|index| default_uuid(index).len() == 40));
    }

    #[test]
    fn problems_name_their_line() {
        assert_eq!(problem("\nvoltage = 3").0, 2);
        assert_eq!(problem("gpus = 1\ngpus = 2"), (2, "`gpus` is set twice".to_owned()));
        assert_eq!(problem("0,1,5\n0,0,5\ngpus = 1"), (1, "there is no GPU 1, only 1".to_owned()));
        assert_eq!(problem("uuid3 = GPU-x\n0,0,5"), (1, "there is no GPU 3, only 1".to_owned()));
        assert_eq!(problem("9,0,5\n0,1,5\n8,0,5").0, 3);
        for bad in [
            "0,0",
            "0,0,5,6",
            "x,0,5",
            "0,-1,5",
            "0,64,5",
            "0,0,-5",
            "0,0,nan",
            "0,0,1e9",
            "0,0,error:0",
            "0,0,lost",
            "gpus = many",
            "gpus = 65",
            "mig = yes",
            "name =",
            "power_limit_w = 0",
            "init_error = 0",
            "uuid = GPU-x",
        ] {
            assert_eq!(problem(bad).0, 1, "{bad}");
        }
    }
}
