//! The log on stderr, in the form that its reader needs: a terminal, the journal, a file, or a program.
//!
//! The home of `tracing_subscriber`. `$VEILLE_LOG` says how much is told, `$VEILLE_LOG_FORMAT` in which form.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;

use chrono::Local;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::output;

/// Names of the forms, as `$VEILLE_LOG_FORMAT` takes them.
const FORMS: [(&str, LogForm); 4] =
    [("terminal", LogForm::Terminal), ("journal", LogForm::Journal), ("text", LogForm::Text), ("json", LogForm::Json)];

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogForm {
    /// Local time and the message, for people who watch.
    Terminal,
    /// The priority for journald (`sd-daemon(3)`), the message and its fields. The journal stamps the time itself.
    Journal,
    /// Time in UTC, level, message and fields, for a file.
    Text,
    /// An object a line.
    Json,
}

/// Starts the log: `$VEILLE_LOG` (or `-v`) says how much; a daemon tells each round of polls.
pub(super) fn start(daemon: bool, verbose: u8) {
    let (form, mistake_of_form) = form();
    let (filter, mistake_of_filter) = filter(form, daemon, verbose);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match form {
        LogForm::Terminal | LogForm::Journal => {
            log.with_ansi(false).event_format(Lines { form, is_coloured: output::colour() }).init();
        }
        LogForm::Text => log.with_ansi(output::colour()).init(),
        LogForm::Json => log.json().init(),
    }
    for mistake in [mistake_of_form, mistake_of_filter].into_iter().flatten() {
        tracing::warn!("{mistake}");
    }
}

/// The form that was asked for, else the one for where stderr leads; and what is wrong with the request.
fn form() -> (LogForm, Option<String>) {
    let usual = if std::io::stderr().is_terminal() {
        LogForm::Terminal
    } else if is_journal() {
        LogForm::Journal
    } else {
        LogForm::Text
    };
    let Some(asked) = std::env::var("VEILLE_LOG_FORMAT").ok().filter(|asked| !asked.is_empty()) else {
        return (usual, None);
    };
    if let Some((_, form)) = FORMS.iter().find(|(name, _)| *name == asked) {
        return (*form, None);
    }
    let names = FORMS.map(|(name, _)| format!("`{name}`")).join(", ");
    (usual, Some(format!("`VEILLE_LOG_FORMAT={asked}` is none of {names}: it has no effect")))
}

/// Whether stderr is the stream that `$JOURNAL_STREAM` names by device and inode (`systemd.exec(5)`).
///
/// The variable alone says nothing: with `StandardError=append:` it is set for stdout.
fn is_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|stream| named == format!("{}:{}", stream.dev(), stream.ino()))
}

/// Returns the filter of messages, and the fault of `$VEILLE_LOG`.
fn filter(form: LogForm, daemon: bool, verbose: u8) -> (EnvFilter, Option<String>) {
    let usual = match (daemon, verbose) {
        (false, 0) => "error",
        // A person who watches needs the sums of a round only.
        (true, 0) if form == LogForm::Terminal => "veille=info,veille::detail=warn,warn",
        (true, 0) | (false, 1) => "veille=info,warn",
        (true, 1) | (false, 2) => "veille=debug,info",
        _ => "trace",
    };
    let Some(asked) = std::env::var("VEILLE_LOG").ok().filter(|asked| !asked.is_empty()) else {
        return (EnvFilter::new(usual), None);
    };
    match EnvFilter::try_new(&asked) {
        Ok(filter) if is_filter(&asked) => (filter, None),
        _ => {
            let help = "write a level: `error`, `warn`, `info`, `debug` or `trace`, or one for a part: `veille=debug`";
            (EnvFilter::new(usual), Some(format!("`VEILLE_LOG={asked}` has no effect; {help}")))
        }
    }
}

/// Whether each part names a level, or is a part of this program: any other word would be taken for the name of a part, and
/// silence everything.
fn is_filter(asked: &str) -> bool {
    let is_level = |word: &str| word == "off" || word.parse::<Level>().is_ok();
    asked.split(',').map(str::trim).all(|part| match part.rsplit_once('=') {
        Some((_, level)) => is_level(level),
        None => is_level(part) || part.split("::").next() == Some("veille"),
    })
}

/// Lines for a terminal or for the journal.
struct Lines {
    form: LogForm,
    is_coloured: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut said = EventText::default();
        event.record(&mut said);
        let mut about = String::new();
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                about.push_str(fields);
            }
        }
        let level = *event.metadata().level();
        to.write_str(&match self.form {
            LogForm::Journal => for_journal(level, &about, &said),
            LogForm::Terminal | LogForm::Text | LogForm::Json => {
                for_terminal(level, &about, &said, &Local::now().format("%H:%M:%S").to_string(), self.is_coloured)
            }
        })
    }
}

/// The message of an event, and its fields.
#[derive(Default)]
struct EventText {
    message: String,
    fields: String,
}

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}

/// A message as the journal is to file it: each of its lines begins with the priority (RFC 5424 §6.2.1).
fn for_journal(level: Level, about: &str, said: &EventText) -> String {
    let priority = match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    };
    let fields = if about.is_empty() { said.fields.clone() } else { format!(" {about}{}", said.fields) };
    let source = source(about).map(|id| format!("{id}: ")).unwrap_or_default();
    let mut lines = said.message.lines();
    let first = lines.next().unwrap_or_default();
    let mut text = format!("<{priority}>{source}{}{fields}\n", output::harmless(first));
    for line in lines {
        let _ = writeln!(text, "<{priority}>{}", output::harmless(line));
    }
    text
}

/// A message as a person reads it: the local time to the second, and no field.
fn for_terminal(level: Level, about: &str, said: &EventText, time: &str, is_coloured: bool) -> String {
    let (word, colour) = match level {
        Level::ERROR => ("error: ", "1;31"),
        Level::WARN => ("warning: ", "33"),
        _ => ("", ""),
    };
    let painted = |colour: &str, text: &str| {
        if is_coloured && !text.is_empty() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let source = source(about).map(|id| format!("{id}: ")).unwrap_or_default();
    let lines: Vec<String> = said.message.lines().map(output::harmless).collect();
    format!("{} {}{source}{}\n", painted("2", time), painted(colour, word), lines.join("\n         "))
}

/// The id of the source that a span is about.
fn source(about: &str) -> Option<&str> {
    let id = about.strip_prefix("source.id=")?.split_whitespace().next()?;
    Some(id.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> EventText {
        EventText { message: message.to_owned(), fields: " entries.new=3".to_owned() }
    }

    #[test]
    fn each_line_for_the_journal_has_its_priority() {
        let text = for_journal(Level::WARN, "source.id=\"a\"", &said("failing: no\nhelp: see"));
        assert_eq!(text, "<4>a: failing: no source.id=\"a\" entries.new=3\n<4>help: see\n");
        for (level, priority) in [(Level::ERROR, "<3>"), (Level::INFO, "<6>"), (Level::DEBUG, "<7>")] {
            assert!(for_journal(level, "", &said("so")).starts_with(priority));
        }
    }

    #[test]
    fn a_terminal_shows_time_source_and_message_alone() {
        let line = for_terminal(Level::INFO, "", &said("40 feeds polled"), "10:20:31", false);
        assert_eq!(line, "10:20:31 40 feeds polled\n");
        let line = for_terminal(Level::WARN, "source.id=\"a\"", &said("failing: \x1b[2Jno"), "10:20:31", false);
        assert_eq!(line, "10:20:31 warning: a: failing:  [2Jno\n");
    }

    #[test]
    fn a_word_that_is_no_level_silences_nothing() {
        for good in ["warn", "veille=debug,info", "veille::detail", "off", "hyper=trace, veille=info"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["verbose", "veille=loud", "info;debug", "yes"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }
}
