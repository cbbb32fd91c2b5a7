use super::books::{self, Factors};
use super::builder::{Builder, Labels};
use super::host::describe;
use super::recorder::{Recorder, Switches};
use crate::quantity::Boundary;
use crate::record::{Exit, HostRecord, Journal, Line, RunId, SCHEMA, Status, Summary};
use crate::sampler::{Books, Clock, Message, Observer, Sampler};
use crate::sensor::{Absence, SensorError, Survey, Visible};
use chrono::{DateTime, Utc};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long the command is held back for NVML. What comes later is filled in.
const WAIT_FOR_NVML: Duration = Duration::from_millis(20);

/// How long finishing may take, however slow the sensors or the disk.
const FINISH: Duration = Duration::from_secs(2);

/// A run being measured.
pub struct Tracker {
    orders: Sender<Message>,
    books: Arc<Mutex<Books>>,
    clock: Arc<dyn Clock>,
    begun: Duration,
    started_at: DateTime<Utc>,
    /// From the first reading to the command's start.
    lead: Duration,
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
        let sampler = Sampler::new(
            Arc::clone(&clock),
            survey.sensors,
            survey.absences,
            awaited,
            builder.period,
            observe,
        );
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
            Ok(_) => tracker.ask(Message::Read, WAIT_FOR_NVML),
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
            let _ = self.orders.send(Message::Read(nobody));
        }
    }

    /// The command starts now: its duration counts from here.
    pub fn mark_start(&mut self) {
        self.started_at = self.clock.wall();
        self.lead = self.elapsed();
    }

    /// The command was stopped (`true`) or goes on (`false`). A stopped run is charged nothing.
    pub fn set_stopped(&self, stopped: bool) {
        self.ask(|done| Message::SetAside(stopped, done), Duration::from_millis(100));
    }

    /// Brings the record up to now and on to the disk, within half a second: the machine may go down.
    pub fn flush(&self) {
        self.switches.hurry.store(true, Ordering::Release);
        self.ask(Message::Read, Duration::from_millis(200));
        if let Some(journal) = &self.journal {
            journal.sync(Duration::from_millis(300));
        }
    }

    /// The totals up to now, as a summary of a running run.
    #[must_use]
    pub fn totals(&self) -> Summary {
        self.summarise(self.elapsed(), Status::Running)
    }

    /// Reads everything a last time and closes the record. Takes at most 2 s.
    #[must_use]
    pub fn finish(mut self, outcome: Outcome) -> Summary {
        self.labels.notes.extend(outcome.notes);
        let ended_at = self.clock.wall();
        let now = self.elapsed();
        // A short command is not held back for a slow library: half its own length at most.
        let grace = (now / 2).min(FINISH);
        // And the absolute counters at the end.
        self.switches.hurry.store(true, Ordering::Release);
        let (done, ended) = channel();
        let end = match self.orders.send(Message::Stop { grace, done }) {
            Ok(()) => ended.recv_timeout(FINISH).ok(),
            Err(_) => None,
        };
        if end.is_none() {
            self.warn(
                "the sensors did not answer at the end: the last seconds are filled with the last power",
            );
        }
        let mut summary = self.summarise(end.unwrap_or(now), Status::Completed);
        summary.ended_at = Some(ended_at);
        summary.exit = outcome.exit;
        summary.cpu_time_s = outcome.cpu_time.map(|(seconds, _)| seconds);
        summary.cpu_time_basis = outcome.cpu_time.map(|(_, basis)| basis.to_owned());
        if let Some(journal) = &self.journal {
            journal.append(&Line::End(Box::new(summary.clone())));
            journal.sync(FINISH);
        }
        summary
    }

    /// Ends without a trace: the command never started.
    pub fn abandon(mut self) {
        let (done, ended) = channel();
        // The sampler holds the journal; once it has ended the file can go.
        if self.orders.send(Message::Stop { grace: Duration::ZERO, done }).is_ok() {
            let _ = ended.recv_timeout(Duration::from_millis(100));
        }
        if let Some(journal) = self.journal.take() {
            journal.discard();
        }
    }

    /// What of the record could not be written, and why.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        self.journal.as_ref()?.lost()
    }

    /// A handle that tells what could not be written, for after the end.
    #[must_use]
    pub fn journal(&self) -> Option<Arc<Journal>> {
        self.journal.clone()
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
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.notes.add(at, crate::quantity::Level::Warning, text);
    }

    fn summarise(&self, end: Duration, status: Status) -> Summary {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let footprint = self.factors.footprint(&books, end);
        let mut summary = self.blank(status);
        summary.duration_s = end.saturating_sub(self.lead).as_secs_f64();
        summary.stopped_s = books.idle(end).as_secs_f64();
        summary.suspended_j = books::suspended_j(&books, end);
        summary.host.gpus = books::gpus(books.ledger.totals_at(end));
        summary.coverage.gpus_seen = u32::try_from(summary.host.gpus.len()).ok();
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
            id: labels.id.unwrap_or_else(|| RunId::new(self.started_at).to_string()),
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

/// Starts NVML on a thread of its own; says how many answers to wait for.
fn start_nvml(visible: Visible, answers: Sender<Message>) -> usize {
    #[cfg(feature = "nvml")]
    {
        let probe = move || {
            // The sampler may be gone by then: nobody wants the answer any more.
            let _ = answers.send(Message::Adopt(crate::sensor::probe_nvml(&visible)));
        };
        usize::from(thread::Builder::new().name("emissions-nvml".into()).spawn(probe).is_ok())
    }
    #[cfg(not(feature = "nvml"))]
    {
        let _ = (visible, answers);
        0
    }
}

/// Waits a little for NVML; says whether it came.
fn await_nvml(inbox: &Receiver<Message>, survey: &mut Survey, awaited: usize) -> usize {
    if awaited == 0 {
        let why = SensorError::missing("built without NVML");
        survey.absences.push(Absence { sensor: "NVML", instead: "no NVIDIA GPU is counted", why });
        return 0;
    }
    match inbox.recv_timeout(WAIT_FOR_NVML) {
        Ok(Message::Adopt(probe)) => {
            survey.take(probe);
            1
        }
        _ => 0,
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
        components: 0,
    };
    Box::new(move |at, books| recorder.observe(at, books))
}

/// Probes everything without starting a run, for `doctor`: what was found and what is absent. Waits for NVML at most this
/// long.
#[must_use]
pub fn survey(host: &crate::sensor::Host, visible: &Visible, at_most: Duration) -> Survey {
    let mut survey = Survey::of(host);
    let (answers, inbox) = channel();
    if start_nvml(visible.clone(), answers) == 0 {
        return survey;
    }
    match inbox.recv_timeout(at_most) {
        Ok(Message::Adopt(probe)) => {
            survey.take(probe);
        }
        _ => survey.absences.push(Absence {
            sensor: "NVML",
            instead: "NVIDIA GPUs are counted from when it answers",
            why: SensorError::missing(format!("it did not start within {} s", at_most.as_secs())),
        }),
    }
    survey
}
