use super::operational::StatedPue;
use crate::quantity::{Basis, Estimate, GivenBy, Pue, Quantity, Site};

/// The PUE of a machine for which nobody states one: 1 at home; elsewhere 1.3 between 1.0 and 2.0.
///
/// Hyperscale sites report 1.1 to 1.2, the world average of surveyed sites has been 1.55 to 1.58 since 2018 (Uptime
/// Institute); 1.3 stands between the two.
#[must_use]
pub fn assume_pue(site: Site) -> StatedPue {
    match site {
        Site::Home => {
            StatedPue { pue: Estimate::exact(Pue::ONE, Basis::Modelled), given_by: GivenBy::Machine }
        }
        Site::DataCentre => StatedPue {
            pue: Estimate::new(ratio(1.3), Pue::ONE, ratio(2.0), Basis::Assumed),
            given_by: GivenBy::Assumed,
        },
    }
}

fn ratio(ratio: f64) -> Pue {
    Pue::from_raw(ratio)
}
