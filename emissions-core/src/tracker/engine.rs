use super::books::{self, Factors};
use super::builder::{Builder, Labels};
use super::host::describe;
use super::nvml::{WAIT_FOR_NVML, await_nvml, start_nvml};
use super::recorder::{Recorder, Switches};
use crate::energy::State;
use crate::quantity::{Boundary, Level};
use crate::record::{Exit, HostRecord, Journal, Line, RunId, SCHEMA, Status, Summary};
use crate::sampler::{Books, Clock, Message, Observer, Sampler};
use crate::sensor::Survey;
use chrono::{DateTime, Utc};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long finishing may take, however slow the sensors and the disk.
const FINISH: Duration = Duration::from_millis(1900);

/// What of it the disk has in any case.
const LEAST_FOR_DISK: Duration = Duration::from_millis(200);

/// A run being measured.
pub struct Tracker {
    orders: Sender<Message>,
    books: Arc<Mutex<Books>>,
    clock: Arc<dyn Clock>,
    begun: Duration,
    started_at: DateTime<Utc>,
    /// From the first reading to the command's start.
    lead: Duration,
    /// When the command ended, on the wall and since the run began.
    ended: Option<(DateTime<Utc>, Duration)>,
    factors: Arc<Factors>,
    labels: Labels,
    boundary: Boundary,
    host: HostRecord,
    attempt: u32,
    record_every: Duration,
    journal: Option<Arc<Journal>>,
    switches: Arc<Switches>,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How the command ended.
    pub exit: Option<Exit>,
    /// Processor time of all that the command started, in seconds, and by what it was counted.
    pub cpu_time: Option<(f64, &'static str)>,
    /// What must be said beside what the sensors tell.
    pub notes: Vec<String>,
}

impl Tracker {
    /// Settings for a new run.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn begin(mut builder: Builder) -> Self {
        builder.labels.id.get_or_insert_with(|| RunId::new(builder.clock.wall()).to_string());
        let factors = Arc::new(builder.factors());
        let (orders, inbox) = channel();
        // NVML first: while it starts, the others are looked for.
        let awaited = start_nvml(builder.visible.clone(), orders.clone());
        let mut survey = Survey::of(&builder.host);
        survey.sensors.append(&mut builder.sensors);
        let switches = Arc::<Switches>::default();
        let journal = builder.journal.map(Arc::new);
        let observe = observer(journal.as_ref(), &factors, &switches, builder.record_every);
        let early = await_nvml(&inbox, &mut survey, awaited);
        let awaited = awaited - early;
        let clock = builder.clock;
        // A journal that is to be written more often than sensors are read would repeat itself.
        let period =
            if journal.is_some() { builder.period.min(builder.record_every) } else { builder.period };
        let sampler =
            Sampler::new(Arc::clone(&clock), survey.sensors, survey.absences, awaited, period, observe);
        let (books, begun) = (sampler.books(), sampler.begun());
        let thread =
            thread::Builder::new().name("emissions-sampler".into()).spawn(move || sampler.run(&inbox));
        let tracker = Self {
            orders,
            books,
            started_at: clock.wall(),
            clock,
            begun,
            lead: Duration::ZERO,
            ended: None,
            factors,
            labels: builder.labels,
            boundary: builder.boundary,
            host: describe(&builder.host),
            attempt: 1,
            record_every: builder.record_every,
            journal,
            switches,
        };
        match thread {
            Ok(_) => tracker.ask(|done| Message::Read(Duration::ZERO, done), WAIT_FOR_NVML),
            Err(error) => {
                tracker.warn(&format!("the sampler's thread could not start: {error}; nothing was measured"))
            }
        }
        tracker
    }

    /// The run's name.
    #[must_use]
    pub fn id(&self) -> &str {
        self.labels.id.as_deref().unwrap_or_default()
    }

    /// The command started just now: writes the record's first line.
    pub fn announce(&mut self, attempt: u32) {
        self.attempt = attempt;
        if let Some(journal) = &self.journal {
            journal.append(&Line::Start(Box::new(self.blank(Status::Running))));
            self.switches.started.store(true, Ordering::Release);
            // The absolute counters at the beginning; nobody waits for the answer.
            self.switches.hurry.store(true, Ordering::Release);
            let (nobody, _) = channel();
            let _ = self.orders.send(Message::Read(Duration::ZERO, nobody));
        }
    }

    /// The command starts now: its duration counts from here.
    pub fn mark_start(&mut self) {
        self.started_at = self.clock.wall();
        self.lead = self.elapsed();
    }

    /// The command was stopped (`true`) or goes on (`false`). A stopped run is charged nothing.
    pub fn set_stopped(&self, stopped: bool) {
        let at = self.elapsed();
        self.lock().ledger.change(at, if stopped { State::Aside } else { State::Running });
        self.ask(|done| Message::Read(at, done), Duration::from_millis(100));
    }

    /// Brings the record up to now and on to the disk, within half a second: the machine may go down.
    pub fn flush(&self) {
        self.switches.hurry.store(true, Ordering::Release);
        let now = self.elapsed();
        self.ask(|done| Message::Read(now, done), Duration::from_millis(200));
        if let Some(journal) = &self.journal {
            journal.sync(Duration::from_millis(300));
        }
    }

    /// The totals up to now, as a summary of a running run.
    #[must_use]
    pub fn totals(&self) -> Summary {
        self.summarise(self.elapsed(), Status::Running)
    }

    /// The command ended now: its duration counts up to here.
    pub fn mark_end(&mut self) {
        let end = self.elapsed();
        self.lock().ledger.change(end, State::Over);
        self.ended = Some((self.clock.wall(), end));
    }

    /// Reads everything a last time and closes the record. Takes at most 2 s.
    #[must_use]
    pub fn finish(mut self, outcome: Outcome) -> Summary {
        let deadline = Instant::now() + FINISH;
        if self.ended.is_none() {
            self.mark_end();
        }
        if !self.switches.started.load(Ordering::Acquire) {
            self.announce(self.attempt);
        }
        let (ended_at, end) = self.ended.unwrap_or_else(|| (self.clock.wall(), self.elapsed()));
        self.labels.notes.extend(outcome.notes);
        // The absolute counters at the end.
        self.switches.hurry.store(true, Ordering::Release);
        let (done, ended) = channel();
        if self.orders.send(Message::Stop(done)).is_err()
            || ended.recv_timeout(FINISH - LEAST_FOR_DISK).is_err()
        {
            self.warn(
                "the sensors did not answer at the end: the last seconds are filled with the last power",
            );
        }
        let mut summary = self.summarise(end, Status::Completed);
        summary.ended_at = Some(ended_at);
        summary.exit = outcome.exit;
        summary.cpu_time_s = outcome.cpu_time.map(|(seconds, _)| seconds);
        summary.cpu_time_basis = outcome.cpu_time.map(|(_, basis)| basis.to_owned());
        if let Some(journal) = &self.journal {
            journal.append(&Line::End(Box::new(summary.clone())));
            if !journal.sync(deadline.saturating_duration_since(Instant::now())) {
                journal.give_up("the disk did not answer in time");
            }
        }
        summary
    }

    /// Ends without a trace: the command never started.
    pub fn abandon(mut self) {
        let (done, ended) = channel();
        // The sampler holds the journal; once it has ended the file can go.
        if self.orders.send(Message::Stop(done)).is_ok() {
            let _ = ended.recv_timeout(Duration::from_millis(100));
        }
        if let Some(journal) = self.journal.take() {
            journal.discard();
        }
    }

    /// A handle that tells what could not be written, for after the end.
    #[must_use]
    pub fn journal(&self) -> Option<Arc<Journal>> {
        self.journal.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // The books stay readable whatever happened to a thread that held them.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.begun)
    }

    fn ask(&self, order: impl FnOnce(Sender<()>) -> Message, at_most: Duration) {
        let (done, answered) = channel();
        if self.orders.send(order(done)).is_ok() {
            // Too slow an answer delays nobody: the reading comes when it comes.
            let _ = answered.recv_timeout(at_most);
        }
    }

    fn warn(&self, text: &str) {
        let at = self.elapsed();
        self.lock().notes.add(at, Level::Warning, text, text);
    }

    fn summarise(&self, end: Duration, status: Status) -> Summary {
        let books = self.lock();
        let footprint = self.factors.footprint(&books, end);
        let mut summary = self.blank(status);
        summary.duration_s = end.saturating_sub(self.lead).as_secs_f64();
        summary.stopped_s = books.ledger.idle(end).as_secs_f64();
        summary.suspended_j = books::suspended_j(&books, end);
        summary.host.gpus = books::gpus(books.ledger.totals_at(end));
        // Without a GPU library nobody knows how many there are.
        let gpus = books::answering_gpus(&books, end);
        summary.coverage.gpus_seen = (gpus > 0).then_some(gpus);
        summary.components = footprint.components.iter().map(books::component).collect();
        if !footprint.components.is_empty() {
            summary.energy_kwh = Some(books::kwh_with_basis(&footprint.energy));
            summary.measured_share = footprint.measured_share;
            summary.facility_energy_kwh = Some(books::kwh(&footprint.facility));
            summary.emissions_g = Some(books::interval(&footprint.emissions));
        }
        summary.notes.extend(books::notes(&books, end));
        summary
    }

    /// All that is known before a figure is.
    fn blank(&self, status: Status) -> Summary {
        let labels = self.labels.clone();
        Summary {
            schema: SCHEMA.into(),
            id: labels.id.unwrap_or_default(),
            project: labels.project,
            name: labels.name,
            tags: labels.tags,
            group: labels.group,
            rank: labels.rank,
            training: labels.training,
            role: labels.role,
            attempt: self.attempt,
            resumed_from: None,
            parent: labels.parent,
            status,
            command: labels.command,
            exit: None,
            started_at: self.started_at,
            ended_at: None,
            duration_s: 0.0,
            stopped_s: 0.0,
            suspended_j: 0.0,
            cpu_time_s: None,
            cpu_time_basis: None,
            host: self.host.clone(),
            coverage: labels.coverage,
            place: self.factors.place(),
            intensity: self.factors.intensity(),
            pue: self.factors.pue(),
            attribution: "machine".into(),
            boundary: self.boundary,
            components: Vec::new(),
            energy_kwh: None,
            measured_share: None,
            facility_energy_kwh: None,
            emissions_g: None,
            embodied_g: None,
            regions: Vec::new(),
            notes: labels.notes,
            record_every_s: self.journal.is_some().then_some(self.record_every.as_secs_f64()),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }
}

fn observer(
    journal: Option<&Arc<Journal>>,
    factors: &Arc<Factors>,
    switches: &Arc<Switches>,
    every: Duration,
) -> Observer {
    let Some(journal) = journal else { return Box::new(|_, _| {}) };
    let mut recorder = Recorder {
        journal: Arc::clone(journal),
        factors: Arc::clone(factors),
        switches: Arc::clone(switches),
        every,
        due: every,
        last: (Duration::ZERO, Vec::new()),
        told: 0,
        absences: 0,
        components: 0,
    };
    Box::new(move |at, books| recorder.observe(at, books))
}
