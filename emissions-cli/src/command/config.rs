//! From texts (flags, environment, files) to values, with errors that say where the text stands.

use crate::args::{Color, Shared};
use crate::error::CliError;
use crate::settings::{Given, Layers, Origin, word, xdg};
use emissions_core::footprint::{PlatformModel, StatedPue};
use emissions_core::intensity::{Place, PlaceError, Quote, parse_intensity};
use emissions_core::quantity::{Basis, Estimate, GivenBy, Power, Pue};
use emissions_core::record::Store;
use serde::de::DeserializeOwned;
use std::env;
use std::path::PathBuf;

/// The settings of one call.
pub struct Config {
    layers: Layers,
    shared: Shared,
}

impl Config {
    pub fn read(shared: &Shared) -> Result<Self, CliError> {
        Ok(Self { layers: Layers::read(shared.config.as_deref())?, shared: shared.clone() })
    }

    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// A text from wherever it is given.
    pub fn text(&self, name: &'static str, flag: Option<&str>) -> Option<Given> {
        self.layers.get(name, flag)
    }

    /// A value, read from a text by `parse`.
    pub fn value<T>(
        &self,
        name: &'static str,
        flag: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, CliError> {
        let Some(given) = self.text(name, flag) else { return Ok(None) };
        parse(&given.value).map(Some).map_err(|why| CliError::usage(format!("{}: {why}", given.origin)))
    }

    /// A word of the record.
    pub fn word<T: DeserializeOwned>(
        &self,
        name: &'static str,
        flag: Option<&str>,
    ) -> Result<Option<T>, CliError> {
        self.value(name, flag, word)
    }

    pub fn color(&self) -> Color {
        use clap::ValueEnum;
        let given = || self.text("color", None).and_then(|given| Color::from_str(&given.value, true).ok());
        self.shared.color.or_else(given).unwrap_or_default()
    }

    /// What a kilowatt-hour emits: the stated intensity, else the place's, else the range of the world's grids.
    pub fn quote(&self) -> Result<Quote, CliError> {
        let place = self.text("place", self.shared.place.as_deref());
        let resolved = place.as_ref().map(resolve).transpose()?;
        if let Some(given) = self.text("intensity", self.shared.intensity.as_deref()) {
            let intensity = parse_intensity(&given.value).map_err(|why| {
                CliError::usage(format!("{}: {why}", given.origin))
                    .with_hint("write 56 (g/kWh) or 0.954lb/kWh")
            })?;
            return Ok(Quote::stated(intensity, resolved, given_by(&given.origin)));
        }
        match (place, resolved) {
            (Some(given), Some(place)) => Quote::of(place, given_by(&given.origin)).map_err(|error| {
                CliError::usage(format!("{}: {error}", given.origin))
                    .with_hint("state it: --intensity G_PER_KWH")
            }),
            _ => Ok(Quote::anywhere()),
        }
    }

    /// The stated PUE, if there is one.
    pub fn pue(&self) -> Result<Option<StatedPue>, CliError> {
        let Some(given) = self.text("pue", self.shared.pue.as_deref()) else { return Ok(None) };
        let ratio: f64 =
            given.value.trim().parse().map_err(|_| {
                CliError::usage(format!("{}: `{}` is not a number", given.origin, given.value))
            })?;
        let pue = Pue::new(ratio).map_err(|why| CliError::usage(format!("{}: {why}", given.origin)))?;
        Ok(Some(StatedPue { pue: Estimate::exact(pue, Basis::Assumed), given_by: given_by(&given.origin) }))
    }

    /// The stated base of the platform in watts, if there is one.
    pub fn platform(&self) -> Result<Option<PlatformModel>, CliError> {
        let base = self.value("node_base", None, |text| {
            let watts: Result<f64, _> = text.trim().trim_end_matches(['w', 'W']).trim().parse();
            watts
                .ok()
                .filter(|watts| (0.0..1e5).contains(watts))
                .ok_or(format!("`{text}` is not a number of watts"))
        })?;
        Ok(base.map(|watts| PlatformModel { base: Power::from_watts(watts), ..PlatformModel::default() }))
    }

    /// The store's folder.
    pub fn store(&self) -> Store {
        let elsewhere = || self.text("store", None).map(|given| expand(&given.value));
        let folder = match self.shared.store.clone().or_else(elsewhere) {
            Some(folder) => folder,
            None => xdg("XDG_DATA_HOME", ".local/share")
                .unwrap_or_else(|| PathBuf::from("."))
                .join("emissions/runs"),
        };
        // The command may change its working directory: the store stays where it is.
        Store::at(std::path::absolute(&folder).unwrap_or(folder))
    }
}

fn resolve(given: &Given) -> Result<Place, CliError> {
    Place::resolve(&given.value).map_err(|error| {
        let said = CliError::usage(format!("{}: {error}", given.origin));
        match error {
            PlaceError::Unknown { nearest, .. } if !nearest.is_empty() => {
                said.with_hint(format!("did you mean {}?", nearest.join(", ")))
            }
            _ => said.with_hint("write a country's code or English name: FRA, fr, France; or world"),
        }
    })
}

pub fn given_by(origin: &Origin) -> GivenBy {
    match origin {
        Origin::Flag(_) => GivenBy::Flag,
        Origin::Environment(_) => GivenBy::Environment,
        Origin::File { .. } => GivenBy::Config,
    }
}

/// `$USER`, `$HOME` and a leading `~`, for what an administrator sets once for all.
fn expand(path: &str) -> PathBuf {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let path = match path.strip_prefix("~/") {
        Some(rest) => format!("{}/{rest}", variable("HOME")),
        None => path.to_owned(),
    };
    PathBuf::from(path.replace("$USER", &variable("USER")).replace("$HOME", &variable("HOME")))
}
