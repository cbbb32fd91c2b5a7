//! On a terminal the wrapper is not there: keys, job control and full-screen programs work as without it.

use crate::support::{Sandbox, Terminal, exists_here, patiently, quoted, skip, state_of};
use std::time::Duration;

/// Shell that notes every INT it gets, ends 300 ms after the first, and gives up after ten seconds.
const NOTES_INT: &str = "trap 'echo INT >> got' INT; echo ready; \
     for i in $(seq 200); do [ -s got ] && break; sleep 0.05; done; sleep 0.3; exit 9";

fn start(sandbox: &Sandbox, command: &[&str]) -> Terminal {
    Terminal::start(sandbox, &sandbox.run_line(&[&["--"], command].concat()))
}

/// What to type into a shell.
fn typed(sandbox: &Sandbox, command: &[&str]) -> String {
    quoted(&sandbox.run_line(&[&["-q", "--"], command].concat()))
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox, &["sh", "-c", NOTES_INT]);
    terminal.wait_for("ready");
    terminal.type_in("\x03");
    let run = terminal.wait();
    assert_eq!((run.code, run.signal), (Some(9), None), "{run}");
    assert_eq!(sandbox.read("got"), "INT\n");
    assert_eq!(run.summary["status"], "completed");
}

#[test]
fn ctrl_c_on_a_command_that_dies_of_it_ends_the_wrapper_by_the_signal_after_the_summary() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox, &["sh", "-c", "echo ready; exec sleep 30"]);
    terminal.wait_for("ready");
    terminal.type_in("\x03");
    terminal.wait_for("Energy");
    let run = terminal.wait();
    assert_eq!((run.code, run.signal), (None, Some(2)), "{run}");
    assert_eq!(run.summary["exit"]["signal"], 2);
}

#[test]
fn ctrl_c_ends_a_loop_of_the_shell() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::shell(&sandbox);
    let line = typed(&sandbox, &["sh", "-c", "echo started > ready; exec sleep 30"]);
    terminal.type_in(&format!("for i in 1 2; do echo round=$i; {line}; done\n"));
    sandbox.wait_for("ready");
    terminal.type_in("\x03");
    terminal.type_in("echo status=$?\n");
    // 130, and no second round.
    terminal.wait_for("status=130");
    assert!(terminal.screen().contains("round=1") && !terminal.screen().contains("round=2"));
    terminal.type_in("exit 0\n");
    assert_eq!(terminal.wait().code, Some(0));
}

#[test]
fn ctrl_z_stops_both_and_fg_goes_on() {
    let sandbox = Sandbox::new();
    let go = sandbox.gate("go");
    let mut terminal = Terminal::shell(&sandbox);
    let shell = "echo $PPID > wrapper; echo $$ > command; \
                 read x < go; echo gone on; exit 6";
    terminal.type_in(&format!("{}\n", typed(&sandbox, &["sh", "-c", shell])));
    let both = [sandbox.wait_for_pid("wrapper"), sandbox.wait_for_pid("command")];
    terminal.type_in("\x1a");
    terminal.wait_for("Stopped");
    patiently("both to stop", || both.iter().all(|&pid| state_of(pid) == Some('T')).then_some(()));
    // The shell has the terminal.
    terminal.type_in("echo still=$((40 + 2))\n");
    terminal.wait_for("still=42");
    terminal.type_in("fg\n");
    patiently("both to go on", || both.iter().all(|&pid| state_of(pid) != Some('T')).then_some(()));
    go.open();
    terminal.wait_for("\ngone on");
    terminal.type_in("echo status=$?\n");
    terminal.wait_for("status=6");
    terminal.type_in("exit 0\n");
    let run = terminal.wait();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.summary["stopped_s"].as_f64().unwrap() > 0.0, "{run}");
    assert_eq!(run.summary["exit"]["code"], 6);
}

#[test]
fn ctrl_z_on_a_program_that_tidies_up_and_stops_itself_stops_both() {
    if !exists_here(&["python3", "-c", ""]) {
        return skip("python3 is not here");
    }
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::shell(&sandbox);
    // As top does: it sets the terminal right, then stops by SIGSTOP.
    let program = "import os, signal; \
                   signal.signal(signal.SIGTSTP, lambda *_: os.kill(os.getpid(), signal.SIGSTOP)); \
                   print(os.getppid(), file=open('wrapper', 'w'), flush=True); \
                   print(os.getpid(), file=open('command', 'w'), flush=True); \
                   signal.pause(); print('tidy', flush=True)";
    terminal.type_in(&format!("{}\n", typed(&sandbox, &["python3", "-c", program])));
    let both = [sandbox.wait_for_pid("wrapper"), sandbox.wait_for_pid("command")];
    terminal.type_in("\x1a");
    terminal.wait_for("Stopped");
    patiently("both to stop", || both.iter().all(|&pid| state_of(pid) == Some('T')).then_some(()));
    terminal.type_in("fg\n");
    terminal.wait_for("\ntidy");
    terminal.type_in("echo status=$?\n");
    terminal.wait_for("status=0");
    terminal.type_in("exit 0\n");
    assert_eq!(terminal.wait().code, Some(0));
}

#[test]
fn ctrl_z_on_a_command_that_ignores_it_stops_nobody() {
    let sandbox = Sandbox::new();
    let go = sandbox.gate("go");
    let mut terminal = Terminal::shell(&sandbox);
    let shell = "trap '' TSTP; echo $PPID > wrapper; \
                 read x < go; echo went on; exit 6";
    terminal.type_in(&format!("{}\n", typed(&sandbox, &["sh", "-c", shell])));
    let wrapper = sandbox.wait_for_pid("wrapper");
    terminal.type_in("\x1a");
    terminal.wait_for("^Z");
    // Stopped alone, the wrapper would give the terminal to the shell while the command still uses it.
    std::thread::sleep(Duration::from_millis(300));
    assert_ne!(state_of(wrapper), Some('T'));
    go.open();
    terminal.wait_for("went on");
    terminal.type_in("echo status=$?\n");
    terminal.wait_for("status=6");
    terminal.type_in("exit 0\n");
    let run = terminal.wait();
    assert_eq!((run.code, &run.summary["stopped_s"]), (Some(0), &0.0.into()), "{run}");
}

#[test]
fn bg_goes_on_in_the_background() {
    let sandbox = Sandbox::new();
    let go = sandbox.gate("go");
    let mut terminal = Terminal::shell(&sandbox);
    let shell = "echo $$ > command; read x < go; exit 6";
    terminal.type_in(&format!("{}\n", typed(&sandbox, &["sh", "-c", shell])));
    let command = sandbox.wait_for_pid("command");
    terminal.type_in("\x1a");
    terminal.wait_for("Stopped");
    terminal.type_in("bg\n");
    patiently("the command to go on", || (state_of(command) != Some('T')).then_some(()));
    go.open();
    terminal.type_in("wait %1; echo status=$?\n");
    terminal.wait_for("status=6");
    terminal.type_in("exit 0\n");
    assert_eq!(terminal.wait().code, Some(0));
}

#[test]
fn the_command_has_the_terminal_itself() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox, &["sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size"]);
    terminal.wait_for("24 80");
    let run = terminal.wait();
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn stty_reads_and_changes_the_settings() {
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox, &["stty", "-a"]);
    terminal.wait_for("rows 24");
    assert_eq!(terminal.wait().code, Some(0));

    // In a process group of its own it would be stopped by SIGTTOU.
    let mut terminal = start(&sandbox, &["sh", "-c", "stty raw -echo && stty sane && stty -a"]);
    terminal.wait_for("icanon");
    assert_eq!(terminal.wait().code, Some(0));
}

#[test]
fn an_interactive_python_works() {
    if !exists_here(&["python3", "-c", ""]) {
        return skip("python3 is not here");
    }
    let sandbox = Sandbox::new();
    let mut terminal = start(&sandbox, &["python3", "-i"]);
    terminal.wait_for(">>>");
    terminal.type_in("print(6 * 7)\n");
    terminal.wait_for("42");
    // Ctrl-C is an exception there, not the end.
    terminal.type_in("import time; time.sleep(30)\n");
    std::thread::sleep(Duration::from_millis(300));
    terminal.type_in("\x03");
    terminal.wait_for("KeyboardInterrupt");
    terminal.type_in("exit(5)\n");
    let run = terminal.wait();
    assert_eq!(run.code, Some(5), "{run}");
}

#[test]
fn full_screen_programs_work_and_leave_the_terminal_as_it_was() {
    let candidates: [(&[&str], &str); 3] =
        [(&["vi", "-u", "NONE", "-N", "page"], ":q!\r"), (&["less", "page"], "q"), (&["more", "page"], "q")];
    let sandbox = Sandbox::new();
    sandbox.write("page", &format!("the first line\n{}", "more lines\n".repeat(100)));
    let here: Vec<_> = candidates.iter().filter(|(command, _)| exists_here(&["which", command[0]])).collect();
    if here.is_empty() {
        return skip("neither vi nor less nor more is here");
    }
    for (command, keys) in here {
        let mut terminal = start(&sandbox, command);
        let before = terminal.settings();
        terminal.wait_for("the first line");
        std::thread::sleep(Duration::from_millis(100));
        terminal.type_in(keys);
        terminal.wait_for("Energy");
        assert_eq!(terminal.settings().local_flags, before.local_flags, "{command:?}");
        let run = terminal.wait();
        assert_eq!(run.code, Some(0), "{command:?} {run}");
    }
}

#[test]
fn ctrl_c_while_the_wrapper_starts_ends_it_at_once() {
    for delay in (0..=30).step_by(3).map(Duration::from_millis) {
        // NVML is waited for, for a moment.
        let sandbox = Sandbox::new().gpu_script("init_delay_ms = 500\n0,0,250");
        // Whoever is there when it comes, shell, wrapper or command, dies of it.
        let line = quoted(&sandbox.run_line(&["-q", "--", "sleep", "30"]));
        let shell = format!("echo $$ > ready; exec {line}");
        let mut terminal = Terminal::start(&sandbox, &["sh", "-c", &shell].map(str::to_owned));
        sandbox.wait_for("ready");
        std::thread::sleep(delay);
        terminal.type_in("\x03");
        let run = terminal.wait_at_most(Duration::from_secs(5));
        assert_eq!((run.code, run.signal), (None, Some(2)), "after {delay:?}: {run}");
    }
}
