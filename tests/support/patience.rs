use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// The longest any test waits for anything, on a machine that has much else to do.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
///
/// # Panics
/// After [`LIMIT`], with what was waited for.
#[track_caller]
pub fn patiently<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Says why a test proves nothing here.
pub fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// The letter of a process in `/proc`: `T` is stopped, `Z` is dead and not yet buried.
pub fn state_of(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, parentheses too.
    stat.rsplit_once(") ")?.1.chars().next()
}
