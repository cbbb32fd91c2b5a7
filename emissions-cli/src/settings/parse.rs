use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::time::Duration;

/// Reads `90s`, `36h`, `2.5d`, `200ms`, `15min`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds_per = match unit.trim() {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("`{text}` is not a duration: write 90s, 15min, 36h or 2.5d")),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("`{text}` is not a duration: write 90s, 36h or 2.5d"))?;
    Duration::try_from_secs_f64(number * seconds_per)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("`{text}` is not a duration above zero"))
}

/// Reads `K=V`.
pub fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not a tag: write KEY=VALUE")),
    }
}

/// Reads a word of the record (`final`, `node`): the record's own types say which there are.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text = text.to_ascii_lowercase();
    let deserializer: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
    T::deserialize(deserializer).map_err(|error| error.to_string())
}

/// The same for the command line, where the text is kept: environment and files give texts too.
pub fn checked<T: DeserializeOwned>(text: &str) -> Result<String, String> {
    word::<T>(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("90s", 90.0),
            ("36h", 129_600.0),
            ("2.5d", 216_000.0),
            ("200ms", 0.2),
            ("5", 5.0),
            ("15min", 900.0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "s", "5 apples", "-3s", "0s", "1e9999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tag_is_a_key_and_a_value() {
        assert_eq!(tag("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(tag("a").is_err() && tag("=b").is_err());
    }
}
