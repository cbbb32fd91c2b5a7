use super::uncertainty;
use crate::quantity::{Basis, Energy, Estimate, Method, Power};
use std::time::Duration;

/// The part of the node that no component sensor sees: mainboard, regulators, fans, disks, loss of the power supply.
///
/// A base that runs all the time and a share of what the components draw. Least squares of a wall meter against the
/// components over 318 released runs of one workstation (raphischer/ai-energy-validation, arXiv 2509.22092) give bases
/// of 38, 45 and 16 W (mean 33) and slopes of 1.18, 1.24 and 1.20.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlatformModel {
    /// Drawn as long as the machine is on.
    pub base: Power,
    /// Of the components' energy.
    pub share: f64,
}

/// The base of a whole machine and the share of its parts (see [`PlatformModel`]).
const BASE: Power = Power::from_watts(33.0);
const SHARE: f64 = 0.2;

/// A virtual machine has a part of its host's base: that of the fitted workstation, 33 W, over its 32 threads.
pub const VM_BASE_PER_CPU: Power = Power::from_watts(33.0 / 32.0);

/// A wall meter never reads less than 1.1 times the chips (same runs: tools that see only chips reach at most 0.91).
const LEAST_SHARE: f64 = 0.1;

impl Default for PlatformModel {
    fn default() -> Self {
        Self { base: BASE, share: SHARE }
    }
}

impl PlatformModel {
    /// The model of a virtual machine with so many processors.
    #[must_use]
    pub fn of_virtual_machine(logical_cpus: u32) -> Self {
        Self { base: VM_BASE_PER_CPU * f64::from(logical_cpus), share: SHARE }
    }

    /// The energy around these components over this time. Bounds: half to twice, never below a tenth of the components.
    /// With them a 300 W GPU workstation is 1.15 to 1.62 times its chips, where meters read 1.15 to 1.5.
    #[must_use]
    pub fn around(&self, components: &[(Method, Estimate<Energy>)], run: Duration) -> Estimate<Energy> {
        let parts = uncertainty::sum(components).value;
        let value = self.base * run + parts * self.share;
        let least = parts * LEAST_SHARE;
        let half = value * 0.5;
        Estimate::new(value, if half > least { half } else { least }, value * 2.0, Basis::Modelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_near_the_meter_it_was_fitted_on() {
        // Vision on the GPU: y = 38 W + 1.18 x. At x = 300 W the wall reads 392 W: 92 W beside the chips.
        let parts = [(Method::NvmlPower, Estimate::exact(Energy::from_joules(300.0), Basis::Measured))];
        let platform = PlatformModel::default().around(&parts, Duration::from_secs(1));
        assert!((platform.value.as_joules() - 93.0).abs() < 1e-9);
        assert!(platform.low.as_joules() < 92.0 && 92.0 < platform.high.as_joules());
    }
}
