//! Output of commands: results to stdout, the rest to stderr, colour only on a terminal.

use std::io::{IsTerminal, Write};

use crate::pipeline::HeldByOther;
use crate::publish::files::FilesError;
use crate::store::StoreError;
use crate::store::moving::MovingError;

/// Writes to stdout.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Tells the person at the terminal that something was done.
pub(super) fn note(text: &str) {
    // Nobody to tell is no failure.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes an error text as it is.
pub(super) fn error(text: &str) {
    note(text.trim_end());
}

/// Whether stderr shows colours.
pub(super) fn colour() -> bool {
    std::io::stderr().is_terminal() && wants_colour()
}

/// <https://no-color.org>
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The colouring of results.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// Colours for a terminal that wants them.
    pub(super) fn of_stdout() -> Self {
        Self { is_on: std::io::stdout().is_terminal() && wants_colour() }
    }

    /// No colours, for pages.
    pub(super) fn none() -> Self {
        Self { is_on: false }
    }

    /// In green.
    pub(super) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// In red.
    pub(super) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// In bold.
    pub(super) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Without colours marks do the same service: `[so]`.
    pub(super) fn found(self, text: &str) -> String {
        if self.is_on { self.with("1;33", text) } else { format!("[{}]", harmless(text)) }
    }

    /// Less loud than the rest.
    pub(super) fn quiet(self, text: &str) -> String {
        self.with("2", text)
    }

    /// In the colour of a code (ECMA-48 §8.3.117).
    pub(super) fn with(self, code: &str, text: &str) -> String {
        let text = harmless(text);
        if self.is_on { format!("\x1b[{code}m{text}\x1b[0m") } else { text }
    }
}

/// A publisher's text on one line, without what would command the terminal.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Points without a tail of digits: `4.5`, `0.67`.
pub(super) fn points(points: f64) -> String {
    // The sum turns -0 into 0.
    format!("{}", (points * 100.0).round() / 100.0 + 0.0)
}

/// Points with their sign: `+3`, `−1.5`.
pub(super) fn signed(change: f64) -> String {
    if change < 0.0 { format!("−{}", points(-change)) } else { format!("+{}", points(change)) }
}

/// An error with its causes and, if there is one, the way out.
pub(super) fn error_text(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error:#}");
    let hint = error.chain().find_map(|cause| {
        let of_store = cause.downcast_ref::<StoreError>().and_then(StoreError::hint);
        let of_move = || cause.downcast_ref::<MovingError>().and_then(MovingError::hint);
        let of_files = || cause.downcast_ref::<FilesError>().map(FilesError::hint);
        of_store
            .or_else(of_move)
            .or_else(of_files)
            .or_else(|| cause.downcast_ref::<HeldByOther>().map(HeldByOther::hint))
    });
    if let Some(hint) = hint {
        text.push_str("\nhelp: ");
        text.push_str(hint);
    }
    text
}

/// Whether an error only says that our reader has gone.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
