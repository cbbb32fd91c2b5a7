use emissions_core::record::Interval;
use std::time::Duration;

/// A unit to show a quantity in, and how many of the base unit it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    pub name: &'static str,
    pub size: f64,
}

/// Units of energy in kWh.
const ENERGY: [Unit; 5] = [
    Unit { name: "GWh", size: 1e6 },
    Unit { name: "MWh", size: 1e3 },
    Unit { name: "kWh", size: 1.0 },
    Unit { name: "Wh", size: 1e-3 },
    Unit { name: "mWh", size: 1e-6 },
];

/// Units of mass in grams.
const MASS: [Unit; 4] = [
    Unit { name: "t", size: 1e6 },
    Unit { name: "kg", size: 1e3 },
    Unit { name: "g", size: 1.0 },
    Unit { name: "mg", size: 1e-3 },
];

/// The unit in which an energy has between 1 and 1000 of it.
pub fn energy_unit(kwh: f64) -> Unit {
    fitting(&ENERGY, kwh)
}

fn fitting(units: &[Unit], value: f64) -> Unit {
    let smallest = Unit { name: "", size: 1.0 };
    let last = units.last().copied().unwrap_or(smallest);
    units.iter().copied().find(|unit| value >= unit.size).unwrap_or(last)
}

/// A number with so many significant digits and never an exponent: `24.8`, `0.0032`, `1290`.
pub fn significant(number: f64, digits: i32) -> String {
    if number == 0.0 || !number.is_finite() {
        return format!("{number}");
    }
    let magnitude = number.abs().log10().floor();
    let decimals = (f64::from(digits) - 1.0 - magnitude).max(0.0);
    let rounded = format!("{number:.*}", to_usize(decimals));
    // 9.96 with two digits is 10, not 10.0.
    let grown = rounded.parse::<f64>().is_ok_and(|value| value.abs().log10().floor() > magnitude);
    if grown && decimals > 0.0 { format!("{number:.*}", to_usize(decimals - 1.0)) } else { rounded }
}

/// A small whole number.
fn to_usize(number: f64) -> usize {
    (0..40)
        .find(|&candidate| f64::from(candidate) >= number)
        .and_then(|whole| usize::try_from(whole).ok())
        .unwrap_or(0)
}

/// `0.54–2.4`: bounds are known no better than two digits.
pub fn interval(interval: &Interval, unit: Unit) -> String {
    format!("{}–{}", significant(interval.low / unit.size, 2), significant(interval.high / unit.size, 2))
}

/// `1.1 kg CO2e (0.54–2.4)`: a mass of CO2-equivalent in its fitting unit.
pub fn grams(value: &Interval) -> String {
    let unit = fitting(&MASS, value.value);
    format!("{} {} CO2e ({})", significant(value.value / unit.size, 2), unit.name, interval(value, unit))
}

/// `2 h 14 min`, `12.3 s`. What no clock counts (a record may hold anything) is shown as it is.
pub fn span(seconds: f64) -> String {
    let Ok(time) = Duration::try_from_secs_f64(seconds) else { return format!("{seconds} s") };
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        0..60 => format!("{} s", significant(time.as_secs_f64(), 3)),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_significant_and_never_an_exponent() {
        for (number, digits, text) in [
            (24.83, 3, "24.8"),
            (0.003_21, 2, "0.0032"),
            (1287.0, 3, "1287"),
            (9.96, 2, "10"),
            (0.0996, 2, "0.10"),
            (44.0, 2, "44"),
            (0.0, 2, "0"),
        ] {
            assert_eq!(significant(number, digits), text);
        }
    }

    #[test]
    fn a_mass_is_shown_in_its_unit() {
        let mass = |value, low, high| grams(&Interval { value, low, high });
        assert_eq!(mass(1100.0, 540.0, 2400.0), "1.1 kg CO2e (0.54–2.4)");
        assert_eq!(mass(0.004, 0.001, 0.01), "4.0 mg CO2e (1.0–10)");
    }

    #[test]
    fn a_span_has_two_units() {
        let seconds = span;
        assert_eq!(seconds(12.34), "12.3 s");
        assert_eq!(seconds(8040.0), "2 h 14 min");
        assert_eq!(seconds(75.0), "1 min 15 s");
        assert_eq!(seconds(200_000.0), "2 d 7 h");
    }
}
