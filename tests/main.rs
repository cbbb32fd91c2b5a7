//! End to end: the built program `emissions` on simulated machines, seen as a user sees it.
//!
//! A test starts the program in a [`support::Sandbox`] and looks at its exit status, its streams and its record. What it
//! expects is worked by hand, beside the test. Nothing here needs root, a GPU or a network; what a machine does not
//! allow is skipped with a line that says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

mod bad_input;
mod cpu_time;
mod doctor;
mod figures;
mod gpu;
mod house;
mod journal;
mod monitor;
mod no_sensor;
mod outputs;
mod rapl;
mod runs;
mod settings;
mod signals;
mod status;
mod terminal;
