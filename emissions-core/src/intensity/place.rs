use thiserror::Error;

/// Where the electricity comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// ISO 3166-1 alpha-3, or `WORLD`.
    pub id: String,
    /// English name.
    pub name: String,
}

/// Why a word is not a place.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
pub enum PlaceError {
    /// No table knows it. `nearest` holds names that are close, best first, as `France (FRA)`.
    #[error("unknown place `{query}`")]
    Unknown {
        /// What was asked.
        query: String,
        /// What may have been meant.
        nearest: Vec<String>,
    },
    /// The place exists, but no table has an intensity for it.
    #[error("no carbon intensity is known for {name}")]
    NoIntensity {
        /// The place's name.
        name: String,
    },
}

impl Place {
    /// The whole world: what stands in where no place is given.
    #[must_use]
    pub fn world() -> Self {
        Self { id: "WORLD".into(), name: "World".into() }
    }

    /// Resolves a code or an English name: `FRA`, `fr`, `France`, `world`. Case does not matter.
    ///
    /// # Errors
    /// [`PlaceError::Unknown`] with the nearest names. An unknown place is never the world.
    ///
    /// ```
    /// use emissions_core::intensity::Place;
    /// assert_eq!(Place::resolve("fr")?.id, "FRA");
    /// assert!(Place::resolve("ZZ").is_err());
    /// # Ok::<(), emissions_core::intensity::PlaceError>(())
    /// ```
    pub fn resolve(query: &str) -> Result<Self, PlaceError> {
        if query.trim().eq_ignore_ascii_case("world") {
            return Ok(Self::world());
        }
        match grid_data::country(query) {
            Some(country) => Ok(Self { id: country.alpha3.into(), name: country.name.into() }),
            None => Err(PlaceError::Unknown {
                query: query.into(),
                nearest: grid_data::nearest(query, 3)
                    .iter()
                    .map(|country| format!("{} ({})", country.name, country.alpha3))
                    .collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_name_are_one_place() {
        for query in ["FRA", "fra", "FR", "fr", "France", " france "] {
            assert_eq!(Place::resolve(query).map(|place| place.id), Ok("FRA".into()), "{query}");
        }
    }

    #[test]
    fn an_unknown_place_names_the_nearest_and_is_never_the_world() {
        let Err(PlaceError::Unknown { nearest, .. }) = Place::resolve("Frnace") else {
            unreachable!("there is no Frnace")
        };
        assert_eq!(nearest.first().map(String::as_str), Some("France (FRA)"));
        assert!(Place::resolve("ZZ").is_err());
    }
}
