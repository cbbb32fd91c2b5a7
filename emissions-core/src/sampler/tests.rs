//! The sampler under a scripted clock: what it counts, and what it says.

use super::clock::{Clock, Hangup};
use super::thread::{Message, Sampler};
use crate::energy::{Meter, Reading, State};
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
        let over = |(from, length): &&(Duration, Duration)| BEGINNING + *from + *length <= now;
        now - self.sleeps.iter().filter(over).map(|(_, length)| *length).sum::<Duration>()
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
                // A sleep of the machine within the wait makes it so much longer.
                let within = |(from, _): &&(Duration, Duration)| {
                    *now <= BEGINNING + *from && BEGINNING + *from < deadline
                };
                let slept: Duration = self.sleeps.iter().filter(within).map(|(_, length)| *length).sum();
                *now = deadline + slept;
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
    idle: f64,
}

fn play(
    sensors: Vec<Box<dyn Sensor>>,
    awaited: usize,
    mut script: Vec<(f64, Message)>,
    sleeps: Vec<(Duration, Duration)>,
    changes: Vec<(u64, State)>,
    end: f64,
) -> Played {
    let (done, _ended) = channel();
    script.push((end, Message::Stop(done)));
    let mut clock = ScriptedClock::new(script);
    clock.sleeps = sleeps;
    let clock = Arc::new(clock);
    let second = Duration::from_secs(1);
    let sampler = Sampler::new(
        Arc::clone(&clock) as Arc<dyn Clock>,
        sensors,
        vec![],
        awaited,
        second,
        Box::new(|_, _| {}),
    );
    let books = sampler.books();
    for &(at, state) in &changes {
        books.lock().unwrap_or_else(PoisonError::into_inner).ledger.change(Duration::from_secs(at), state);
    }
    let (_keep, inbox) = channel();
    sampler.run(&inbox);
    let end = Duration::from_secs_f64(end);
    let books = books.lock().unwrap_or_else(PoisonError::into_inner);
    Played {
        joules: books.ledger.totals_at(end).map(|(_, total)| total.energy().as_joules()).collect(),
        gaps: books.ledger.totals_at(end).map(|(_, total)| total.gap.as_secs_f64()).collect(),
        suspended: books.ledger.totals_at(end).map(|(_, total)| total.suspended.as_joules()).sum(),
        notes: books.notes.all().iter().map(|note| note.text.clone()).collect(),
        idle: books.ledger.idle(end).as_secs_f64(),
    }
}

fn near(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() < 1e-6
}

#[test]
fn a_run_that_ends_between_two_rounds_has_energy_to_its_very_end() {
    let gpu = Steady::gpu(0, 250.0, Method::NvmlEnergyCounter);
    let played = play(vec![Box::new(gpu)], 0, vec![], vec![], vec![], 10.4);
    assert!(near(played.joules[0], 2600.0), "{:?}", played.joules);
}

#[test]
fn two_gpus_are_two_accounts() {
    let sensors: Vec<Box<dyn Sensor>> = vec![
        Box::new(Steady::gpu(0, 250.0, Method::NvmlEnergyCounter)),
        Box::new(Steady::gpu(1, 100.0, Method::NvmlPower)),
    ];
    let played = play(sensors, 0, vec![], vec![], vec![], 10.0);
    assert!(near(played.joules[0], 2500.0) && near(played.joules[1], 1000.0));
}

#[test]
fn a_sensor_that_comes_late_is_charged_from_the_beginning_and_the_gap_is_told() {
    let gpu = Steady::gpu(0, 250.0, Method::NvmlEnergyCounter);
    let late = vec![(2.0, Message::Adopt(Survey::found(vec![Box::new(gpu)])))];
    let played = play(vec![], 1, late, vec![], vec![], 10.0);
    assert!(near(played.joules[0], 2500.0) && near(played.gaps[0], 2.0));
}

#[test]
fn a_sensor_that_never_came_is_told_and_not_guessed() {
    let played = play(vec![], 1, vec![], vec![], vec![], 4.0);
    assert!(played.joules.is_empty());
    assert!(played.notes.iter().any(|note| note.contains("NVML had not started")), "{:?}", played.notes);
}

#[test]
fn a_sensor_that_comes_while_the_run_is_stopped_is_charged_for_the_time_before() {
    // Runs 0 to 4 s and 8 to 10 s; the GPU is found at 6 s: 4 s of lead and 2 s of counter at 100 W.
    let gpu = Steady::gpu(0, 100.0, Method::NvmlEnergyCounter);
    let script = vec![(6.0, Message::Adopt(Survey::found(vec![Box::new(gpu)])))];
    let played = play(vec![], 1, script, vec![], vec![(4, State::Aside), (8, State::Running)], 10.0);
    assert!(near(played.joules[0], 600.0), "{:?}", played.joules);
}

#[test]
fn a_lost_gpu_keeps_what_it_had_and_the_other_goes_on() {
    let sensors: Vec<Box<dyn Sensor>> = vec![
        Box::new(Steady::gpu(0, 250.0, Method::NvmlEnergyCounter).lost_at(4.5)),
        Box::new(Steady::gpu(1, 100.0, Method::NvmlEnergyCounter)),
    ];
    let played = play(sensors, 0, vec![], vec![], vec![], 10.0);
    assert!(near(played.joules[0], 1000.0) && near(played.gaps[0], 6.0));
    assert!(near(played.joules[1], 1000.0) && near(played.gaps[1], 0.0));
    assert!(played.notes.iter().any(|note| note.contains("gpu:0 (GPU) is lost")), "{:?}", played.notes);
}

#[test]
fn a_stopped_run_is_not_charged_and_what_counters_saw_is_kept_apart() {
    let gpu = Steady::gpu(0, 100.0, Method::NvmlEnergyCounter);
    let played =
        play(vec![Box::new(gpu)], 0, vec![], vec![], vec![(3, State::Aside), (7, State::Running)], 10.0);
    assert!(near(played.joules[0], 600.0), "{:?}", played.joules);
    assert!(near(played.suspended, 400.0));
}

#[test]
fn a_sleep_of_the_machine_is_found_and_not_charged() {
    // Asleep from 4.5 s for 26 s: the round of 5 s comes at 31 s. Awake and charged: 14 of 40 s at 100 W.
    let gpu = Steady::gpu(0, 100.0, Method::NvmlPower);
    let sleeps = vec![(Duration::from_secs_f64(4.5), Duration::from_secs(26))];
    let played = play(vec![Box::new(gpu)], 0, vec![], sleeps, vec![], 40.0);
    assert!(near(played.idle, 26.0), "{}", played.idle);
    assert!(near(played.joules[0], 1400.0), "{:?}", played.joules);
}

#[test]
fn a_sleep_within_a_stop_is_not_taken_off_twice() {
    // Stopped 2 to 38 s, asleep 4.5 to 30.5 s: 2 + 2 s run.
    let gpu = Steady::gpu(0, 100.0, Method::NvmlEnergyCounter);
    let sleeps = vec![(Duration::from_secs_f64(4.5), Duration::from_secs(26))];
    let stop = vec![(2, State::Aside), (38, State::Running)];
    let played = play(vec![Box::new(gpu)], 0, vec![], sleeps, stop, 40.0);
    assert!(near(played.joules[0], 400.0), "{:?}", played.joules);
    assert!(near(played.idle, 36.0), "{}", played.idle);
}
