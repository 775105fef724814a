//! TOML as a tree of values that know where they are written.
//!
//! The only home of `toml`. The tree is read by hand, since serde stops at the first fault and blames a missing key on
//! the header of its table.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::slips;

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    /// The largest if it needs more than 64 bits.
    Whole(i64),
    Decimal(f64),
    Flag(bool),
    Date,
    List(Vec<Literal>),
    Table(Entries),
}

/// The keys and values of a table, in file order.
pub(super) type Entries = Vec<(Name, Literal)>;

/// A key and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) span: Range<usize>,
    pub(super) text: String,
}

#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Literal {
    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self.value {
            Value::Whole(number) => Some(number as f64),
            Value::Decimal(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn elements(&self) -> &[Self] {
        if let Value::List(list) = &self.value { list } else { &[] }
    }

    /// The value of a key, if it is a table that has it.
    pub(super) fn member(&self, key: &str) -> Option<&Self> {
        let Value::Table(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.text == key).map(|(_, literal)| literal)
    }

    /// Says its type, for "not …".
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Whole(_) | Value::Decimal(_) => "a number",
            Value::Flag(_) => "`true` or `false`",
            Value::Date => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// Lines in which slips are looked for: the document is read once more for each.
const MENDED: usize = 20;

/// Help for syntax errors, by how the parser's message begins.
const HELPS: [(&str, &str); 5] = [
    ("invalid basic string", "close the quotes on the line on which they open"),
    ("string values must be quoted", "write it in quotes"),
    ("missing comma", "write `,` between two values, or `]` where the list ends"),
    ("unclosed array", "write `]` where the list ends"),
    (
        "duplicate key",
        "it stands above already; further feeds, topics and rules have two pairs of brackets: `[[topic]]`",
    ),
];

/// Reads a document, or all its syntax errors: only the first if a list that is not closed has swallowed the rest.
pub(super) fn read(text: &str) -> Result<Entries, Vec<SyntaxError>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(entries(table.into_inner()));
    }
    let is_swallowed = errors.iter().any(|error| error.message().starts_with("unclosed array"));
    let mut faults: Vec<SyntaxError> = errors.iter().map(syntax_error).collect();
    faults.sort_by_key(|fault| fault.span.start);
    mend(text, &mut faults);
    faults.truncate(if is_swallowed { 1 } else { faults.len() });
    Err(faults)
}

fn syntax_error(error: &toml::de::Error) -> SyntaxError {
    let message = error.message().replace('\n', "; ");
    let help = HELPS.iter().find(|(begins, _)| message.starts_with(begins)).map(|(_, help)| (*help).to_owned());
    SyntaxError { span: error.span().unwrap_or(0..0), message, help }
}

/// Puts one fault in the place of those of a line in which a slip of the hand is found, if the line is right without it.
fn mend(text: &str, faults: &mut Vec<SyntaxError>) {
    let mut told = Vec::new();
    for at in faults.iter().map(|fault| fault.span.start).collect::<BTreeSet<_>>() {
        let before = text.get(..at).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        let length = text.get(begin..).and_then(|rest| rest.find('\n')).unwrap_or(text.len() - begin);
        let line = begin..begin + length;
        if told.len() == MENDED || told.iter().any(|fault: &SyntaxError| line.contains(&fault.span.start)) {
            continue;
        }
        let Some(slip) = slips::slip(text.get(line.clone()).unwrap_or_default()) else { continue };
        let mended =
            [before.get(..begin).unwrap_or_default(), &slip.line, text.get(line.end..).unwrap_or_default()].concat();
        let is_in_line = |error: &toml::de::Error| {
            error.span().is_some_and(|span| (begin..=begin + slip.line.len()).contains(&span.start))
        };
        if DeTable::parse_recoverable(&mended).1.iter().any(is_in_line) {
            continue;
        }
        faults.retain(|fault| !(line.start..=line.end).contains(&fault.span.start));
        let span = begin + slip.span.start..begin + slip.span.end;
        let help = Some(format!("write `{}`", slip.line.trim()));
        told.push(SyntaxError { span, message: slip.message.to_owned(), help });
    }
    faults.extend(told);
    faults.sort_by_key(|fault| fault.span.start);
}

/// Reads as much as it can of a document; all that follows a syntax error may be misread.
pub(super) fn read_in_part(text: &str) -> Entries {
    entries(DeTable::parse_recoverable(text).0.into_inner())
}

pub(super) fn read_value(text: &str) -> Option<Literal> {
    DeValue::parse(text).ok().map(literal)
}

/// Takes the parser's tree apart while it builds ours: a large config is never in memory as both.
fn entries(table: DeTable<'_>) -> Entries {
    let name = |key: Spanned<_>| Name { span: key.span(), text: String::from(AsRef::<str>::as_ref(key.get_ref())) };
    let mut entries: Entries = table.into_iter().map(|(key, value)| (name(key), literal(value))).collect();
    entries.sort_by_key(|(name, _)| name.span.start);
    entries
}

fn literal(spanned: Spanned<DeValue<'_>>) -> Literal {
    let span = spanned.span();
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            Value::Whole(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX))
        }
        DeValue::Float(number) => Value::Decimal(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(list) => Value::List(list.into_iter().map(literal).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
    };
    Literal { span, value }
}
