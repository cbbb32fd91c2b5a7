use super::line::{ComponentLine, NoteLine, Sample};
use super::summary::{ComponentRecord, GpuRecord, Status, Summary};
use super::{Interval, IntervalWithBasis};
use crate::quantity::{Basis, Kind};
use chrono::TimeDelta;
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use thiserror::Error;

/// Why a file is not a record.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The system cannot read it.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing was written yet: its command has not started, or never did.
    #[error("{}: empty: its command never started", .0.display())]
    Empty(PathBuf),
    /// It has no readable first line.
    #[error("{}:1: not the start of a run record: {reason}", path.display())]
    NoStart {
        /// The file.
        path: PathBuf,
        /// What is wrong with the line.
        reason: String,
    },
}

/// Reads a record, whatever state it is in: the summary of a completed run, or the totals up to the last whole line.
///
/// # Errors
/// [`ReadError`] where there is no file or no start line in it.
pub fn read(path: &Path) -> Result<Summary, ReadError> {
    let bytes = fs::read(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    if bytes.is_empty() {
        return Err(ReadError::Empty(path.to_owned()));
    }
    let content =
        Content::of(&bytes).map_err(|reason| ReadError::NoStart { path: path.to_owned(), reason })?;
    Ok(match content.end {
        Some(end) => end,
        None => content.into_unfinished(is_being_written(path)),
    })
}

/// Reads only the first line of a record: what was known when the run started. Quick, however long the run was.
///
/// # Errors
/// Those of [`read`].
pub fn read_start(path: &Path) -> Result<Summary, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let mut line = Vec::new();
    BufReader::new(File::open(path).map_err(io)?).read_until(b'\n', &mut line).map_err(io)?;
    start_of(&line).map_err(|reason| ReadError::NoStart { path: path.to_owned(), reason })
}

fn start_of(line: &[u8]) -> Result<Summary, String> {
    if line.is_empty() {
        return Err("it is empty".into());
    }
    let tag: Tag<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if tag.kind != "start" {
        return Err(format!("its type is `{}`", tag.kind));
    }
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

/// The lines that matter, of a file that may hold a day of samples: only the last of these is parsed.
struct Content {
    start: Summary,
    components: Vec<ComponentLine>,
    notes: Vec<NoteLine>,
    sample: Option<Sample>,
    end: Option<Summary>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

impl Content {
    fn of(bytes: &[u8]) -> Result<Self, String> {
        // A line is whole when its newline is there.
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let mut lines = bytes.get(..whole).unwrap_or_default().split(|&byte| byte == b'\n');
        let start = start_of(lines.next().unwrap_or_default())?;
        let mut content = Self { start, components: Vec::new(), notes: Vec::new(), sample: None, end: None };
        let mut samples = Vec::new();
        for line in lines {
            if line.starts_with(br#"{"type":"sample""#) {
                samples.push(line);
                continue;
            }
            // Lines that cannot be read and kinds that are not known are no reason to lose the rest.
            let Ok(tag) = serde_json::from_slice::<Tag<'_>>(line) else { continue };
            match &*tag.kind {
                "component" => content.components.extend(serde_json::from_slice::<ComponentLine>(line)),
                "note" => content.notes.extend(serde_json::from_slice::<NoteLine>(line)),
                "sample" => samples.push(line),
                "end" => content.end = serde_json::from_slice(line).ok().or(content.end),
                _ => {}
            }
        }
        content.sample = samples.iter().rev().find_map(|line| serde_json::from_slice(line).ok());
        Ok(content)
    }

    fn into_unfinished(self, age: Age) -> Summary {
        let mut summary = self.start;
        let intervals = summary.record_every_s.unwrap_or(10.0) * 3.0;
        summary.status = match age {
            Age::Locked => Status::Running,
            // A lock of another machine is not seen here; there the age of the last line tells.
            Age::Free(age) if !is_of_this_host(&summary) && age.as_secs_f64() < intervals => Status::Running,
            Age::Free(_) => Status::Interrupted,
        };
        summary.notes.extend(self.notes.into_iter().map(|note| note.text));
        summary.host.gpus = self.components.iter().filter_map(gpu_of).collect();
        let Some(sample) = self.sample else { return summary };
        summary.duration_s = sample.t_s;
        summary.stopped_s = sample.stopped_s;
        summary.suspended_j = sample.suspended_j;
        summary.coverage.gpus_seen = u32::try_from(summary.host.gpus.len()).ok().filter(|&gpus| gpus > 0);
        summary.ended_at = (summary.status == Status::Interrupted).then(|| {
            let milliseconds = Duration::from_secs_f64(sample.t_s.clamp(0.0, 1e10));
            summary.started_at + TimeDelta::from_std(milliseconds).unwrap_or_default()
        });
        summary.components =
            self.components.iter().filter_map(|component| component_of(component, &sample)).collect();
        let basis = summary.components.iter().map(|component| component.basis).max();
        summary.energy_kwh = sample.energy_kwh.map(|energy| with_basis(energy, basis));
        summary.measured_share = sample.measured_share;
        summary.facility_energy_kwh = sample.facility_energy_kwh;
        summary.emissions_g = sample.emissions_g;
        summary
    }
}

fn gpu_of(component: &ComponentLine) -> Option<GpuRecord> {
    (component.kind == Kind::Gpu).then(|| GpuRecord {
        id: component.id.clone(),
        uuid: component.uuid.clone(),
        name: component.name.clone(),
    })
}

fn component_of(component: &ComponentLine, sample: &Sample) -> Option<ComponentRecord> {
    Some(ComponentRecord {
        id: component.id.clone(),
        kind: component.kind,
        name: component.name.clone(),
        method: component.method,
        basis: component.basis,
        energy_kwh: *sample.component_kwh.get(&component.id)?,
        share: 1.0,
        samples: sample.samples.get(&component.id).copied(),
        gap_s: sample.gap_s.get(&component.id).copied().unwrap_or(0.0),
    })
}

fn with_basis(energy: Interval, basis: Option<Basis>) -> IntervalWithBasis {
    IntervalWithBasis {
        value: energy.value,
        low: energy.low,
        high: energy.high,
        basis: basis.unwrap_or(Basis::Assumed),
    }
}

/// Whether a record's writer is alive, as far as this machine can see: even before its first line.
#[must_use]
pub fn is_held(path: &Path) -> bool {
    matches!(is_being_written(path), Age::Locked)
}

/// What the file itself says of its writer.
enum Age {
    /// Its writer holds it.
    Locked,
    /// Nobody holds it as far as this machine can see; its last line is so old.
    Free(Duration),
}

fn is_being_written(path: &Path) -> Age {
    let Ok(file) = File::open(path) else { return Age::Free(Duration::MAX) };
    if matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return Age::Locked;
    }
    let written = file.metadata().and_then(|metadata| metadata.modified());
    Age::Free(written.map_or(Duration::MAX, |at| SystemTime::now().duration_since(at).unwrap_or_default()))
}

/// Whether the record is of this machine, so that a lock would be seen.
fn is_of_this_host(summary: &Summary) -> bool {
    let here = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    match (&summary.host.name, here) {
        (Some(there), Some(here)) => there == here.trim(),
        _ => true,
    }
}
