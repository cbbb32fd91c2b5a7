use super::sandbox::Sandbox;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs::{File, OpenOptions};
use std::io::Write;

/// What a shell waits at with `read x < NAME`. It starts no process meanwhile: dash starts one by vfork, and a ^Z between
/// that and the exec leaves it in a wait that nothing stops, wrapped or not. Dropped, the gate opens too.
pub struct Gate(File);

impl Gate {
    pub fn open(mut self) {
        self.0.write_all(b"\n").unwrap();
    }
}

impl Sandbox {
    /// A closed gate of the working directory.
    pub fn gate(&self, name: &str) -> Gate {
        let path = self.path(name);
        mkfifo(&path, Mode::from_bits_truncate(0o666)).unwrap();
        // Read too, so that this does not wait for the reader.
        Gate(OpenOptions::new().read(true).write(true).open(path).unwrap())
    }
}
