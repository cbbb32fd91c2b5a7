use super::file::{ConfigFile, Named};
use crate::error::CliError;
use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

/// A setting that can be given outside the command line.
pub struct Setting {
    pub name: &'static str,
    /// Whether a file in the working directory may give it. A cloned repository must not make the program write
    /// somewhere or open a socket: what names a place to write to is not for it to say.
    pub from_project: bool,
    pub default: &'static str,
}

/// All of them.
pub const SETTINGS: [Setting; 18] = [
    Setting { name: "place", from_project: true, default: "not set: the range of the world's grids" },
    Setting { name: "intensity", from_project: true, default: "of the place" },
    Setting {
        name: "pue",
        from_project: true,
        default: "1 on a laptop or desktop, else assumed 1.3 (1.0–2.0)",
    },
    Setting { name: "boundary", from_project: true, default: "node" },
    Setting { name: "node_base", from_project: true, default: "33 W, in a virtual machine 1 W a processor" },
    Setting { name: "attribution", from_project: true, default: "auto" },
    Setting { name: "project", from_project: true, default: "not set" },
    Setting { name: "training", from_project: true, default: "not set" },
    Setting { name: "role", from_project: true, default: "final" },
    Setting { name: "name", from_project: true, default: "not set" },
    Setting { name: "group", from_project: true, default: "the Slurm job id" },
    Setting { name: "gpus", from_project: true, default: "CUDA_VISIBLE_DEVICES, else all" },
    Setting { name: "sample_every", from_project: true, default: "1s" },
    Setting { name: "record_every", from_project: true, default: "10s" },
    Setting { name: "store", from_project: false, default: "$XDG_DATA_HOME/emissions/runs" },
    Setting { name: "csv", from_project: false, default: "not written" },
    Setting { name: "summary", from_project: false, default: "not written" },
    Setting { name: "color", from_project: true, default: "auto" },
];

/// Where a value was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    Flag(&'static str),
    Environment(String),
    File { path: PathBuf, line: usize, column: usize },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{}", name.replace('_', "-")),
            Self::Environment(name) => f.write_str(name),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
        }
    }
}

/// A value and where it was found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Given {
    pub value: String,
    pub origin: Origin,
}

/// The files, from the nearest to the farthest.
#[derive(Debug, Default)]
pub struct Layers {
    files: Vec<(ConfigFile, Trust)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trust {
    /// Named by the user, the user's own, or the administrator's.
    Full,
    /// Found in the working directory or above.
    Project,
}

impl Layers {
    /// Reads all configuration files there are. `explicit` is the one of `--config`, which must exist.
    pub fn read(explicit: Option<&Path>) -> Result<Self, CliError> {
        let host = host_name();
        let mut files = Vec::new();
        if let Some(path) = explicit
            .map(Path::to_owned)
            .or_else(|| env::var_os("EMISSIONS_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from))
        {
            let file = ConfigFile::read(&path, &host, Named::ByUser)?
                .ok_or_else(|| CliError::usage(format!("no configuration file {}", path.display())))?;
            files.push((file, Trust::Full));
        }
        let user = user_file();
        if let Some(path) = project_file().filter(|path| Some(path) != user.as_ref()) {
            files.extend(ConfigFile::read(&path, &host, Named::Found)?.map(|file| (file, Trust::Project)));
        }
        if let Some(path) = user {
            files.extend(ConfigFile::read(&path, &host, Named::Found)?.map(|file| (file, Trust::Full)));
        }
        let system = Path::new("/etc/emissions/config.toml");
        files.extend(ConfigFile::read(system, &host, Named::Found)?.map(|file| (file, Trust::Full)));
        Ok(Self { files })
    }

    /// The value that counts: flag, environment, files.
    pub fn get(&self, name: &'static str, flag: Option<&str>) -> Option<Given> {
        if let Some(value) = flag {
            return Some(Given { value: value.to_owned(), origin: Origin::Flag(name) });
        }
        let variable = format!("EMISSIONS_{}", name.to_ascii_uppercase());
        if let Some(value) = env::var(&variable).ok().filter(|value| !value.is_empty()) {
            return Some(Given { value, origin: Origin::Environment(variable) });
        }
        self.files.iter().filter(|(_, trust)| *trust == Trust::Full || is_for_projects(name)).find_map(
            |(file, _)| {
                let (value, line, column) = file.values.get(name)?;
                let origin = Origin::File { path: file.path.clone(), line: *line, column: *column };
                Some(Given { value: value.clone(), origin })
            },
        )
    }

    /// What stands in a file and is not used, and why.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (file, trust) in &self.files {
            for (key, (_, line, column)) in &file.values {
                let why = match SETTINGS.iter().find(|setting| setting.name == key) {
                    None => "no such setting: ignored",
                    Some(setting) if *trust == Trust::Project && !setting.from_project => {
                        "ignored: a file in the working directory may not say where to write"
                    }
                    Some(_) => continue,
                };
                complaints.push(format!("{}:{line}:{column}: {key}: {why}", file.path.display()));
            }
        }
        complaints
    }

    /// The files that were read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(file, _)| file.path.as_path())
    }
}

fn is_for_projects(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name == name && setting.from_project)
}

fn project_file() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join("emissions.toml")).find(|path| path.is_file())
}

fn user_file() -> Option<PathBuf> {
    Some(xdg("XDG_CONFIG_HOME", ".config")?.join("emissions/config.toml"))
}

/// A folder of the XDG base directories; a relative value counts as not set, as the specification has it.
pub fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    let set = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(below_home)))
}

fn host_name() -> String {
    nix::sys::utsname::uname().map(|name| name.nodename().to_string_lossy().into_owned()).unwrap_or_default()
}
