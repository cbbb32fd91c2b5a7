use super::books::Books;
use super::clock::Clock;
use crate::energy::{MeterId, Rules};
use crate::quantity::Level;
use crate::sensor::{Absence, ErrorKind, Sensor, Survey};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// RAPL counters of some machines wrap in less than five minutes (65.7 kJ at 240 W: kernel documentation), so they are
/// read at least this often whatever the period.
const LONGEST_PERIOD: Duration = Duration::from_secs(30);

/// Time that the boot clock counted and the monotonic clock did not, from which on it was a sleep of the machine.
const SLEPT: Duration = Duration::from_secs(1);

/// What one asks of the sampler.
pub enum Message {
    /// Sensors that came late (or that never will).
    Adopt(Survey),
    /// See that everything was read at this time since the run began or later, show it to the observer, and say when it
    /// is done.
    Read(Duration, Sender<()>),
    /// Read everything a last time, say that it is done, and end.
    Stop(Sender<()>),
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
    /// When the last round of reading began.
    read_at: Duration,
    /// How much of the boot clock's time the machine slept, as far as it was noticed.
    asleep: Duration,
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
        let books = Books::new(rules, absences);
        let (begun, awake) = (clock.now(), clock.awake());
        let mut sampler = Self {
            clock,
            books: Arc::new(Mutex::new(books)),
            sensors: Vec::new(),
            period,
            begun,
            awake,
            read_at: Duration::ZERO,
            asleep: Duration::ZERO,
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
                Ok(Some(Message::Read(at, done))) => {
                    self.read_since(at);
                    // Whoever asked may have left: then nobody waits for the answer.
                    let _ = done.send(());
                }
                Ok(Some(Message::Stop(done))) => {
                    self.round();
                    self.note_awaited();
                    let _ = done.send(());
                    return;
                }
                Err(_) => return,
            }
        }
    }

    /// A slow device is not read once for each who asks, but once for all who asked before.
    fn read_since(&mut self, at: Duration) {
        if self.read_at < at {
            self.round();
        } else {
            self.show();
        }
    }

    /// What was announced and did not come is not guessed: a first reading after the end would be of an idle device.
    fn note_awaited(&self) {
        if self.awaited > 0 {
            let text = "NVML had not started when the command ended: NVIDIA GPUs are not counted";
            self.lock().notes.add(self.elapsed(), Level::Warning, "NVML late", text);
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.begun)
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // The books stay readable whatever happened to a thread that held them.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in late sensors and reads them at once.
    fn arrive(&mut self, survey: Survey) {
        self.awaited = self.awaited.saturating_sub(1);
        self.lock().absences.extend(survey.absences);
        let first = self.sensors.len();
        self.adopt(survey.sensors);
        for index in first..self.sensors.len() {
            self.read(index);
        }
    }

    fn adopt(&mut self, sensors: Vec<Box<dyn Sensor>>) {
        for sensor in sensors {
            let id = self.lock().ledger.open(sensor.meter().clone());
            self.sensors.push(Active { id, sensor, failing: false });
        }
    }

    /// Reads every sensor once.
    fn round(&mut self) {
        let slept = self.slept();
        if !slept.is_zero() {
            let at = self.elapsed();
            self.lock().sleep(slept, at);
        }
        self.read_at = self.elapsed();
        let mut index = 0;
        while index < self.sensors.len() {
            if self.read(index) {
                index += 1;
            } else {
                self.sensors.swap_remove(index);
            }
        }
        self.show();
    }

    fn show(&mut self) {
        let at = self.elapsed();
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        (self.observe)(at, &books);
    }

    /// How long the machine slept since the last round.
    fn slept(&mut self) -> Duration {
        let asleep = self.elapsed().saturating_sub(self.clock.awake().saturating_sub(self.awake));
        let new = asleep.saturating_sub(self.asleep);
        if new < SLEPT {
            return Duration::ZERO;
        }
        self.asleep = asleep;
        new
    }

    /// Reads one sensor; `false` if it is gone for good. A device that takes long to answer tells the state of its answer,
    /// so the reading is stamped then.
    fn read(&mut self, index: usize) -> bool {
        let asked = self.elapsed();
        let Some(active) = self.sensors.get_mut(index) else { return true };
        let answer = active.sensor.read(asked);
        let id = active.id;
        let first_failure = answer.is_err() && !active.failing;
        active.failing = answer.is_err();
        let at = self.elapsed();
        let mut books = self.lock();
        match answer {
            Ok(reading) => {
                if let Some(incident) = books.ledger.record(id, at, reading) {
                    books.note_incident(id, at, incident);
                }
                true
            }
            Err(error) => {
                if first_failure {
                    books.note_error(id, at, &error);
                }
                let gone = error.kind == ErrorKind::Fatal;
                if gone {
                    books.ledger.lose(id);
                }
                !gone
            }
        }
    }
}
