use super::config::Config;
use crate::args::Shared;
use crate::error::{CliError, Kind};
use crate::output::{Screen, Telling, energy_unit, grams, print, say, significant, span, summary_text};
use emissions_core::record::{ReadError, Summary, read};
use std::process::ExitCode;

/// Lists stored runs, oldest first. Records that cannot be read are named on stderr; the others are listed all the same.
pub fn list(shared: &Shared) -> Result<ExitCode, CliError> {
    let config = Config::read(shared)?;
    let store = config.store();
    let mut runs = Vec::new();
    let mut bad = false;
    for entry in store.entries()? {
        match read(&entry.path) {
            Ok(run) => runs.push(run),
            // Its command has not started yet, or never did.
            Err(ReadError::Empty(_)) => {}
            Err(error) => {
                say(&format!("emissions: {error}"));
                bad = true;
            }
        }
    }
    if shared.json {
        answer(&format!("{}\n", json(&runs)?))?;
    } else if runs.is_empty() {
        say(&format!("no runs in {}", store.folder().display()));
    } else {
        answer(&table(&runs, Screen::of_stdout(config.color())))?;
    }
    Ok(ExitCode::from(u8::from(bad)))
}

/// Shows one run.
pub fn show(run: &str, shared: &Shared) -> Result<ExitCode, CliError> {
    let config = Config::read(shared)?;
    let summary = config.store().find(run)?;
    if shared.json {
        answer(&format!("{}\n", json(&summary)?))?;
    } else {
        let screen = Screen::of_stdout(config.color());
        let mut text = summary_text(&summary, Telling { screen, verbose: shared.verbose > 0, here: false });
        let started = summary.started_at.format("%Y-%m-%d %H:%M:%S UTC");
        let host = summary.host.name.as_deref().unwrap_or("unknown host");
        text.push_str(&screen.paragraph("Run", &format!("{} on {host}, started {started}", summary.id)));
        if let Some(command) = &summary.command {
            text.push_str(&screen.paragraph("Command", &command.join(" ")));
        }
        answer(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(text: &str) -> Result<(), CliError> {
    print(text).map_err(|error| CliError {
        kind: Kind::Unwritable,
        message: format!("cannot write to stdout: {error}"),
        hint: None,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, CliError> {
    serde_json::to_string_pretty(value).map_err(|error| CliError {
        kind: Kind::Unwritable,
        message: format!("cannot be written as JSON: {error}"),
        hint: None,
    })
}

/// Columns as wide as they need to be; the label last, cut to the screen.
fn table(runs: &[Summary], screen: Screen) -> String {
    let heading = ["RUN", "STATUS", "DURATION", "ENERGY", "EMISSIONS", "LABEL"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(heading).chain(runs.iter().map(row)).collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..5).filter_map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        let room = screen.width.saturating_sub(line.chars().count()).max(8);
        line.extend(row.last().map(String::as_str).unwrap_or_default().chars().take(room));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(run: &Summary) -> [String; 6] {
    let unknown = || "unknown".to_owned();
    let energy = run.facility_energy_kwh.map_or_else(unknown, |energy| {
        let unit = energy_unit(energy.value);
        format!("{} {}", significant(energy.value / unit.size, 3), unit.name)
    });
    let labels = [&run.training, &run.project, &run.name];
    let label = labels.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" · ");
    let command = run.command.as_ref().map(|command| command.join(" ")).unwrap_or_default();
    [
        run.id.clone(),
        run.status.as_str().to_owned(),
        span(run.duration_s),
        energy,
        run.emissions_g.as_ref().map_or_else(unknown, grams),
        if label.is_empty() { command } else { label },
    ]
}
