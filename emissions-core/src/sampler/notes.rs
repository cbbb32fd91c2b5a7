use crate::quantity::Level;
use std::time::Duration;

/// Something a reader of the figure must know.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// When it was first seen, since the run began.
    pub at: Duration,
    /// How much it matters.
    pub level: Level,
    /// What happened, as a sentence without a full stop.
    pub text: String,
}

/// The notes of a run: each said once, however often it happens.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    notes: Vec<Note>,
}

impl Notes {
    /// Adds a note unless it is there already.
    pub fn add(&mut self, at: Duration, level: Level, text: impl Into<String>) {
        let text = text.into();
        if self.notes.iter().all(|note| note.text != text) {
            self.notes.push(Note { at, level, text });
        }
    }

    /// All of them in order of appearance.
    #[must_use]
    pub fn all(&self) -> &[Note] {
        &self.notes
    }
}
