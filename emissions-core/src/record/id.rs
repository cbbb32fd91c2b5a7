use chrono::{DateTime, Utc};
use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// The name of a run: `20261121T093015Z-1a2b3c`. Names sort by time.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RunId(String);

impl RunId {
    /// A new name for a run that starts at `at`. Six hexadecimal digits keep runs of the same second apart.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        // The standard library's hasher is seeded by the system: a random number without a dependency.
        let random = RandomState::new().hash_one(at.timestamp_nanos_opt()) & 0xff_ffff;
        Self(format!("{}-{random:06x}", at.format("%Y%m%dT%H%M%SZ")))
    }

    /// The name as it stands in files.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_second_and_six_digits() {
        let at = DateTime::from_timestamp(1_795_253_415, 0).unwrap_or_default();
        let id = RunId::new(at);
        assert!(id.as_str().starts_with("20261121T093015Z-"), "{id}");
        assert_eq!(id.as_str().len(), 23);
        assert_ne!(RunId::new(at), RunId::new(at));
    }
}
