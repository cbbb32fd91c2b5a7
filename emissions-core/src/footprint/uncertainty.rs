//! How errors combine.
//!
//! One method, or one row of a table, is one systematic error: within it lows add to lows and highs to highs. Different
//! methods err independently: their distances to the bounds add in quadrature, each side apart. A product does the same
//! on logarithms. Bounds are about 95 %.
//!
//! ```
//! use emissions_core::footprint::uncertainty::sum;
//! use emissions_core::quantity::{Basis, Energy, Estimate, Method};
//!
//! let gpu = |j| Estimate::within(Energy::from_joules(j), 0.95, 1.05, Basis::Measured);
//! let cpu = Estimate::within(Energy::from_joules(100.0), 0.5, 2.0, Basis::Modelled);
//! // Two GPUs by one method: 1000 ± 50. With the CPU model: 100 - sqrt(50² + 50²) below, sqrt(50² + 100²) above.
//! let total = sum(&[
//!     (Method::NvmlEnergyCounter, gpu(600.0)),
//!     (Method::NvmlEnergyCounter, gpu(400.0)),
//!     (Method::CpuLoadModel, cpu),
//! ]);
//! assert!((total.value.as_joules() - 1100.0).abs() < 1e-9);
//! assert!((total.low.as_joules() - (1100.0 - 5000_f64.sqrt())).abs() < 1e-9);
//! assert!((total.high.as_joules() - (1100.0 + 12500_f64.sqrt())).abs() < 1e-9);
//! ```

use crate::energy::{Meter, Total};
use crate::quantity::{Basis, Energy, Estimate, Kind, Method, Power, Quantity};
use std::time::Duration;

/// Sums estimates: linear within a method, in quadrature between methods.
#[must_use]
pub fn sum(parts: &[(Method, Estimate<Energy>)]) -> Estimate<Energy> {
    let mut sides: Vec<(Method, f64, f64)> = Vec::new();
    let (mut value, mut basis) = (Energy::ZERO, Basis::Measured);
    for (method, part) in parts {
        value += part.value;
        basis = basis.max(part.basis);
        let (below, above) = (part.value.raw() - part.low.raw(), part.high.raw() - part.value.raw());
        match sides.iter_mut().find(|(known, ..)| known == method) {
            Some((_, low, high)) => {
                *low += below;
                *high += above;
            }
            None => sides.push((*method, below, above)),
        }
    }
    let below = quadrature(sides.iter().map(|&(_, below, _)| below));
    let above = quadrature(sides.iter().map(|&(.., above)| above));
    let low = Energy::from_raw((value.raw() - below).max(0.0));
    Estimate::new(value, low, value + Energy::from_raw(above), basis)
}

/// The bounds of a product, as ratios to its value, from those of its independent terms.
#[must_use]
pub fn product(terms: &[(f64, f64)]) -> (f64, f64) {
    let below = quadrature(terms.iter().map(|&(low, _)| low.ln()));
    let above = quadrature(terms.iter().map(|&(_, high)| high.ln()));
    ((-below).exp(), above.exp())
}

/// The bounds of an estimate as ratios to its value. A value of zero has none.
#[must_use]
pub fn ratios<T: Quantity>(estimate: &Estimate<T>) -> (f64, f64) {
    let value = estimate.value.raw();
    if value > 0.0 { (estimate.low.raw() / value, estimate.high.raw() / value) } else { (1.0, 1.0) }
}

/// The energy of one meter with its bounds: the band of its method on what was counted, 0 to 2 times on the gaps, what a
/// lost meter missed on the high side, and for a run under 10 s one update period at each side of a counter.
#[must_use]
pub fn of_meter(meter: &Meter, total: &Total, run: Duration) -> Estimate<Energy> {
    let (low, high) = band(meter, run);
    let edge = edge(meter, total, run);
    // Of a run that is hardly longer than the counter's step, power over time tells more than whether a step fell in it;
    // so it does where the counter is stuck.
    let counted = match total.check {
        Some(check) if run < meter.update_period * 2 || total.stands_still() => check.by_power,
        _ => total.counted,
    };
    let lower = counted * low - edge;
    let upper = counted * high + edge + total.bridged * 2.0 + total.unseen;
    let lower = if lower > Energy::ZERO { lower } else { Energy::ZERO };
    Estimate::new(counted + total.bridged, lower, upper, meter.method.basis())
}

/// About 95 % of the truth lies between these factors of the figure.
///
/// NVML counter 5 %: agreement of counter and integrated power, and the sensor's stated ±5 %. Sampled power ±7 %; A100 and
/// H100 sample their sensor a quarter of the time, ±10 % when the load is steady and 0.70 to 1.35 for runs under a minute
/// (arXiv 2312.02741). RAPL package ±15 % where it is modelled rather than measured, DRAM ±20 % (Desrochers, Paradis,
/// Weaver 2016). CPU load model 0.5 to 2: holds 96 % of held-out points (`sensor::CpuLoad`). Memory per GB 0.3 to 2: the
/// published rules differ by a factor of ten for a large machine.
fn band(meter: &Meter, run: Duration) -> (f64, f64) {
    match meter.method {
        Method::NvmlEnergyCounter => (0.95, 1.05),
        Method::NvmlPower if run < Duration::from_secs(60) => (0.70, 1.35),
        Method::NvmlPower if samples_part_time(&meter.name) => (0.90, 1.10),
        Method::NvmlPower => (0.93, 1.07),
        Method::Rapl if meter.domain.kind == Kind::Memory => (0.80, 1.20),
        Method::Rapl => (0.85, 1.15),
        Method::CpuLoadModel | Method::NodeModel => (0.5, 2.0),
        Method::MemoryModel => (0.3, 2.0),
    }
}

fn samples_part_time(name: &str) -> bool {
    ["A100", "H100"].iter().any(|board| name.contains(board))
}

/// The counters of a short run can be off by one update period, at its power, at the beginning and at the end. A counter
/// that did not step says nothing of the power: then the power that was read beside it does.
fn edge(meter: &Meter, total: &Total, run: Duration) -> Energy {
    let short = run < Duration::from_secs(10) && !run.is_zero();
    if !short || meter.method.basis() != Basis::Measured || total.counter.is_none() {
        return Energy::ZERO;
    }
    let counted = (total.counted / run).as_watts();
    let read = total.power.map_or(0.0, Power::as_watts);
    Power::from_watts(counted.max(read)) * meter.update_period
}

fn quadrature(distances: impl Iterator<Item = f64>) -> f64 {
    distances.map(|distance| distance * distance).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joules(value: f64, low: f64, high: f64) -> Estimate<Energy> {
        let j = Energy::from_joules;
        Estimate::new(j(value), j(low), j(high), Basis::Measured)
    }

    #[test]
    fn one_method_is_one_systematic_error() {
        let eight = vec![(Method::NvmlEnergyCounter, joules(100.0, 95.0, 105.0)); 8];
        let total = sum(&eight);
        assert!((total.low.as_joules() - 760.0).abs() < 1e-9);
        assert!((total.high.as_joules() - 840.0).abs() < 1e-9);
    }

    #[test]
    fn independent_methods_add_in_quadrature_each_side_apart() {
        // 3-4-5 below, 5-12-13 above.
        let total = sum(&[
            (Method::Rapl, joules(100.0, 97.0, 105.0)),
            (Method::MemoryModel, joules(50.0, 46.0, 62.0)),
        ]);
        assert!((total.low.as_joules() - 145.0).abs() < 1e-9);
        assert!((total.high.as_joules() - 163.0).abs() < 1e-9);
    }

    #[test]
    fn a_product_combines_on_logarithms() {
        // Two factors of 2 above: 2^sqrt(2) = 2.665; one exact term changes nothing.
        let (low, high) = product(&[(0.5, 2.0), (0.5, 2.0), (1.0, 1.0)]);
        assert!((high - 2.665_144_142_690_225).abs() < 1e-12);
        assert!((low - 1.0 / 2.665_144_142_690_225).abs() < 1e-12);
    }

    #[test]
    fn a_term_that_may_be_zero_makes_the_product_possibly_zero() {
        let (low, high) = product(&[(0.0, 2.0), (0.9, 1.0)]);
        assert_eq!(low, 0.0);
        assert!((high - 2.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_the_sum_of_nothing() {
        assert_eq!(sum(&[]).value, Energy::ZERO);
    }
}
