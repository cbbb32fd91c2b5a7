use crate::quantity::CarbonIntensity;
use thiserror::Error;

/// Above every grid on record: some national averages reach 1,000 g/kWh, a lignite plant about 1,200.
const PLAUSIBLE_G_PER_KWH: f64 = 2500.0;

/// Why a text is not a carbon intensity.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum StatedError {
    /// No number in it.
    #[error("`{0}` is not a carbon intensity")]
    NotANumber(String),
    /// A unit that is not known.
    #[error("`{0}` is not a unit of carbon intensity")]
    Unit(String),
    /// Below zero, or above anything a grid can be.
    #[error("{0} g/kWh is outside what a grid can be (0 to 2500)")]
    Implausible(f64),
}

/// Reads `56`, `56g/kWh`, `0.056kg/kWh`, `0.954lb/kWh`, `429.983 lb/MWh`. A bare number is g/kWh.
///
/// # Errors
/// [`StatedError`] says what is wrong with the text.
///
/// ```
/// use emissions_core::intensity::parse_intensity;
/// let camx = parse_intensity("429.983lb/MWh")?;
/// assert!((camx.as_g_per_kwh() - 195.04).abs() < 0.01);
/// # Ok::<(), emissions_core::intensity::StatedError>(())
/// ```
pub fn parse_intensity(text: &str) -> Result<CarbonIntensity, StatedError> {
    let text = text.trim();
    let digits = text
        .char_indices()
        .find(|&(_, c)| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .map_or(text.len(), |(at, _)| at);
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| StatedError::NotANumber(text.into()))?;
    let unit: String = unit.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let intensity = match unit.as_str() {
        // g/kWh and kg/MWh are the same number.
        "" | "g/kwh" | "gco2/kwh" | "gco2e/kwh" | "gco2eq/kwh" | "kg/mwh" => {
            CarbonIntensity::from_g_per_kwh(number)
        }
        "kg/kwh" | "t/mwh" => CarbonIntensity::from_g_per_kwh(number * 1e3),
        "lb/kwh" => CarbonIntensity::from_lb_per_kwh(number),
        "lb/mwh" => CarbonIntensity::from_lb_per_kwh(number / 1e3),
        _ => return Err(StatedError::Unit(unit)),
    };
    let g_per_kwh = intensity.as_g_per_kwh();
    if (0.0..=PLAUSIBLE_G_PER_KWH).contains(&g_per_kwh) {
        Ok(intensity)
    } else {
        Err(StatedError::Implausible(g_per_kwh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        // Strubell et al. 2019 used 0.954 lb/kWh: 0.954 x 453.59237 = 432.727 g/kWh.
        for (text, g_per_kwh) in
            [("56", 56.0), ("56 g/kWh", 56.0), ("0.056kg/kWh", 56.0), ("0.954lb/kWh", 432.727_121)]
        {
            let read = parse_intensity(text).map(CarbonIntensity::as_g_per_kwh);
            assert!(read.is_ok_and(|read| (read - g_per_kwh).abs() < 1e-6), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_intensity_says_why() {
        assert_eq!(parse_intensity("abc"), Err(StatedError::NotANumber("abc".into())));
        assert_eq!(parse_intensity("5 apples"), Err(StatedError::Unit("apples".into())));
        assert_eq!(parse_intensity("-5"), Err(StatedError::Implausible(-5.0)));
        assert!(parse_intensity("56kg/kWh").is_err(), "kilograms for grams");
    }
}
