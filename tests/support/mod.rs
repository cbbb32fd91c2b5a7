//! What the tests share: a sandbox for the program, the machine it sees, what came of it, and a terminal.

mod gate;
mod machine;
mod outcome;
mod patience;
mod pty;
mod sandbox;

pub use outcome::{Outcome, Running, assert_near, flat};
pub use patience::{patiently, skip, state_of};
pub use pty::Terminal;
pub use sandbox::{Sandbox, exists_here, quoted};
