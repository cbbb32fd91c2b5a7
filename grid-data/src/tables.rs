//! The tables as `build.rs` writes them, sorted by their keys.

use crate::country::Country;
use crate::intensity::{Factors, Flow, IntensityRow};
use crate::source::OWID;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
