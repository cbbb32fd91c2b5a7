//! The house keeps its shape: the rooms of `emissions-core` know only whom they may know, `mod.rs` is a list of what is
//! in the room, the library talks to nobody behind its caller's back, and no file of these tests is forgotten.
//!
//! The source is read as text, line by line, the way rustfmt leaves it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type Tested = Result<(), Box<dyn Error>>;

const CORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../emissions-core/src");
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");

/// Who may know whom (→ = imports): a room knows only rooms above it, so there is no circle and no arrow upward.
/// `grid_data` is a crate of its own.
const MAY_KNOW: [(&str, &[&str]); 9] = [
    ("grid_data", &[]),
    ("quantity", &[]),
    ("energy", &["quantity"]),
    ("sensor", &["energy", "quantity"]),
    ("sampler", &["sensor", "energy", "quantity"]),
    ("intensity", &["quantity", "grid_data"]),
    ("footprint", &["quantity", "energy", "intensity"]),
    ("record", &["quantity"]),
    // It ties sensors to records: everything.
    (
        "tracker",
        &["record", "footprint", "intensity", "sampler", "sensor", "energy", "quantity", "grid_data"],
    ),
];

/// What the library never does, and the words that would do it.
const NEVER: [(&str, &[&str]); 3] = [
    ("reads no environment variable", &["env::var", "env::{"]),
    ("prints nothing", &["print!", "println!", "dbg!", "io::stdout", "io::stderr"]),
    ("opens no socket", &["std::net", "unix::net"]),
];

#[test]
fn every_room_knows_only_whom_it_may_know() -> Tested {
    let mut wrong = Vec::new();
    for source in sources()? {
        let room = source.room();
        // `lib.rs` is the door: it names the rooms and nothing else (see below).
        if room == "lib" {
            continue;
        }
        let Some(may_know) = whom(&room) else {
            wrong.push(format!("{}: the room `{room}` is not in the table of tests/house.rs", source.at(1)));
            continue;
        };
        for (number, line) in code(&source.text) {
            for known in known_by(line).filter(|&known| known != room && !may_know.contains(&known)) {
                let rule = if may_know.is_empty() { "nobody".into() } else { may_know.join(", ") };
                wrong.push(format!("{}: {room} → {known}, but {room} → {rule}", source.at(number)));
            }
        }
    }
    none(&wrong)
}

#[test]
fn the_table_has_no_circle_and_no_room_that_is_not_there() {
    for (row, (room, may_know)) in MAY_KNOW.iter().enumerate() {
        for known in *may_know {
            let above = MAY_KNOW.iter().take(row).any(|(above, _)| above == known);
            assert!(above, "{room} → {known}: {known} does not stand above {room}");
        }
        let there = *room == "grid_data" || Path::new(CORE).join(room).is_dir();
        assert!(there, "the table has a room `{room}` that emissions-core has not");
    }
}

#[test]
fn a_mod_rs_only_lists_what_is_in_the_room() -> Tested {
    let mut wrong = Vec::new();
    for source in sources()? {
        if source.path.ends_with("/mod.rs") || source.path == "lib.rs" {
            wrong.extend(logic(&source.text).map(|(number, line)| {
                format!("{}: `{line}`: only `mod` and `use` stand here", source.at(number))
            }));
        }
    }
    none(&wrong)
}

#[test]
fn the_library_prints_nothing_reads_no_environment_and_opens_no_socket() -> Tested {
    let mut wrong = Vec::new();
    for source in sources()? {
        for (number, line) in code(&source.text) {
            for (promise, words) in NEVER {
                if words.iter().any(|word| line.contains(word)) {
                    let line = line.trim();
                    wrong.push(format!("{}: `{line}`, but the library {promise}", source.at(number)));
                }
            }
        }
    }
    none(&wrong)
}

#[test]
fn no_file_of_these_tests_is_forgotten() -> Tested {
    let main = fs::read_to_string(Path::new(TESTS).join("main.rs"))?;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(TESTS)? {
        let path = entry?.path();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if is_source && name != "main" && !declares(&main, &name) {
            wrong.push(format!("tests/{name}.rs is never run: tests/main.rs wants `mod {name};`"));
        }
    }
    none(&wrong)
}

#[test]
fn the_reader_of_sources_sees_imports_and_only_imports() {
    let source = "\
//! See [`crate::tracker`].
use crate::quantity::{Energy, Power};
use crate::{record, sampler};
fn made() -> crate::sensor::Host { grid_data::world() } // as crate::footprint does
#[cfg(test)]
mod tests {
    use crate::intensity::Quote;
}
use super::super::energy::Meter;
";
    let known: Vec<&str> = code(source).flat_map(|(_, line)| known_by(line)).collect();
    assert_eq!(known, ["quantity", "{", "sensor", "grid_data", "super::super"]);
    let numbers: Vec<usize> = code(source).map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 9]);
}

#[test]
fn the_reader_of_mod_rs_tells_a_list_from_logic() {
    let list =
        "//! A room.\n\n#[cfg(feature = \"nvml\")]\nmod nvml;\npub use a::{\n    B,\n};\npub(crate) mod c;\n";
    assert_eq!(logic(list).count(), 0);
    let found: Vec<usize> =
        logic("mod a;\nconst B: u8 = 1;\nmod c {\n}\n").map(|(number, _)| number).collect();
    assert_eq!(found, [2, 3, 4]);
}

/// One file of the library.
struct Source {
    /// From `src` on, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The folder, or the file where there is no folder, straight under `src`.
    fn room(&self) -> String {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs").to_owned()
    }

    /// A line of it, as editors open it from the root of the workspace.
    fn at(&self, number: usize) -> String {
        format!("emissions-core/src/{}:{number}", self.path)
    }
}

fn sources() -> Result<Vec<Source>, Box<dyn Error>> {
    let mut sources = Vec::new();
    let mut folders = vec![PathBuf::from(CORE)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                let path = path.strip_prefix(CORE)?.to_string_lossy().replace('\\', "/");
                sources.push(Source { path, text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn whom(room: &str) -> Option<&'static [&'static str]> {
    MAY_KNOW.iter().find(|(name, _)| *name == room).map(|&(_, may_know)| may_know)
}

/// The numbered lines of a source without comments and without what is compiled for tests alone.
///
/// An item under `#[cfg(test)]` ends at the first line of its own indent that closes it.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut test: Option<usize> = None;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let line = line.split("//").next().unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("#[cfg(test)]") {
            test = Some(indent);
        } else if let Some(outer) = test {
            if indent == outer && line.trim_end().ends_with(['}', ';']) {
                test = None;
            }
        } else {
            return Some((number, line));
        }
        None
    })
}

/// The rooms that a line names. `crate::{` and `super::super`, which would hide a room from this test, are no rooms: they
/// are in no row of the table, and so never allowed.
fn known_by(line: &str) -> impl Iterator<Item = &str> {
    let rooms = line.split("crate::").skip(1).map(|rest| match rest.split(is_no_name).next() {
        None | Some("") => rest.get(..1).unwrap_or("crate"),
        Some(room) => room,
    });
    let outside = ["grid_data", "super::super"].into_iter().filter(|word| line.contains(word));
    rooms.chain(outside)
}

/// The numbered lines that are neither `mod`, `use` nor an attribute.
fn logic(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_use = false;
    code(text).map(|(number, line)| (number, line.trim())).filter(move |(_, line)| {
        let item = line.strip_prefix("pub").unwrap_or(line);
        let item = item.strip_prefix("(crate)").unwrap_or(item).trim_start();
        let uses = in_use || item.starts_with("use ");
        in_use = uses && !line.ends_with(';');
        let declares = item.starts_with("mod ") && line.ends_with(';');
        !(uses || declares || line.is_empty() || line.starts_with('#'))
    })
}

fn declares(main: &str, module: &str) -> bool {
    code(main).any(|(_, line)| line.trim().trim_start_matches("pub ") == format!("mod {module};"))
}

fn is_no_name(character: char) -> bool {
    !(character.is_alphanumeric() || character == '_')
}

/// Fails with one line for each thing that is wrong.
fn none(wrong: &[String]) -> Tested {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    Ok(())
}
