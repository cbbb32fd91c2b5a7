use super::clock::Clock;
use super::notes::Notes;
use crate::energy::{Incident, Ledger, MeterId, Rules};
use crate::quantity::Level;
use crate::sensor::{Absence, ErrorKind, Sensor, SensorError, Survey};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// RAPL counters of some machines wrap in less than five minutes (65.7 kJ at 240 W: kernel documentation), so they are
/// read at least this often whatever the period.
const LONGEST_PERIOD: Duration = Duration::from_secs(30);

/// Time that the boot clock counted and the monotonic clock did not, from which on it was a sleep of the machine.
const SLEPT: Duration = Duration::from_secs(1);

/// What the sampler writes and others read.
#[derive(Debug)]
pub struct Books {
    /// The accounts.
    pub ledger: Ledger,
    /// What must be said about them.
    pub notes: Notes,
    /// What is not there, and why.
    pub absences: Vec<Absence>,
    /// How long the machine slept.
    pub asleep: Duration,
    /// How long the run was stopped, up to its last going on.
    pub stopped: Duration,
    /// Since when it is stopped.
    pub stopped_since: Option<Duration>,
    /// How many rounds of reading there were.
    pub rounds: u64,
}

/// What one asks of the sampler.
pub enum Message {
    /// Sensors that came late (or that never will).
    Adopt(Survey),
    /// Read everything now, and say when it is done.
    Read(Sender<()>),
    /// Read everything, then keep energy apart (`true`) or count it again, and say when it is done.
    SetAside(bool, Sender<()>),
    /// Read everything a last time, wait at most so long for late sensors, say that it is done, and end.
    Stop {
        /// How long to wait for sensors that were announced and have not come.
        grace: Duration,
        /// Gets the time since the run began at which the last reading was asked for.
        done: Sender<Duration>,
    },
}

/// Called after each round of reading, with its time and the books. It must not block.
pub type Observer = Box<dyn FnMut(Duration, &Books) + Send>;

/// Reads the sensors and keeps the books. Runs on a thread of its own by [`Sampler::run`].
pub struct Sampler {
    clock: Arc<dyn Clock>,
    books: Arc<Mutex<Books>>,
    sensors: Vec<Active>,
    period: Duration,
    begun: Duration,
    awake: Duration,
    /// How many late probes were announced and have not answered.
    awaited: usize,
    observe: Observer,
}

struct Active {
    id: MeterId,
    sensor: Box<dyn Sensor>,
    failing: bool,
}

impl Sampler {
    /// A sampler that begins now: time zero of all readings. `awaited` probes will come later as [`Message::Adopt`].
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        sensors: Vec<Box<dyn Sensor>>,
        absences: Vec<Absence>,
        awaited: usize,
        period: Duration,
        observe: Observer,
    ) -> Self {
        let period = period.min(LONGEST_PERIOD);
        let rules = Rules { longest_step: (period * 3).max(Duration::from_secs(3)) };
        let books = Books {
            ledger: Ledger::new(rules),
            notes: Notes::default(),
            absences,
            asleep: Duration::ZERO,
            stopped: Duration::ZERO,
            stopped_since: None,
            rounds: 0,
        };
        let (begun, awake) = (clock.now(), clock.awake());
        let mut sampler = Self {
            clock,
            books: Arc::new(Mutex::new(books)),
            sensors: Vec::new(),
            period,
            begun,
            awake,
            awaited,
            observe,
        };
        sampler.adopt(sensors);
        sampler
    }

    /// The books, to be read while the sampler runs.
    #[must_use]
    pub fn books(&self) -> Arc<Mutex<Books>> {
        Arc::clone(&self.books)
    }

    /// The moment on the clock from which times are counted.
    #[must_use]
    pub fn begun(&self) -> Duration {
        self.begun
    }

    /// Reads until it is told to stop or nobody can tell it any more.
    pub fn run(mut self, inbox: &Receiver<Message>) {
        self.round();
        let mut next = self.clock.now() + self.period;
        loop {
            match self.clock.wait(inbox, next) {
                Ok(None) => {
                    self.round();
                    // A stalled thread does not make up for missed rounds: it goes on from now.
                    next = (next + self.period).max(self.clock.now());
                }
                Ok(Some(Message::Adopt(survey))) => self.arrive(survey),
                Ok(Some(Message::Read(done))) => {
                    self.round();
                    // Whoever asked may have left: then nobody waits for the answer.
                    let _ = done.send(());
                }
                Ok(Some(Message::SetAside(aside, done))) => {
                    self.round();
                    let at = self.elapsed();
                    self.lock().set_aside(aside, at);
                    let _ = done.send(());
                }
                Ok(Some(Message::Stop { grace, done })) => {
                    let _ = done.send(self.stop(inbox, grace));
                    return;
                }
                Err(_) => return,
            }
        }
    }

    fn stop(&mut self, inbox: &Receiver<Message>, grace: Duration) -> Duration {
        let end = self.elapsed();
        self.round();
        let deadline = self.clock.now() + grace;
        while self.awaited > 0 {
            match self.clock.wait(inbox, deadline) {
                Ok(Some(Message::Adopt(survey))) => self.arrive_at(survey, end),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        if self.awaited > 0 {
            let text = "NVML had not started when the command ended: NVIDIA GPUs are not counted";
            self.lock().notes.add(end, Level::Warning, text);
        }
        end
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.begun)
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // The books stay readable whatever happened to a thread that held them.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrive(&mut self, survey: Survey) {
        self.arrive_at(survey, Duration::MAX);
    }

    /// Takes in late sensors and reads them at once; the reading counts as made at `latest` at the latest.
    fn arrive_at(&mut self, survey: Survey, latest: Duration) {
        self.awaited = self.awaited.saturating_sub(1);
        self.lock().absences.extend(survey.absences);
        let first = self.sensors.len();
        self.adopt(survey.sensors);
        for index in first..self.sensors.len() {
            self.read(index, self.elapsed().min(latest));
        }
    }

    fn adopt(&mut self, sensors: Vec<Box<dyn Sensor>>) {
        for sensor in sensors {
            let id = self.lock().ledger.open(sensor.meter().clone());
            self.sensors.push(Active { id, sensor, failing: false });
        }
    }

    /// Reads every sensor once. Energy of a stretch in which the machine slept is kept apart.
    fn round(&mut self) {
        let slept = self.slept();
        if !slept.is_zero() {
            let at = self.elapsed();
            let mut books = self.lock();
            books.asleep += slept;
            books.ledger.set_aside(true);
            books.notes.add(at, Level::Info, "the machine slept: that time is not charged to the run");
        }
        let mut index = 0;
        while index < self.sensors.len() {
            if self.read(index, self.elapsed()) {
                index += 1;
            } else {
                self.sensors.swap_remove(index);
            }
        }
        let at = self.elapsed();
        let mut books = self.lock();
        if !slept.is_zero() {
            let stopped = books.stopped_since.is_some();
            books.ledger.set_aside(stopped);
        }
        books.rounds += 1;
        drop(books);
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        (self.observe)(at, &books);
    }

    /// How long the machine slept since the last round.
    fn slept(&mut self) -> Duration {
        let asleep = self.elapsed().saturating_sub(self.clock.awake().saturating_sub(self.awake));
        let new = asleep.saturating_sub(self.lock().asleep);
        if new >= SLEPT { new } else { Duration::ZERO }
    }

    /// Reads one sensor; `false` if it is gone for good.
    fn read(&mut self, index: usize, at: Duration) -> bool {
        let Some(active) = self.sensors.get_mut(index) else { return true };
        match active.sensor.read(at) {
            Ok(reading) => {
                active.failing = false;
                let id = active.id;
                let mut books = self.lock();
                let incident = books.ledger.record(id, at, reading);
                if let Some(incident) = incident {
                    books.note_incident(id, at, incident);
                }
                true
            }
            Err(error) => {
                let first = !std::mem::replace(&mut active.failing, true);
                let id = active.id;
                if first {
                    self.lock().note_error(id, at, &error);
                }
                let gone = error.kind == ErrorKind::Fatal;
                if gone {
                    self.lock().ledger.lose(id);
                }
                !gone
            }
        }
    }
}

impl Books {
    /// How much of the time up to `at` the run did not run: the machine slept or the command was stopped.
    #[must_use]
    pub fn idle(&self, at: Duration) -> Duration {
        let now = self.stopped_since.map_or(Duration::ZERO, |since| at.saturating_sub(since));
        self.asleep + self.stopped + now
    }

    fn set_aside(&mut self, aside: bool, at: Duration) {
        self.stopped += self.stopped_since.take().map_or(Duration::ZERO, |since| at.saturating_sub(since));
        self.stopped_since = aside.then_some(at);
        self.ledger.set_aside(aside);
    }

    fn note_incident(&mut self, id: MeterId, at: Duration, incident: Incident) {
        let Some(meter) = self.ledger.meter(id) else { return };
        let text = match incident {
            Incident::CounterReset => format!(
                "{} ({}): the energy counter started again at {:.0} s; what was counted stays, the step is filled with \
                 the power beside it",
                meter.domain,
                meter.name,
                at.as_secs_f64()
            ),
            Incident::Bridged => format!(
                "{} ({}): time without a reading is filled with the power beside it, between 0 and 2 times that",
                meter.domain, meter.name
            ),
        };
        self.notes.add(at, Level::Warning, text);
    }

    fn note_error(&mut self, id: MeterId, at: Duration, error: &SensorError) {
        let Some(meter) = self.ledger.meter(id) else { return };
        let fate = if error.kind == ErrorKind::Fatal { "is lost" } else { "did not answer" };
        let text = format!("{} ({}) {fate} at {:.0} s: {error}", meter.domain, meter.name, at.as_secs_f64());
        self.notes.add(at, Level::Warning, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{Meter, Reading};
    use crate::quantity::{Domain, Energy, Kind, Method, Power};
    use crate::sampler::clock::Hangup;
    use chrono::{DateTime, Utc};
    use std::sync::mpsc::channel;

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
        let sampler = Sampler::new(
            Arc::new(clock),
            sensors,
            vec![],
            awaited,
            Duration::from_secs(1),
            Box::new(|_, _| {}),
        );
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
        let total: Vec<f64> =
            books.ledger.totals_at(end).map(|(_, total)| total.energy().as_joules()).collect();
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
        let script =
            vec![(3.0, Message::SetAside(true, done.clone())), (7.0, Message::SetAside(false, done))];
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
}
