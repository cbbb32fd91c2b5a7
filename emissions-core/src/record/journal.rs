use super::Line;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use thiserror::Error;

/// A record that cannot be written.
#[derive(Debug, Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct JournalError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

/// The growing record of a run. Lines are written and synced to disk by a thread of its own, so that a slow disk delays
/// nobody; the file is locked as long as its writer lives. A line is out of the process as soon as it is written;
/// against a fall of the machine it is synced once an interval ([`Journal::settle`]).
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    orders: Sender<Order>,
    trouble: Arc<Mutex<Trouble>>,
}

/// What was lost on the way to the disk.
#[derive(Debug, Default)]
struct Trouble {
    lines: u64,
    reason: Option<String>,
}

enum Order {
    Write(String),
    /// Bring what is written to the disk.
    Settle,
    /// Say when all that came before is on the disk.
    Sync(Sender<()>),
}

impl Journal {
    /// Creates the file and starts the thread that writes it. The folder is created.
    ///
    /// # Errors
    /// [`JournalError`] where folder or file cannot be made.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError { path, source }
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed(path))?;
        // Some network file systems know no locks: readers then go by the age of the last line.
        let _ = file.try_lock();
        let trouble = Arc::<Mutex<Trouble>>::default();
        let (orders, inbox) = channel();
        let writer = Writer { file, whole: 0, trouble: Arc::clone(&trouble) };
        thread::Builder::new()
            .name("emissions-journal".into())
            .spawn(move || writer.run(&inbox))
            .map_err(failed(path))?;
        Ok(Self { path: path.to_owned(), orders, trouble })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line. Returns at once.
    pub fn append(&self, line: &Line) {
        match serde_json::to_string(line) {
            // The thread lives as long as this sender does.
            Ok(mut text) => {
                text.push('\n');
                let _ = self.orders.send(Order::Write(text));
            }
            Err(error) => lock(&self.trouble).lose(&error.to_string()),
        }
    }

    /// Brings what is written to the disk. Returns at once.
    pub fn settle(&self) {
        let _ = self.orders.send(Order::Settle);
    }

    /// Waits until all lines are on the disk, at most this long, and says whether they are.
    pub fn sync(&self, at_most: Duration) -> bool {
        let (done, synced) = channel();
        self.orders.send(Order::Sync(done)).is_ok() && synced.recv_timeout(at_most).is_ok()
    }

    /// Takes note of why the last lines may not be on the disk.
    pub fn give_up(&self, reason: &str) {
        lock(&self.trouble).lose(reason);
    }

    /// What could not be written so far, and why.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        let trouble = lock(&self.trouble);
        let reason = trouble.reason.as_ref()?;
        let lines = if trouble.lines == 1 { "line" } else { "lines" };
        Some(format!("{} {lines} of {} perhaps lost: {reason}", trouble.lines, self.path.display()))
    }

    /// Removes the file: the command never started.
    pub fn discard(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

struct Writer {
    file: File,
    /// Bytes of whole lines in the file.
    whole: u64,
    trouble: Arc<Mutex<Trouble>>,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<Order>) {
        while let Ok(order) = inbox.recv() {
            match order {
                Order::Write(text) => self.write(&text),
                Order::Settle => self.sync(),
                Order::Sync(done) => {
                    self.sync();
                    // Who asked may have stopped waiting.
                    let _ = done.send(());
                }
            }
        }
    }

    fn write(&mut self, text: &str) {
        match self.file.write_all(text.as_bytes()) {
            Ok(()) => self.whole += text.len() as u64,
            Err(error) => {
                lock(&self.trouble).lose(&error.to_string());
                // Half a line must not be glued to the next: back to the last whole one. If even that fails, readers
                // skip the torn line.
                let _ = self.file.set_len(self.whole);
                let _ = self.file.seek(SeekFrom::Start(self.whole));
            }
        }
    }

    fn sync(&self) {
        if let Err(error) = self.file.sync_data()
            // A pipe or a device has nothing to sync.
            && error.kind() != io::ErrorKind::InvalidInput
        {
            lock(&self.trouble).reason.get_or_insert(error.to_string());
        }
    }
}

impl Trouble {
    fn lose(&mut self, reason: &str) {
        self.lines += 1;
        self.reason.get_or_insert_with(|| reason.to_owned());
    }
}

fn lock(trouble: &Mutex<Trouble>) -> std::sync::MutexGuard<'_, Trouble> {
    trouble.lock().unwrap_or_else(PoisonError::into_inner)
}
