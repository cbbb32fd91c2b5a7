use super::outcome::{Outcome, Running};
use super::patience::{LIMIT, patiently};
use super::sandbox::Sandbox;
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A program on a terminal of its own, and somebody who reads and types.
pub struct Terminal {
    running: Running,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
    /// How far the screen has been read.
    seen: usize,
}

impl Terminal {
    /// Starts a program as the leader of a session whose terminal is a new one of 24 lines.
    pub fn start(sandbox: &Sandbox, line: &[String]) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let leader = ["setsid", "--ctty"].map(str::to_owned);
        let mut command = sandbox.command(&leader.iter().chain(line).cloned().collect::<Vec<_>>());
        let slave = File::from(pty.slave);
        command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let running = sandbox.spawn(command, PathBuf::new(), PathBuf::new());
        let keyboard = File::from(pty.master);
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let (mut source, target) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error: nobody has the terminal open any more.
            while let Ok(length @ 1..) = source.read(&mut buffer) {
                target.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self { running, keyboard, screen, seen: 0 }
    }

    /// An interactive shell with job control.
    pub fn shell(sandbox: &Sandbox) -> Self {
        let line = ["bash", "--norc", "--noprofile", "-i"].map(str::to_owned);
        Self::start(sandbox, &line)
    }

    /// Types. Ctrl-C is `\x03`, Ctrl-Z `\x1a`.
    pub fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until a text stands on the screen after what was waited for before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let begun = std::time::Instant::now();
        self.seen = patiently(text, || {
            let screen = self.screen();
            let found = screen.get(self.seen..).and_then(|rest| rest.find(text));
            let late = begun.elapsed() > LIMIT.mul_f64(0.9);
            assert!(!late, "no `{text}` on the screen, which shows:\n{screen}");
            found.map(|at| self.seen + at + text.len())
        });
    }

    /// All that was ever on the screen.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// The terminal's settings.
    pub fn settings(&self) -> Termios {
        tcgetattr(&self.keyboard).unwrap()
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub fn wait(self) -> Outcome {
        self.wait_at_most(LIMIT.mul_f64(0.9))
    }

    /// Waits for the end of the program, which must come in time.
    #[track_caller]
    pub fn wait_at_most(self, limit: Duration) -> Outcome {
        let screen = Arc::clone(&self.screen);
        let outcome = self.running.wait_at_most(limit);
        Outcome { stderr: String::from_utf8_lossy(&screen.lock().unwrap()).into_owned(), ..outcome }
    }
}
