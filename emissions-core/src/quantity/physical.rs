use super::Pue;
use super::define::quantity;
use std::ops::{Div, Mul};
use std::time::Duration;

/// Joules in a kilowatt-hour: 1000 W × 3600 s, exact by definition of the units.
const J_PER_KWH: f64 = 3.6e6;

/// Grams in an avoirdupois pound, exact by the international agreement of 1959.
const G_PER_LB: f64 = 453.592_37;

quantity! {
    /// Electrical power, in watts.
    Power
}

quantity! {
    /// Electrical energy, in joules.
    Energy
}

quantity! {
    /// Mass of CO2-equivalent, in grams.
    Emissions
}

quantity! {
    /// CO2-equivalent emitted for a unit of electricity, in g/kWh.
    CarbonIntensity
}

impl Power {
    /// From watts.
    #[must_use]
    pub const fn from_watts(watts: f64) -> Self {
        Self(watts)
    }

    /// From milliwatts, the unit of NVML.
    #[must_use]
    pub fn from_milliwatts(milliwatts: u32) -> Self {
        Self(f64::from(milliwatts) / 1e3)
    }

    /// In watts.
    #[must_use]
    pub const fn as_watts(self) -> f64 {
        self.0
    }
}

impl Energy {
    /// From joules.
    #[must_use]
    pub const fn from_joules(joules: f64) -> Self {
        Self(joules)
    }

    /// From a count of microjoules, the unit of powercap. Exact below 2⁵³ µJ (9 GJ), far above every counter's range.
    #[must_use]
    pub const fn from_microjoules(microjoules: u64) -> Self {
        Self(microjoules as f64 / 1e6)
    }

    /// From a count of millijoules, the unit of NVML. Exact below 2⁵³ mJ (9 TJ).
    #[must_use]
    pub const fn from_millijoules(millijoules: u64) -> Self {
        Self(millijoules as f64 / 1e3)
    }

    /// From kilowatt-hours.
    #[must_use]
    pub const fn from_kwh(kwh: f64) -> Self {
        Self(kwh * J_PER_KWH)
    }

    /// In joules.
    #[must_use]
    pub const fn as_joules(self) -> f64 {
        self.0
    }

    /// In kilowatt-hours.
    #[must_use]
    pub const fn as_kwh(self) -> f64 {
        self.0 / J_PER_KWH
    }
}

impl Emissions {
    /// From grams of CO2-equivalent.
    #[must_use]
    pub const fn from_grams(grams: f64) -> Self {
        Self(grams)
    }

    /// In grams, the unit of the model hub.
    #[must_use]
    pub const fn as_grams(self) -> f64 {
        self.0
    }

    /// In kilograms, the unit of CodeCarbon's files.
    #[must_use]
    pub const fn as_kilograms(self) -> f64 {
        self.0 / 1e3
    }
}

impl CarbonIntensity {
    /// From grams per kilowatt-hour.
    #[must_use]
    pub const fn from_g_per_kwh(g_per_kwh: f64) -> Self {
        Self(g_per_kwh)
    }

    /// From pounds per kilowatt-hour, as older US papers print it.
    #[must_use]
    pub const fn from_lb_per_kwh(lb_per_kwh: f64) -> Self {
        Self(lb_per_kwh * G_PER_LB)
    }

    /// In grams per kilowatt-hour.
    #[must_use]
    pub const fn as_g_per_kwh(self) -> f64 {
        self.0
    }
}

impl Mul<Duration> for Power {
    type Output = Energy;

    fn mul(self, time: Duration) -> Energy {
        Energy(self.0 * time.as_secs_f64())
    }
}

impl Div<Duration> for Energy {
    type Output = Power;

    fn div(self, time: Duration) -> Power {
        Power(self.0 / time.as_secs_f64())
    }
}

impl Mul<Pue> for Energy {
    type Output = Self;

    fn mul(self, pue: Pue) -> Self {
        Self(self.0 * pue.ratio())
    }
}

impl Mul<CarbonIntensity> for Energy {
    type Output = Emissions;

    fn mul(self, intensity: CarbonIntensity) -> Emissions {
        Emissions(self.as_kwh() * intensity.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pound_per_megawatt_hour_is_what_egrid_says() {
        // eGRID2023 CAMX: 429.983 lb/MWh, printed by the EPA as 195.04 g/kWh.
        let camx = CarbonIntensity::from_lb_per_kwh(0.429_983);
        assert!((camx.as_g_per_kwh() - 195.04).abs() < 0.005);
    }

    #[test]
    fn power_over_time_is_energy_and_back() {
        let energy = Power::from_watts(250.0) * Duration::from_secs(10);
        assert_eq!(energy, Energy::from_joules(2500.0));
        assert_eq!(energy / Duration::from_secs(10), Power::from_watts(250.0));
    }

    #[test]
    fn vendor_units_keep_every_digit_of_the_counter() {
        assert_eq!(Energy::from_microjoules(262_143_328_850).as_joules(), 262_143.328_85);
        assert_eq!(Energy::from_millijoules(2_500_000).as_joules(), 2500.0);
        assert_eq!(Power::from_milliwatts(250_000).as_watts(), 250.0);
    }
}
