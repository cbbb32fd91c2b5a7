use super::platform::PlatformModel;
use super::uncertainty::{self, product, ratios};
use crate::energy::{Meter, Total};
use crate::intensity::Quote;
use crate::quantity::{
    Basis, CarbonIntensity, Domain, Emissions, Energy, Estimate, GivenBy, Kind, Method, Pue,
};
use std::time::Duration;

/// The domain of what no component sensor sees.
pub const PLATFORM: Domain = Domain::new(Kind::Platform, 0);

/// What a person calls it.
pub const PLATFORM_NAME: &str = "mainboard, fans, disks, power supplies";

/// A PUE and who gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatedPue {
    /// The ratio with its bounds.
    pub pue: Estimate<Pue>,
    /// Who gave it.
    pub given_by: GivenBy,
}

/// One line of the books: a domain, how its energy was obtained, and how much it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Which domain.
    pub domain: Domain,
    /// What a person calls it.
    pub name: String,
    /// By what.
    pub method: Method,
    /// How much, with bounds.
    pub energy: Estimate<Energy>,
    /// How many readings.
    pub samples: u64,
    /// Time that no reading covers.
    pub gap: Duration,
}

/// What a run used and emitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Footprint {
    /// Every domain, the platform last.
    pub components: Vec<Component>,
    /// Their sum: the electricity of the machine.
    pub energy: Estimate<Energy>,
    /// With the facility around it.
    pub facility: Estimate<Energy>,
    /// The emissions of that electricity.
    pub emissions: Estimate<Emissions>,
    /// The share of `energy` that instruments read. `None` when there is no energy at all.
    pub measured_share: Option<f64>,
}

impl Footprint {
    /// Adds up the meters of a run of this length. `platform` is `None` for the components' boundary.
    pub fn of<'a>(
        meters: impl Iterator<Item = (&'a Meter, Total)>,
        platform: Option<PlatformModel>,
        run: Duration,
        pue: &StatedPue,
        quote: &Quote,
    ) -> Self {
        let mut components: Vec<Component> = meters
            .filter(|(_, total)| total.is_known())
            .map(|(meter, total)| of_meter(meter, &total, run))
            .collect();
        components.sort_by_key(|component| component.domain);
        if let Some(model) = platform {
            let energy = model.around(&parts(&components), run);
            components.push(platform_component(energy));
        }
        let energy = uncertainty::sum(&parts(&components));
        let facility = multiply_energy(&energy, &pue.pue);
        let emissions = multiply_emissions(&energy, &pue.pue, &quote.intensity);
        let measured_share = measured_share(&components, energy.value);
        Self { components, energy, facility, emissions, measured_share }
    }
}

fn of_meter(meter: &Meter, total: &Total, run: Duration) -> Component {
    Component {
        domain: meter.domain,
        name: meter.name.clone(),
        method: meter.method,
        energy: uncertainty::of_meter(meter, total, run),
        samples: total.samples,
        gap: total.gap,
    }
}

fn platform_component(energy: Estimate<Energy>) -> Component {
    Component {
        domain: PLATFORM,
        name: PLATFORM_NAME.into(),
        method: Method::NodeModel,
        energy,
        samples: 0,
        gap: Duration::ZERO,
    }
}

fn parts(components: &[Component]) -> Vec<(Method, Estimate<Energy>)> {
    components.iter().map(|component| (component.method, component.energy)).collect()
}

fn multiply_energy(energy: &Estimate<Energy>, pue: &Estimate<Pue>) -> Estimate<Energy> {
    let basis = energy.basis.max(pue.basis);
    if energy.value == Energy::ZERO {
        return Estimate::new(Energy::ZERO, Energy::ZERO, energy.high * pue.high, basis);
    }
    let (low, high) = product(&[ratios(energy), ratios(pue)]);
    Estimate::within(energy.value * pue.value, low, high, basis)
}

fn multiply_emissions(
    energy: &Estimate<Energy>,
    pue: &Estimate<Pue>,
    intensity: &Estimate<CarbonIntensity>,
) -> Estimate<Emissions> {
    let basis = energy.basis.max(pue.basis).max(intensity.basis);
    if energy.value == Energy::ZERO {
        let highest = energy.high * pue.high * intensity.high;
        return Estimate::new(Emissions::ZERO, Emissions::ZERO, highest, basis);
    }
    let (low, high) = product(&[ratios(energy), ratios(pue), ratios(intensity)]);
    Estimate::within(energy.value * pue.value * intensity.value, low, high, basis)
}

fn measured_share(components: &[Component], energy: Energy) -> Option<f64> {
    let measured: Energy = components
        .iter()
        .filter(|component| component.method.basis() == Basis::Measured)
        .map(|component| component.energy.value)
        .sum();
    (energy > Energy::ZERO).then(|| measured.as_joules() / energy.as_joules())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::assume_pue;
    use crate::quantity::{Power, Site};

    fn gpu(index: u32) -> Meter {
        Meter {
            domain: Domain::new(Kind::Gpu, index),
            name: "GPU".into(),
            uuid: None,
            method: Method::NvmlEnergyCounter,
            wraps_at: None,
            ceiling: Power::from_watts(2000.0),
            update_period: Duration::from_millis(100),
        }
    }

    fn counted(joules: f64) -> Total {
        Total { counted: Energy::from_joules(joules), samples: 2, ..Total::default() }
    }

    #[test]
    fn energy_times_pue_times_intensity_is_the_emission() {
        // 3.6 MJ = 1 kWh; x 1.2 = 1.2 kWh; x 100 g/kWh = 120 g.
        let pue = StatedPue {
            pue: Estimate::exact(Pue::new(1.2).unwrap_or(Pue::ONE), Basis::Assumed),
            given_by: GivenBy::Flag,
        };
        let quote = Quote::stated(CarbonIntensity::from_g_per_kwh(100.0), None, GivenBy::Flag);
        let (a, b) = (gpu(0), gpu(1));
        let meters = [(&a, counted(1.8e6)), (&b, counted(1.8e6))];
        let footprint = Footprint::of(meters.into_iter(), None, Duration::from_secs(3600), &pue, &quote);
        assert!((footprint.energy.value.as_kwh() - 1.0).abs() < 1e-12);
        assert!((footprint.facility.value.as_kwh() - 1.2).abs() < 1e-12);
        assert!((footprint.emissions.value.as_grams() - 120.0).abs() < 1e-9);
        assert_eq!(footprint.measured_share, Some(1.0));
    }

    #[test]
    fn a_lost_gpu_of_which_nothing_was_counted_keeps_its_upper_bound() {
        // Lost at once: up to 7.2 MJ unseen = 2 kWh; x PUE 1.3 at most 2 = 4 kWh; x 100 g/kWh = 400 g at most.
        let meter = gpu(0);
        let lost = Total {
            samples: 1,
            power: Some(Power::from_watts(250.0)),
            unseen: Energy::from_joules(7.2e6),
            ..Total::default()
        };
        let quote = Quote::stated(CarbonIntensity::from_g_per_kwh(100.0), None, GivenBy::Flag);
        let pue = assume_pue(Site::DataCentre);
        let meters = [(&meter, lost)];
        let footprint = Footprint::of(meters.into_iter(), None, Duration::from_secs(60), &pue, &quote);
        assert!((footprint.facility.high.as_kwh() - 4.0).abs() < 1e-9);
        assert!((footprint.emissions.high.as_grams() - 400.0).abs() < 1e-9);
    }

    #[test]
    fn a_meter_that_never_answered_is_not_a_zero() {
        let meter = gpu(0);
        let meters = [(&meter, Total::default())];
        let footprint = Footprint::of(
            meters.into_iter(),
            None,
            Duration::from_secs(1),
            &assume_pue(Site::DataCentre),
            &Quote::anywhere(),
        );
        assert!(footprint.components.is_empty());
        assert_eq!(footprint.measured_share, None);
    }
}
