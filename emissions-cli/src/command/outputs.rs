//! What a run writes beside its record.

use crate::output::{CsvFile, Opened, Screen, SummaryFile, Telling, print, say, summary_text};
use emissions_core::record::{Journal, Summary};
use std::path::Path;
use std::sync::Arc;

/// What is written when the run has ended.
pub struct Outputs {
    pub csv: Option<Opened<CsvFile>>,
    pub summary: Option<Opened<SummaryFile>>,
    pub log_summary: bool,
    pub quiet: bool,
    pub json: bool,
    pub verbose: bool,
    pub screen: Screen,
}

/// Who shall read the JSON of `--json`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JsonTo {
    Stdout,
    Stderr,
}

impl Outputs {
    /// The command never started: nothing of it remains.
    pub fn discard(self) {
        if let Some(csv) = self.csv {
            csv.discard();
        }
        if let Some(summary) = self.summary {
            summary.discard();
        }
    }

    /// Writes all that was asked for. What fails is said in one line each and changes nothing else.
    pub fn write(mut self, summary: &Summary, journal: Option<&Arc<Journal>>, json_to: JsonTo, show: bool) {
        if let Some(lost) = journal.and_then(|journal| journal.lost()) {
            say(&format!("emissions: the record is incomplete: {lost}"));
        }
        if let Some(opened) = &mut self.summary
            && let Err(error) = opened.file.write(summary)
        {
            say(&format!("emissions: --summary was not written: {error}"));
        }
        if let Some(opened) = &mut self.csv
            && let Err(error) = opened.file.append(summary)
        {
            say(&format!("emissions: --csv was not written: {error}"));
        }
        if self.log_summary
            && let Ok(line) = serde_json::to_string(summary)
        {
            say(&line);
        }
        if self.json {
            if let Ok(text) = serde_json::to_string_pretty(summary) {
                match json_to {
                    JsonTo::Stderr => say(&text),
                    JsonTo::Stdout => {
                        if let Err(error) = print(&format!("{text}\n")) {
                            say(&format!("emissions: cannot write to stdout: {error}"));
                        }
                    }
                }
            }
        } else if !self.quiet && show {
            let mut text =
                summary_text(summary, Telling { screen: self.screen, verbose: self.verbose, here: true });
            if let Some(journal) = journal {
                let next = format!("emissions runs show latest   record {}", record_name(journal.path()));
                text.push_str(&self.screen.paragraph("Next", &next));
            }
            say(text.trim_end());
        }
    }
}

fn record_name(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
