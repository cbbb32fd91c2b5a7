use crate::error::CliError;
use crate::output::say;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use toml::{Spanned, Value};

/// A configuration file, read.
#[derive(Debug)]
pub struct ConfigFile {
    pub path: PathBuf,
    /// Each value with the line and the column it stands at.
    pub values: BTreeMap<String, (String, usize, usize)>,
}

/// How a file came to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Named {
    /// The user names it: it must be readable.
    ByUser,
    /// It stands where such files stand: what this user may not read is not for this user.
    Found,
}

type Table = BTreeMap<Spanned<String>, Spanned<Value>>;

impl ConfigFile {
    /// Reads a file if it is there. Values for this host (`[host."gpu-*"]`) come before the file's general ones.
    pub fn read(path: &Path, host: &str, named: Named) -> Result<Option<Self>, CliError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && named == Named::Found => {
                say(&format!("emissions: {} is not used: {error}", path.display()));
                return Ok(None);
            }
            Err(error) => {
                return Err(CliError::usage(format!("cannot read {}: {error}", path.display())));
            }
        };
        let table: Table = toml::from_str(&text).map_err(|error| {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            CliError::usage(format!("{}:{line}:{column}: {}", path.display(), error.message()))
        })?;
        let mut file = Self { path: path.to_owned(), values: BTreeMap::new() };
        let mut for_host = Vec::new();
        for (key, value) in &table {
            let at = position(&text, value.span().start);
            match (key.get_ref().as_str(), value.get_ref()) {
                ("host", Value::Table(hosts)) => {
                    let matching = hosts.iter().filter(|(pattern, _)| matches(pattern, host));
                    for (_, settings) in matching {
                        let Value::Table(settings) = settings else { continue };
                        for_host.extend(settings.iter().map(|(key, value)| (key.clone(), value.clone(), at)));
                    }
                }
                (key, value) => file.insert(key, value, at)?,
            }
        }
        for (key, value, at) in for_host {
            file.insert(&key, &value, at)?;
        }
        Ok(Some(file))
    }

    fn insert(&mut self, key: &str, value: &Value, (line, column): (usize, usize)) -> Result<(), CliError> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            _ => {
                let path = self.path.display();
                return Err(CliError::usage(format!(
                    "{path}:{line}:{column}: `{key}` must be a text or a number"
                )));
            }
        };
        self.values.insert(key.replace('-', "_"), (text, line, column));
        Ok(())
    }
}

/// A host's name, or its beginning and a star.
fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => host.starts_with(beginning),
        None => pattern == host,
    }
}

/// Line and column, counted from 1, of a byte of a text.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column =
        before.rfind('\n').map_or(before, |at| before.get(at + 1..).unwrap_or("")).chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_line_and_column_from_one() {
        assert_eq!(position("a = 1\nbé = 2", 6), (2, 1));
        assert_eq!(position("a = 1\nbé = 2", 11), (2, 5));
    }

    #[test]
    fn a_host_is_matched_by_name_or_beginning() {
        assert!(matches("gpu-*", "gpu-17") && matches("gpu-17", "gpu-17"));
        assert!(!matches("gpu-1", "gpu-17"));
    }
}
