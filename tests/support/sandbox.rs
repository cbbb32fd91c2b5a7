use super::machine;
use super::outcome::{Outcome, Running};
use super::patience::patiently;
use nix::unistd::{Uid, chown, geteuid};
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;
use tempfile::TempDir;

/// A user with no rights: root would read files of mode 0000.
const NOBODY: u32 = 65534;

/// A place of its own for the program: an empty home, a machine without sensors, no GPU, and nothing of the
/// environment but `PATH`. One run at a time.
pub struct Sandbox {
    folder: TempDir,
    program: PathBuf,
    variables: BTreeMap<String, String>,
    stdin: Option<PathBuf>,
    by_nobody: bool,
    started: Cell<u32>,
}

impl Sandbox {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        for name in ["home", "work", "out"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        machine::build(&folder.path().join("host"));
        let home = folder.path().join("home");
        let variables = [
            ("PATH", env::var("PATH").unwrap_or_default()),
            ("HOME", home.display().to_string()),
            ("XDG_DATA_HOME", home.join("data").display().to_string()),
            ("XDG_CONFIG_HOME", home.join("config").display().to_string()),
            ("TERM", "xterm".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "Europe/Berlin".into()),
            // Where the machine of the tests has a GPU, it is not for them.
            ("CUDA_VISIBLE_DEVICES", "-1".into()),
        ];
        Self {
            folder,
            program: env!("CARGO_BIN_EXE_emissions").into(),
            variables: variables.map(|(name, value)| (name.into(), value)).into(),
            stdin: None,
            by_nobody: false,
            started: Cell::new(0),
        }
    }

    /// Simulated GPUs; the script's language is that of `nvml-sim`.
    pub fn gpu_script(mut self, script: &str) -> Self {
        let built = env::current_exe().unwrap().with_file_name("libnvml_sim.so");
        let library = self.folder.path().join("nvml");
        fs::create_dir(&library).unwrap();
        fs::copy(&built, library.join("libnvidia-ml.so.1")).unwrap();
        fs::write(library.join("script"), script).unwrap();
        self.variables.remove("CUDA_VISIBLE_DEVICES");
        let script = library.join("script").display().to_string();
        self.variable("LD_LIBRARY_PATH", &library.display().to_string()).variable("NVML_SIM_SCRIPT", &script)
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// What the command reads.
    pub fn stdin(mut self, path: PathBuf) -> Self {
        self.stdin = Some(path);
        self
    }

    /// Runs a copy of the program as a user without rights, where the tests run as root.
    pub fn unprivileged(mut self) -> Self {
        let copy = self.folder.path().join("emissions");
        fs::copy(&self.program, &copy).unwrap();
        self.program = copy;
        self.by_nobody = geteuid().is_root();
        for name in ["home", "work", "out"].into_iter().filter(|_| self.by_nobody) {
            chown(&self.folder.path().join(name), Some(Uid::from_raw(NOBODY)), None).unwrap();
        }
        self
    }

    /// The file system that the sensors look at.
    pub fn host(&self) -> PathBuf {
        self.folder.path().join("host")
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The store where nobody says otherwise.
    pub fn store(&self) -> PathBuf {
        self.home().join("data/emissions/runs")
    }

    /// A file of the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// A file of the working directory, as an argument.
    pub fn arg(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file of the working directory.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Reads a file of the working directory; empty where there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Waits until the command has written a line into a file of the working directory.
    #[track_caller]
    pub fn wait_for(&self, name: &str) -> String {
        let text = patiently(name, || Some(self.read(name)).filter(|text| text.ends_with('\n')));
        text.trim().to_owned()
    }

    /// Waits until the command has written a process id.
    #[track_caller]
    pub fn wait_for_pid(&self, name: &str) -> i32 {
        self.wait_for(name).parse().unwrap()
    }

    /// `emissions run` with these options and command.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.start(args).wait()
    }

    pub fn start(&self, args: &[&str]) -> Running {
        self.start_by(&[], args)
    }

    /// `emissions run`, started by another program: `nohup`.
    pub fn start_by(&self, launcher: &[&str], args: &[&str]) -> Running {
        let launcher = launcher.iter().map(ToString::to_string);
        self.launch(&launcher.chain(self.run_line(args)).collect::<Vec<_>>())
    }

    /// Any other command of the program, or `run` without what [`Self::run`] adds.
    #[track_caller]
    pub fn emissions(&self, args: &[&str]) -> Outcome {
        let line: Vec<String> =
            [self.program()].into_iter().chain(args.iter().map(ToString::to_string)).collect();
        self.launch(&line).wait()
    }

    /// A command that looks at the machine: `doctor`, `monitor`.
    #[track_caller]
    pub fn look(&self, args: &[&str]) -> Outcome {
        let host = self.host().display().to_string();
        self.emissions(&[args, &["--host-root", &host]].concat())
    }

    pub fn program(&self) -> String {
        self.program.display().to_string()
    }

    /// The whole command line of [`Self::run`].
    pub fn run_line(&self, args: &[&str]) -> Vec<String> {
        let (summary, host) = (self.summary().display().to_string(), self.host().display().to_string());
        let program = self.program();
        let own = [&program, "run", "--summary", &summary, "--host-root", &host];
        own.into_iter().chain(args.iter().copied()).map(str::to_owned).collect()
    }

    /// Any program, in the sandbox.
    pub fn launch(&self, line: &[String]) -> Running {
        let number = self.started.replace(self.started.get() + 1);
        let [stdout, stderr] =
            ["stdout", "stderr"].map(|stream| self.folder.path().join(format!("{stream}-{number}")));
        let mut command = self.command(line);
        command.stdin(File::open(self.stdin.as_deref().unwrap_or(Path::new("/dev/null"))).unwrap());
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        self.spawn(command, stdout, stderr)
    }

    pub fn command(&self, line: &[String]) -> Command {
        let [program, arguments @ ..] = line else { panic!("no program") };
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(&self.variables).current_dir(self.path(""));
        if self.by_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.stdin(Stdio::null());
        command
    }

    pub fn spawn(&self, mut command: Command, stdout: PathBuf, stderr: PathBuf) -> Running {
        let summary = self.summary();
        // That of a run before this one.
        let _ = fs::remove_file(&summary);
        let started = SystemTime::now();
        Running { child: command.spawn().unwrap(), started, stdout, stderr, summary }
    }

    /// The records of the store, oldest first.
    pub fn records(&self) -> Vec<PathBuf> {
        let Ok(listing) = fs::read_dir(self.store()) else { return Vec::new() };
        let mut records: Vec<PathBuf> = listing
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .collect();
        records.sort();
        records
    }

    /// The lines of the only record.
    #[track_caller]
    pub fn record(&self) -> Vec<Value> {
        let records = self.records();
        let [record] = records.as_slice() else { panic!("not one record: {records:?}") };
        let text = fs::read_to_string(record).unwrap();
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    fn summary(&self) -> PathBuf {
        self.folder.path().join("out/summary.json")
    }
}

/// A command line as a shell reads it.
pub fn quoted(line: &[String]) -> String {
    line.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect::<Vec<_>>().join(" ")
}

/// Whether a program can be run here, in the sandbox's environment.
pub fn exists_here(line: &[&str]) -> bool {
    let line: Vec<String> = line.iter().map(ToString::to_string).collect();
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&line);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
