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
    /// How often it happened.
    pub times: u32,
    key: String,
}

/// The notes of a run: each said once, however often it happens.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    notes: Vec<Note>,
}

impl Notes {
    /// Adds a note, or counts it if one of this key is there already: the first text stays.
    pub fn add(&mut self, at: Duration, level: Level, key: impl Into<String>, text: impl Into<String>) {
        let key = key.into();
        match self.notes.iter_mut().find(|note| note.key == key) {
            Some(note) => note.times += 1,
            None => self.notes.push(Note { at, level, text: text.into(), times: 1, key }),
        }
    }

    /// All of them in order of appearance.
    #[must_use]
    pub fn all(&self) -> &[Note] {
        &self.notes
    }
}

impl Note {
    /// The text, and how often it happened if that was more than once.
    #[must_use]
    pub fn told(&self) -> String {
        if self.times > 1 { format!("{} ({} times)", self.text, self.times) } else { self.text.clone() }
    }
}
