//! From joules to grams, with bounds: the components, the platform around them, the facility, the emissions.

mod facility;
mod operational;
mod platform;
pub mod uncertainty;

pub use facility::assume_pue;
pub use operational::{Component, Footprint, PLATFORM, PLATFORM_NAME, StatedPue};
pub use platform::{PlatformModel, VM_BASE_PER_CPU};
