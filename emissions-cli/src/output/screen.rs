use crate::args::Color;
use std::env;
use std::io::{self, IsTerminal, Write};

/// Says one line on stderr. A closed stderr is not an error.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes what was asked for to stdout; says whether that worked. A closed pipe did: its reader has what it wanted.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// How wide a stream is and whether it takes colour.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    pub width: usize,
    pub color: bool,
}

/// What is not a terminal gets lines of this width.
const WIDTH: usize = 100;

impl Screen {
    pub fn of_stderr(color: Color) -> Self {
        let size = terminal_size::terminal_size_of(io::stderr());
        Self::new(io::stderr().is_terminal(), size, color)
    }

    pub fn of_stdout(color: Color) -> Self {
        let size = terminal_size::terminal_size_of(io::stdout());
        Self::new(io::stdout().is_terminal(), size, color)
    }

    fn new(
        is_terminal: bool,
        size: Option<(terminal_size::Width, terminal_size::Height)>,
        color: Color,
    ) -> Self {
        let allowed = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && allowed,
        };
        let width = size.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(40, 120));
        Self { width, color }
    }

    /// Bold, where there is colour.
    pub fn bold(self, text: &str) -> String {
        if self.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A label and its text, broken between words, the following lines indented under the text.
    pub fn paragraph(self, label: &str, text: &str) -> String {
        let mut lines = vec![String::new()];
        let room = self.width.saturating_sub(INDENT).max(20);
        for word in text.split(' ') {
            let Some(line) = lines.last_mut() else { break };
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(word.to_owned());
            } else {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        let padding = " ".repeat(INDENT.saturating_sub(label.chars().count()));
        let blank = " ".repeat(INDENT);
        let body = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join(&format!("\n{blank}"));
        format!("{}{padding}{body}\n", self.bold(label))
    }
}

/// Where texts begin.
const INDENT: usize = 12;
