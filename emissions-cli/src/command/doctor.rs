use super::config::Config;
use super::environment::visible;
use crate::args::DoctorArgs;
use crate::error::{CliError, Kind};
use crate::output::{Screen, print};
use crate::settings::{self, Layers, SETTINGS};
use crate::time_zone;
use emissions_core::quantity::{Basis, Boundary};
use emissions_core::record::{Role, Store};
use emissions_core::sensor::{Host, SensorError, Survey};
use emissions_core::tracker::survey;
use nix::unistd::{AccessFlags, access};
use serde::Serialize;
use std::fs;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

/// How long `doctor` waits for a library that is slow to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// All that there is to say, for people and for scripts.
#[derive(Serialize)]
struct Report {
    found: Vec<Found>,
    absent: Vec<Absent>,
    settings: Vec<SettingReport>,
    complaints: Vec<String>,
    store: StoreReport,
    clock: Option<Clock>,
}

#[derive(Serialize)]
struct Found {
    id: String,
    name: String,
    uuid: Option<String>,
    method: &'static str,
    basis: Basis,
    /// Whether it answers when it is read.
    answer: String,
}

#[derive(Serialize)]
struct Absent {
    sensor: &'static str,
    why: String,
    instead: &'static str,
    remedy: Option<String>,
}

#[derive(Serialize)]
struct SettingReport {
    name: &'static str,
    value: Option<String>,
    origin: String,
}

#[derive(Serialize)]
struct StoreReport {
    folder: String,
    writable: bool,
    why: Option<String>,
}

#[derive(Serialize)]
struct Clock {
    zone: String,
    country: &'static str,
}

/// Says what can be measured here, what cannot, why, and what would mend it.
pub fn doctor(args: &DoctorArgs) -> Result<ExitCode, CliError> {
    let config = Config::read(&args.shared)?;
    // Values that cannot be used are told here as `run` would tell them.
    config.quote()?;
    config.pue()?;
    config.platform()?;
    config.word::<Boundary>("boundary", None)?;
    config.word::<Role>("role", None)?;
    config.value("sample_every", None, settings::duration)?;
    config.value("record_every", None, settings::duration)?;
    let host = args.host_root.as_ref().map_or_else(Host::default, Host::at);
    let survey = survey(&host, &visible(args.gpus.as_deref()), PATIENCE);
    let report = Report {
        absent: absent(&survey),
        found: found(survey),
        settings: settings(&config, args),
        complaints: config.layers().complaints(),
        store: store(&config.store()),
        clock: time_zone::proposal().map(|(zone, country)| Clock { zone, country: country.alpha3 }),
    };
    let text = if args.shared.json {
        let json = serde_json::to_string_pretty(&report);
        format!("{}\n", json.map_err(|error| unwritable(&error.to_string()))?)
    } else {
        report.text(Screen::of_stdout(config.color()), config.layers())
    };
    print(&text).map_err(|error| unwritable(&error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn unwritable(why: &str) -> CliError {
    CliError { kind: Kind::Unwritable, message: format!("cannot write to stdout: {why}"), hint: None }
}

fn found(mut survey: Survey) -> Vec<Found> {
    survey.sensors.sort_by_key(|sensor| sensor.meter().domain);
    survey
        .sensors
        .iter_mut()
        .map(|sensor| {
            let reading = sensor.read(Duration::ZERO);
            let meter = sensor.meter();
            Found {
                id: meter.domain.to_string(),
                name: meter.name.clone(),
                uuid: meter.uuid.clone(),
                method: meter.method.as_str(),
                basis: meter.method.basis(),
                answer: match reading {
                    Ok(reading) => reading
                        .power
                        .map_or_else(|| "counter".into(), |power| format!("{:.1} W", power.as_watts())),
                    Err(error) => error.to_string(),
                },
            }
        })
        .collect()
}

fn absent(survey: &Survey) -> Vec<Absent> {
    let tell = |why: &SensorError| (why.to_string(), why.remedy.clone());
    survey
        .absences
        .iter()
        .map(|absence| {
            let (why, remedy) = tell(&absence.why);
            Absent { sensor: absence.sensor, why, instead: absence.instead, remedy }
        })
        .collect()
}

fn settings(config: &Config, args: &DoctorArgs) -> Vec<SettingReport> {
    let shared = &args.shared;
    let store = shared.store.as_ref().map(|folder| folder.to_string_lossy().into_owned());
    SETTINGS
        .iter()
        .map(|setting| {
            let flag = match setting.name {
                "place" => shared.place.as_deref(),
                "intensity" => shared.intensity.as_deref(),
                "pue" => shared.pue.as_deref(),
                "store" => store.as_deref(),
                _ => None,
            };
            match config.text(setting.name, flag) {
                Some(given) => SettingReport {
                    name: setting.name,
                    value: Some(given.value),
                    origin: given.origin.to_string(),
                },
                None => SettingReport {
                    name: setting.name,
                    value: None,
                    origin: format!("default: {}", setting.default),
                },
            }
        })
        .collect()
}

/// Whether records can be kept. Tried where the folder is there, asked of the nearest folder above where it is not:
/// doctor leaves nothing behind.
fn store(store: &Store) -> StoreReport {
    let folder = store.folder();
    let tried = if folder.is_dir() {
        let probe = folder.join(format!(".doctor-{}", std::process::id()));
        let tried = fs::write(&probe, "\n");
        let _ = fs::remove_file(&probe);
        tried
    } else {
        let above = folder.ancestors().find(|above| above.exists()).unwrap_or(folder);
        access(above, AccessFlags::W_OK | AccessFlags::X_OK).map_err(io::Error::from)
    };
    StoreReport {
        folder: folder.display().to_string(),
        writable: tried.is_ok(),
        why: tried.err().map(|error| error.to_string()),
    }
}

impl Report {
    fn text(&self, screen: Screen, layers: &Layers) -> String {
        let mut text = format!("{}\n", screen.bold("Measured or modelled on this machine"));
        for found in &self.found {
            let basis = match found.basis {
                Basis::Measured => "measured",
                _ => "modelled",
            };
            let body = format!("{} · {basis} by {} · {}", found.name, found.method, found.answer);
            text.push_str(&screen.paragraph(&format!("  {}", found.id), &body));
        }
        if self.found.is_empty() {
            text.push_str("  nothing\n");
        }
        text.push_str(&format!("\n{}\n", screen.bold("Not found")));
        for absent in &self.absent {
            let body = format!("{}; {}", absent.why, absent.instead);
            text.push_str(&screen.paragraph(&format!("  {}", absent.sensor), &body));
            if let Some(remedy) = &absent.remedy {
                text.push_str(&screen.paragraph("    to mend", remedy));
            }
        }
        text.push_str(&format!("\n{}\n", screen.bold("Settings")));
        for setting in &self.settings {
            let value = setting.value.as_ref().map(|value| format!("{value}   ")).unwrap_or_default();
            text.push_str(&format!("  {:<13} {value}{}\n", setting.name, setting.origin));
        }
        for path in layers.paths() {
            text.push_str(&format!("  read          {}\n", path.display()));
        }
        for complaint in &self.complaints {
            text.push_str(&format!("  {complaint}\n"));
        }
        text.push_str(&format!("\n{}\n", screen.bold("Records")));
        let state = match &self.store.why {
            None => "writable".to_owned(),
            Some(why) => format!("not writable: {why}"),
        };
        text.push_str(&format!("  {}   {state}\n", self.store.folder));
        if let Some(clock) = &self.clock
            && self.settings.iter().all(|setting| setting.name != "place" || setting.value.is_none())
        {
            let (zone, country) = (&clock.zone, clock.country);
            text.push_str(&format!("\nYour clock says {zone}: --place {country} would set the place.\n"));
        }
        text
    }
}
