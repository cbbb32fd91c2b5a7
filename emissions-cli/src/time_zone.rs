//! The country of the machine's clock: a proposal for `--place`, never applied by itself.

use grid_data::Country;
use std::env;
use std::fs;

/// The clock's time zone and its country, where it belongs to one.
pub fn proposal() -> Option<(String, &'static Country)> {
    let zone = zone()?;
    let country = grid_data::time_zone_country(&zone)?;
    Some((zone, country))
}

/// `Europe/Paris`: of the environment, else of the link that systems set, else of Debian's file.
fn zone() -> Option<String> {
    if let Ok(zone) = env::var("TZ") {
        return Some(zone.trim_start_matches(':').to_owned()).filter(|zone| !zone.is_empty());
    }
    if let Ok(target) = fs::read_link("/etc/localtime")
        && let Some((_, zone)) = target.to_str()?.split_once("zoneinfo/")
    {
        return Some(zone.to_owned());
    }
    fs::read_to_string("/etc/timezone").ok().map(|zone| zone.trim().to_owned())
}
