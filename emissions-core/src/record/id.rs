use chrono::{DateTime, Utc};
use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// The name of a run: `20261121T093015Z-1a2b3c`. Names sort by time.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RunId(String);

impl RunId {
    /// A new name for a run that starts at `at`. Of the six hexadecimal digits four are the fraction of the second, so that
    /// names sort by time within it too, and two are random.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        let fraction = u64::from(at.timestamp_subsec_nanos()) * 0x1_0000 / 1_000_000_000;
        // The standard library's hasher is seeded by the system: a random number without a dependency.
        let random = RandomState::new().hash_one(fraction) & 0xff;
        Self(format!("{}-{:04x}{random:02x}", at.format("%Y%m%dT%H%M%SZ"), fraction.min(0xffff)))
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
        let later = at + chrono::TimeDelta::milliseconds(1);
        assert!(RunId::new(at) < RunId::new(later));
    }
}
