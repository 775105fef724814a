//! Mistakes of a config, each shown in its place: file, line, column, caret, way out.
//!
//! The only home of `annotate-snippets`.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// All mistakes of a config that cannot be used. `Display` renders them without colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(
    /// At least one error; warnings too.
    pub Diagnosis,
);

/// The diagnostics of one file, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The file as it was named.
    pub path: PathBuf,
    /// The content of the file; empty if it could not be read.
    pub text: String,
    /// In file order.
    pub diagnostics: Vec<Diagnostic>,
}

/// One mistake, or something that looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it makes the config unusable.
    pub severity: Severity,
    /// Lower case, no full stop.
    pub message: String,
    /// Bytes of the text; `None` for the file as a whole.
    pub span: Option<Range<usize>>,
    /// Another place that it is about, with a label.
    pub also: Option<(Range<usize>, String)>,
    /// The way out.
    pub help: Option<String>,
}

/// Whether a diagnostic makes the config unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but looks like a mistake.
    Warning,
    /// It is no mistake, but may be worth a look.
    Hint,
}

impl Diagnostic {
    /// An error, at a span or about the whole file.
    pub(super) fn error(span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), span, also: None, help: None }
    }

    /// Adds the way out.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    pub(super) fn also(&mut self, span: Range<usize>, label: impl Into<String>) -> &mut Self {
        self.also = Some((span, label.into()));
        self
    }
}

impl Diagnosis {
    /// Returns the diagnostics as people read them, each with its line of the file.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let path = self.path.to_string_lossy();
        let shown = self.diagnostics.iter().map(|one| renderer.render(&[self.group(one, &path)]));
        shown.collect::<Vec<_>>().join("\n\n")
    }

    /// Returns one line a diagnostic, for logs: without the lines of the file, which may hold passwords.
    #[must_use]
    pub fn list(&self) -> String {
        let help = |one: &Diagnostic| one.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        let lines = self.diagnostics.iter().map(|one| format!("{}{}", self.line(one), help(one)));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns the first error, else warning, in one line: `config.toml:3:1: unknown key … (and 2 more)`.
    ///
    /// It is published, so it names no folder of this machine.
    #[must_use]
    pub fn summary(&self) -> String {
        let error = self.diagnostics.iter().find(|one| one.severity == Severity::Error);
        let Some(first) = error.or(self.diagnostics.first()) else { return String::new() };
        let alike = self.diagnostics.iter().filter(|one| one.severity == first.severity).count();
        let more = match alike {
            1 => String::new(),
            several => format!(" (and {} more)", several - 1),
        };
        format!("{}{more}", self.line(first))
    }

    fn line(&self, one: &Diagnostic) -> String {
        let place = one.span.as_ref().map(|span| self.line_and_column(span.start));
        let place = place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}{place}: {}", one.message)
    }

    /// Returns line and column of a byte of the text; both count from 1, columns in characters.
    #[must_use]
    pub fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    fn group<'a>(&'a self, one: &'a Diagnostic, path: &'a str) -> Group<'a> {
        let level = match one.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Hint => Level::NOTE.with_name("hint"),
        };
        let title = level.primary_title(&one.message);
        let group = match &one.span {
            None => title.element(Origin::path(path)),
            Some(span) => title.element(self.snippet(span, AnnotationKind::Primary, None, path)),
        };
        let also = one.also.as_ref();
        let also = also.map(|(span, label)| self.snippet(span, AnnotationKind::Context, Some(label), path));
        group.elements(also).elements(one.help.as_ref().map(|help| Level::HELP.message(help.as_str())))
    }

    /// The line on which a span begins. With the whole text, the renderer would spend its length on each diagnostic.
    fn snippet<'a>(
        &'a self,
        span: &Range<usize>,
        kind: AnnotationKind,
        label: Option<&'a String>,
        path: &'a str,
    ) -> Snippet<'a, Annotation<'a>> {
        let from = self.text.floor_char_boundary(span.start);
        let (before, after) = self.text.split_at_checked(from).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let end = from + after.find(['\n', '\r']).unwrap_or(after.len());
        let line = self.text.get(start..end).unwrap_or_default();
        let shown = (from - start)..(self.text.floor_char_boundary(span.end).clamp(from, end) - start);
        let number = self.line_and_column(from).0;
        let annotation = kind.span(shown).label(label.map(String::as_str));
        Snippet::source(line).line_start(number).path(path).annotation(annotation)
    }
}

impl Invalid {
    /// A config whose text cannot be read.
    pub(super) fn file(path: &Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        let mut diagnostic = Diagnostic::error(None, message);
        diagnostic.help(help);
        Self(Diagnosis { path: path.into(), text: String::new(), diagnostics: vec![diagnostic] })
    }

    /// Returns all mistakes, as people read them.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        self.0.render(colour)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.render(false))
    }
}

impl std::error::Error for Invalid {}

/// The diagnostics so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Diagnostic>);

impl Problems {
    pub(super) fn error(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Diagnostic::error(Some(span.clone()), message))
    }

    pub(super) fn warning(&mut self, span: &Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Diagnostic { severity: Severity::Warning, ..Diagnostic::error(Some(span.clone()), message) })
    }

    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|one| one.severity == Severity::Error)
    }

    /// Returns them in file order.
    pub(super) fn into_diagnosis(mut self, path: &Path, text: &str) -> Diagnosis {
        self.0.sort_by_key(|one| one.span.as_ref().map(|span| span.start));
        Diagnosis { path: path.into(), text: text.into(), diagnostics: self.0 }
    }

    fn push(&mut self, one: Diagnostic) -> &mut Diagnostic {
        self.0.push(one);
        let last = self.0.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the element pushed just above")]
        &mut self.0[last]
    }
}
