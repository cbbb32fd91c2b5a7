//! The sampler under a scripted clock: what it counts, and what it says.

use super::clock::{Clock, Hangup};
use super::thread::{Message, Sampler};
use crate::energy::{Meter, Reading};
use crate::quantity::{Domain, Energy, Kind, Method, Power};
use crate::sensor::{ErrorKind, Sensor, SensorError, Survey};
use chrono::{DateTime, Utc};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time passes only in `wait`: to the deadline, or to the next scripted message, whichever is earlier.
struct ScriptedClock {
    now: Mutex<Duration>,
    script: Mutex<Vec<(Duration, Message)>>,
    sleeps: Vec<(Duration, Duration)>,
}

impl ScriptedClock {
    fn new(script: Vec<(f64, Message)>) -> Self {
        let mut script: Vec<_> = script
            .into_iter()
            .map(|(at, message)| (BEGINNING + Duration::from_secs_f64(at), message))
            .collect();
        script.reverse();
        Self { now: Mutex::new(BEGINNING), script: Mutex::new(script), sleeps: Vec::new() }
    }
}

const BEGINNING: Duration = Duration::from_secs(1000);

impl Clock for ScriptedClock {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn awake(&self) -> Duration {
        let now = self.now();
        let slept: Duration = self
            .sleeps
            .iter()
            .filter(|(until, _)| BEGINNING + *until <= now)
            .map(|(_, length)| *length)
            .sum();
        now - slept
    }

    fn wall(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn wait(&self, _: &Receiver<Message>, deadline: Duration) -> Result<Option<Message>, Hangup> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        match script.last() {
            None => Err(Hangup),
            Some((at, _)) if *at <= deadline => {
                let Some((at, message)) = script.pop() else { return Err(Hangup) };
                *now = (*now).max(at);
                Ok(Some(message))
            }
            Some(_) => {
                *now = deadline;
                Ok(None)
            }
        }
    }
}

/// Power as a function of time; an error from some moment on.
struct Steady {
    meter: Meter,
    watts: f64,
    lost_at: Option<Duration>,
}

impl Steady {
    fn gpu(index: u32, watts: f64, method: Method) -> Self {
        let meter = Meter {
            domain: Domain::new(Kind::Gpu, index),
            name: "GPU".into(),
            uuid: None,
            method,
            wraps_at: None,
            ceiling: Power::from_watts(2000.0),
            update_period: Duration::ZERO,
        };
        Self { meter, watts, lost_at: None }
    }

    fn lost_at(mut self, at: f64) -> Self {
        self.lost_at = Some(Duration::from_secs_f64(at));
        self
    }
}

impl Sensor for Steady {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn read(&mut self, at: Duration) -> Result<Reading, SensorError> {
        if self.lost_at.is_some_and(|lost| at >= lost) {
            return Err(SensorError { kind: ErrorKind::Fatal, ..SensorError::missing("gone") });
        }
        let power = Power::from_watts(self.watts);
        if self.meter.method == Method::NvmlEnergyCounter {
            Ok(Reading::counter(Energy::from_joules(5000.0) + power * at).with_power(power))
        } else {
            Ok(Reading::gauge(power))
        }
    }
}

struct Played {
    joules: Vec<f64>,
    gaps: Vec<f64>,
    suspended: f64,
    notes: Vec<String>,
    asleep: f64,
}

fn play(
    sensors: Vec<Box<dyn Sensor>>,
    awaited: usize,
    mut script: Vec<(f64, Message)>,
    sleeps: Vec<(Duration, Duration)>,
    end: f64,
) -> Played {
    let (done, ended) = channel();
    script.push((end, Message::Stop { grace: Duration::from_secs(2), done }));
    let mut clock = ScriptedClock::new(script);
    clock.sleeps = sleeps;
    let sampler =
        Sampler::new(Arc::new(clock), sensors, vec![], awaited, Duration::from_secs(1), Box::new(|_, _| {}));
    let books = sampler.books();
    let (_keep, inbox) = channel();
    sampler.run(&inbox);
    let end = ended.recv().unwrap_or_default();
    let books = books.lock().unwrap_or_else(PoisonError::into_inner);
    Played {
        joules: books.ledger.totals_at(end).map(|(_, total)| total.energy().as_joules()).collect(),
        gaps: books.ledger.totals_at(end).map(|(_, total)| total.gap.as_secs_f64()).collect(),
        suspended: books.ledger.totals_at(end).map(|(_, total)| total.suspended.as_joules()).sum(),
        notes: books.notes.all().iter().map(|note| note.text.clone()).collect(),
        asleep: books.asleep.as_secs_f64(),
    }
}

fn near(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() < 1e-6
}

#[test]
fn a_run_that_ends_between_two_rounds_has_energy_to_its_very_end() {
    let gpu = Steady::gpu(0, 250.0, Method::NvmlEnergyCounter);
    let played = play(vec![Box::new(gpu)], 0, vec![], vec![], 10.4);
    assert!(near(played.joules[0], 2600.0), "{:?}", played.joules);
}

#[test]
fn two_gpus_are_two_accounts() {
    let sensors: Vec<Box<dyn Sensor>> = vec![
        Box::new(Steady::gpu(0, 250.0, Method::NvmlEnergyCounter)),
        Box::new(Steady::gpu(1, 100.0, Method::NvmlPower)),
    ];
    let played = play(sensors, 0, vec![], vec![], 10.0);
    assert!(near(played.joules[0], 2500.0) && near(played.joules[1], 1000.0));
}

#[test]
fn a_sensor_that_comes_late_is_charged_from_the_beginning_and_the_gap_is_told() {
    let gpu = Steady::gpu(0, 250.0, Method::NvmlEnergyCounter);
    let late = vec![(2.0, Message::Adopt(Survey::found(vec![Box::new(gpu)])))];
    let played = play(vec![], 1, late, vec![], 10.0);
    assert!(near(played.joules[0], 2500.0) && near(played.gaps[0], 2.0));
}

#[test]
fn a_sensor_that_comes_after_the_end_within_the_grace_is_not_charged_beyond_it() {
    let gpu = Steady::gpu(0, 250.0, Method::NvmlEnergyCounter);
    let (done, ended) = channel();
    let script = vec![
        (4.0, Message::Stop { grace: Duration::from_secs(2), done }),
        (5.0, Message::Adopt(Survey::found(vec![Box::new(gpu)]))),
    ];
    let clock = ScriptedClock::new(script);
    let sampler =
        Sampler::new(Arc::new(clock), vec![], vec![], 1, Duration::from_secs(1), Box::new(|_, _| {}));
    let books = sampler.books();
    let (_keep, inbox) = channel();
    sampler.run(&inbox);
    let end = ended.recv().unwrap_or_default();
    let books = books.lock().unwrap_or_else(PoisonError::into_inner);
    let total: Vec<f64> = books.ledger.totals_at(end).map(|(_, total)| total.energy().as_joules()).collect();
    assert!(near(end.as_secs_f64(), 4.0));
    assert!(near(total[0], 1000.0), "{total:?}");
}

#[test]
fn a_lost_gpu_keeps_what_it_had_and_the_other_goes_on() {
    let sensors: Vec<Box<dyn Sensor>> = vec![
        Box::new(Steady::gpu(0, 250.0, Method::NvmlEnergyCounter).lost_at(4.5)),
        Box::new(Steady::gpu(1, 100.0, Method::NvmlEnergyCounter)),
    ];
    let played = play(sensors, 0, vec![], vec![], 10.0);
    assert!(near(played.joules[0], 1000.0) && near(played.gaps[0], 6.0));
    assert!(near(played.joules[1], 1000.0) && near(played.gaps[1], 0.0));
    assert!(played.notes.iter().any(|note| note.contains("gpu:0 (GPU) is lost")), "{:?}", played.notes);
}

#[test]
fn a_stopped_run_is_not_charged_and_what_counters_saw_is_kept_apart() {
    let gpu = Steady::gpu(0, 100.0, Method::NvmlEnergyCounter);
    let (done, _told) = channel();
    let script = vec![(3.0, Message::SetAside(true, done.clone())), (7.0, Message::SetAside(false, done))];
    let played = play(vec![Box::new(gpu)], 0, script, vec![], 10.0);
    assert!(near(played.joules[0], 600.0), "{:?}", played.joules);
    assert!(near(played.suspended, 400.0));
}

#[test]
fn a_sleep_of_the_machine_is_found_and_not_charged() {
    // The clock jumps from 3.5 s to 60 s, of which the machine slept 55.5 s: round 4 comes at 60 s.
    let gpu = Steady::gpu(0, 100.0, Method::NvmlPower);
    let (done, _told) = channel();
    let sleeps = vec![(Duration::from_secs(4), Duration::from_secs_f64(2.0))];
    let script = vec![(4.5, Message::Read(done))];
    let played = play(vec![Box::new(gpu)], 0, script, sleeps, 10.0);
    // Of the round that found the sleep nothing is charged: 3 to 4 s.
    assert!(near(played.asleep, 2.0));
    assert!(near(played.joules[0], 900.0), "{:?}", played.joules);
}
