use chrono::SecondsFormat;
use emissions_core::quantity::Kind;
use emissions_core::record::Summary;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// The columns of CodeCarbon's `emissions.csv` since its version 3.2.1, in its order.
const COLUMNS: [&str; 38] = [
    "timestamp",
    "project_name",
    "run_id",
    "experiment_id",
    "duration",
    "emissions",
    "emissions_rate",
    "cpu_power",
    "gpu_power",
    "ram_power",
    "cpu_energy",
    "gpu_energy",
    "ram_energy",
    "energy_consumed",
    "water_consumed",
    "country_name",
    "country_iso_code",
    "region",
    "cloud_provider",
    "cloud_region",
    "os",
    "python_version",
    "codecarbon_version",
    "cpu_count",
    "cpu_model",
    "gpu_count",
    "gpu_model",
    "longitude",
    "latitude",
    "ram_total_size",
    "tracking_mode",
    "cpu_utilization_percent",
    "gpu_utilization_percent",
    "ram_utilization_percent",
    "ram_used_gb",
    "on_cloud",
    "pue",
    "wue",
];

/// A file of runs in CodeCarbon's columns, open for appending.
///
/// Units are CodeCarbon's: kilograms, kilowatt-hours with the PUE in them, kilograms a second. Stamps are UTC and say so.
/// Powers are means over the run's time. `energy_consumed` holds the platform too, for which there is no column. What is
/// not known is empty, not 0.
#[derive(Debug)]
pub struct CsvFile {
    file: File,
    is_file: bool,
}

/// How long a finished run waits for another writer of the file.
const PATIENCE: Duration = Duration::from_secs(1);

impl CsvFile {
    /// Opens or creates the file. A file with another header is left alone. A pipe without a reader holds nobody up.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file =
            options.read(true).append(true).create(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let is_file = file.metadata()?.is_file();
        if is_file && !has_our_header(&mut file)? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it has other columns than CodeCarbon's 38",
            ));
        }
        Ok(Self { file, is_file })
    }

    /// Appends a row, and the header where there is none. Waits for other writers, but not for long; a line that a crash
    /// cut short gets its end.
    pub fn append(&mut self, summary: &Summary) -> io::Result<()> {
        self.lock()?;
        let length = if self.is_file { self.file.seek(SeekFrom::End(0))? } else { 0 };
        let mut bytes = Vec::new();
        if length > 0 && !self.ends_with_newline()? {
            bytes.push(b'\n');
        }
        let mut writer = csv::Writer::from_writer(bytes);
        if length == 0 {
            writer.write_record(COLUMNS)?;
        }
        writer.write_record(row(summary))?;
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        let written = self.file.write_all(&bytes);
        let _ = self.file.unlock();
        written
    }

    fn lock(&self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.file.try_lock() {
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PATIENCE / 50),
                Err(TryLockError::WouldBlock) => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds it"));
                }
                // Where locks are unknown, one write of one line is as good as it gets.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(()),
            }
        }
    }

    fn ends_with_newline(&mut self) -> io::Result<bool> {
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    }
}

fn has_our_header(file: &mut File) -> io::Result<bool> {
    let mut header = String::new();
    BufReader::new(file.take(8192)).read_line(&mut header)?;
    // A byte-order mark is how spreadsheets save it.
    let header = header.trim_start_matches('\u{feff}').trim_end();
    Ok(header.is_empty() || header == COLUMNS.join(","))
}

fn row(summary: &Summary) -> [String; 38] {
    let pue = summary.pue.value;
    let running = summary.duration_s - summary.stopped_s;
    let energy = |kind: Kind| {
        let mut parts = summary.components.iter().filter(|component| component.kind == kind).peekable();
        parts.peek().is_some().then(|| parts.map(|component| component.energy_kwh.value * pue).sum::<f64>())
    };
    // Watts of kWh over seconds.
    let power = |energy: Option<f64>| energy.filter(|_| running > 0.0).map(|kwh| kwh * 3.6e6 / running);
    let (cpu, gpu, ram) = (energy(Kind::Cpu), energy(Kind::Gpu), energy(Kind::Memory));
    let emissions_kg = summary.emissions_g.map(|emissions| emissions.value / 1e3);
    let ended = summary.ended_at.unwrap_or(summary.started_at);
    let placed = summary.place.as_ref().filter(|place| place.id != "WORLD");
    let host = &summary.host;
    let mut gpu_models: Vec<String> = Vec::new();
    for gpu in &host.gpus {
        if !gpu_models.contains(&gpu.name) {
            gpu_models.push(gpu.name.clone());
        }
    }
    let none = String::new;
    [
        ended.to_rfc3339_opts(SecondsFormat::Secs, false),
        text(summary.project.as_ref()),
        summary.id.clone(),
        text(summary.group.as_ref()),
        number(Some(summary.duration_s)),
        number(emissions_kg),
        number(emissions_kg.filter(|_| summary.duration_s > 0.0).map(|kg| kg / summary.duration_s)),
        number(power(cpu)),
        number(power(gpu)),
        number(power(ram)),
        number(cpu),
        number(gpu),
        number(ram),
        number(summary.facility_energy_kwh.map(|energy| energy.value)),
        none(),
        placed.map(|place| place.name.clone()).unwrap_or_default(),
        placed.map(|place| place.id.clone()).unwrap_or_default(),
        none(),
        none(),
        none(),
        text(host.os.as_ref()),
        none(),
        none(),
        host.logical_cpus.map(|count| count.to_string()).unwrap_or_default(),
        text(host.cpu_model.as_ref()),
        summary.coverage.gpus_seen.map(|count| count.to_string()).unwrap_or_default(),
        gpu_models.join(" | "),
        none(),
        none(),
        // CodeCarbon's unit is GiB.
        number(host.memory_bytes.map(|bytes| bytes as f64 / f64::from(1 << 30))),
        summary.attribution.clone(),
        none(),
        none(),
        none(),
        none(),
        none(),
        number(Some(pue)),
        none(),
    ]
}

fn text(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

fn number(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}
