//! Where a setting comes from: flag, environment, the project's file, the user's, the administrator's, the default.

mod file;
mod layers;
mod parse;

pub use layers::{Given, Layers, Origin, SETTINGS, xdg};
pub use parse::{checked, duration, tag, word};
