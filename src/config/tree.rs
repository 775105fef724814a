//! TOML as a tree of values that know where they are written.
//!
//! The only home of `toml`. Serde stops at the first fault and blames a missing key on the table's header, so the tree
//! is walked by hand.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// What can be written.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    /// Beyond 64 bits: the largest.
    Whole(i64),
    Decimal(f64),
    Flag(bool),
    Date,
    List(Vec<Node>),
    Table(Entries),
}

/// The keys and values of a table, in file order.
pub(super) type Entries = Vec<(Name, Node)>;

/// A key and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) span: Range<usize>,
    pub(super) text: String,
}

/// A fault of the syntax.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

/// Ways out of faults, by what the parser says of them.
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

/// Reads a document.
///
/// # Errors
/// Every fault of the syntax; only the first if a list that is not closed has swallowed the rest.
pub(super) fn read(text: &str) -> Result<Entries, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(entries(table.get_ref()));
    }
    let is_swallowed = errors.iter().any(|error| error.message().starts_with("unclosed array"));
    let mut faults: Vec<Fault> = errors.iter().map(fault).collect();
    faults.sort_by_key(|fault| fault.span.start);
    faults.truncate(if is_swallowed { 1 } else { faults.len() });
    Err(faults)
}

fn fault(error: &toml::de::Error) -> Fault {
    let message = error.message().replace('\n', "; ");
    let help = HELPS.iter().find(|(begins, _)| message.starts_with(begins)).map(|(_, help)| *help);
    Fault { span: error.span().unwrap_or(0..0), message, help }
}

/// Reads what can be read of a document: what follows a fault may be misread.
pub(super) fn read_in_part(text: &str) -> Entries {
    entries(DeTable::parse_recoverable(text).0.get_ref())
}

/// Reads one value, as a default is written; `None` if it is none.
pub(super) fn read_value(text: &str) -> Option<Node> {
    DeValue::parse(text).ok().map(|value| node(&value))
}

fn entries(table: &DeTable<'_>) -> Entries {
    let name = |key: &Spanned<_>| Name { span: key.span(), text: String::from(AsRef::<str>::as_ref(key.get_ref())) };
    let mut entries: Entries = table.iter().map(|(key, value)| (name(key), node(value))).collect();
    entries.sort_by_key(|(name, _)| name.span.start);
    entries
}

fn node(value: &Spanned<DeValue<'_>>) -> Node {
    let value_ = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            Value::Whole(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX))
        }
        DeValue::Float(number) => Value::Decimal(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(list) => Value::List(list.iter().map(node).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
    };
    Node { span: value.span(), value: value_ }
}
