//! One table of the config being read: unknown keys, values of the right kind, defaults.

use std::ops::Range;

use super::diagnostic::Problems;
use super::keys::{Key, Kind, TABLES, Table};
use super::nearest::nearest;
use super::tree::{self, Entries, Name, Node, Value};

/// A table as written, held against the keys that it may have.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    table: &'static Table,
    entries: &'a [(Name, Node)],
    /// Its header, or itself if it is written inline.
    pub(super) span: Range<usize>,
}

/// Reads a value of a kind; what is wrong is noted, and then it is none.
pub(super) type Reader<T> = fn(&Node, &Key, &mut Problems) -> Option<T>;

impl<'a> Section<'a> {
    /// Takes a table and notes the keys that it may not have.
    pub(super) fn new(
        table: &'static Table,
        entries: &'a Entries,
        span: Range<usize>,
        problems: &mut Problems,
    ) -> Section<'a> {
        for (name, _) in entries {
            if !table.keys.iter().any(|key| key.name == name.text) {
                unknown_key(table, name, problems);
            }
        }
        Self { table, entries, span }
    }

    /// A table that is not written: all defaults.
    fn absent(table: &'static Table) -> Section<'a> {
        Self { table, entries: &[], span: 0..0 }
    }

    /// Returns the node of a key, if it is written.
    pub(super) fn node(&self, name: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// Returns the table under a key, all defaults if it is not written or no table.
    pub(super) fn table(&self, table: &'static Table, name: &str, problems: &mut Problems) -> Section<'a> {
        match self.node(name) {
            None => Self::absent(table),
            Some(Node { span, value: Value::Table(entries) }) => Self::new(table, entries, span.clone(), problems),
            Some(node) => {
                let message = format!("{} must be a table, not {}", self.quoted(name), kind_of(node));
                problems.error(&node.span, message).help(format!("write `[{name}]` with one pair of brackets"));
                Self::absent(table)
            }
        }
    }

    /// Returns the tables under a key, none if it is not written.
    pub(super) fn tables(&self, table: &'static Table, name: &str, problems: &mut Problems) -> Vec<Section<'a>> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let Value::List(list) = &node.value else {
            let message = format!("{} must be a list of tables, not {}", self.quoted(name), kind_of(node));
            problems.error(&node.span, message).help(format!("write `[[{}]]` with two pairs of brackets", table.name));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for node in list {
            if let Value::Table(entries) = &node.value {
                sections.push(Self::new(table, entries, node.span.clone(), problems));
            } else {
                let message = format!("{} must hold tables only, not {}", self.quoted(name), kind_of(node));
                problems.error(&node.span, message);
            }
        }
        sections
    }

    /// Returns the value of a key, else its default; `None` if it is wrong, or if there is neither.
    pub(super) fn read<T>(&self, name: &str, reader: Reader<T>, problems: &mut Problems) -> Option<T> {
        self.read_with(name, problems, reader)
    }

    /// As [`Self::read`], with a reader that knows more than the node.
    pub(super) fn read_with<T>(
        &self,
        name: &str,
        problems: &mut Problems,
        reader: impl FnOnce(&Node, &Key, &mut Problems) -> Option<T>,
    ) -> Option<T> {
        let key = self.table.keys.iter().find(|key| key.name == name)?;
        match self.node(name) {
            Some(node) => reader(node, key, problems),
            None => reader(&tree::read_value(key.default?)?, key, problems),
        }
    }

    /// Notes a key that must be there.
    pub(super) fn missing(&self, name: &str, problems: &mut Problems) {
        let key = self.table.keys.iter().find(|key| key.name == name);
        let wanted = key.map(|key| key.kind.wanted()).unwrap_or_default();
        let message = format!("this {} has no `{name}`", self.table.name);
        problems.error(&self.span, message).help(format!("add `{name} = …`: {wanted}"));
    }

    /// `poll.timeout`, for messages.
    fn quoted(&self, name: &str) -> String {
        if self.table.name.is_empty() { format!("`{name}`") } else { format!("`{}.{name}`", self.table.name) }
    }
}

fn unknown_key(table: &Table, name: &Name, problems: &mut Problems) {
    let place = if table.name.is_empty() { String::new() } else { format!(" in `{}`", table.name) };
    let error = problems.error(&name.span, format!("unknown key `{}`{place}", name.text));
    let known = table.keys.iter().map(|key| key.name);
    let elsewhere = TABLES.iter().find(|other| other.keys.iter().any(|key| key.name == name.text));
    error.help(match (nearest(&name.text, known.clone()), elsewhere) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(other)) if !other.name.is_empty() => {
            format!("`{}` is a key of `{}`", name.text, other.name)
        }
        (None, _) => format!("the keys are {}", known.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    });
}

/// Notes a value that is not of its key's kind.
pub(super) fn unfit<T>(node: &Node, key: &Key, problems: &mut Problems) -> Option<T> {
    problems.error(&node.span, format!("`{}` must be {}", key.name, key.kind.wanted()));
    None
}

/// Says what a value is, for "not …".
pub(super) fn kind_of(node: &Node) -> &'static str {
    match node.value {
        Value::Text(_) => "a text",
        Value::Whole(_) | Value::Decimal(_) => "a number",
        Value::Flag(_) => "`true` or `false`",
        Value::Date => "a date",
        Value::List(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// A text that is not blank.
pub(super) fn text(node: &Node, key: &Key, problems: &mut Problems) -> Option<String> {
    let text = words(node, key, problems)?;
    if text.trim().is_empty() {
        problems.error(&node.span, format!("`{}` is blank", key.name));
        return None;
    }
    Some(text)
}

/// A text.
pub(super) fn words(node: &Node, key: &Key, problems: &mut Problems) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        _ => unfit(node, key, problems),
    }
}

/// A list of texts, each with its place.
pub(super) fn texts<'n>(node: &'n Node, key: &Key, problems: &mut Problems) -> Option<Vec<(&'n str, &'n Node)>> {
    let Value::List(list) = &node.value else { return unfit(node, key, problems) };
    let mut texts = Vec::new();
    for node in list {
        if let Value::Text(text) = &node.value {
            texts.push((text.as_str(), node));
        } else {
            let message = format!("`{}` must hold texts in quotes only, not {}", key.name, kind_of(node));
            problems.error(&node.span, message);
        }
    }
    Some(texts)
}

/// `true` or `false`.
pub(super) fn flag(node: &Node, key: &Key, problems: &mut Problems) -> Option<bool> {
    match node.value {
        Value::Flag(flag) => Some(flag),
        _ => unfit(node, key, problems),
    }
}

/// A whole number in the key's range.
pub(super) fn whole<T: TryFrom<i64>>(node: &Node, key: &Key, problems: &mut Problems) -> Option<T> {
    match (&node.value, key.kind) {
        (Value::Whole(number), Kind::Whole(min, max)) if (min..=max).contains(number) => T::try_from(*number).ok(),
        _ => unfit(node, key, problems),
    }
}

/// A number in the key's range.
pub(super) fn decimal(node: &Node, key: &Key, problems: &mut Problems) -> Option<f64> {
    let Kind::Decimal(min, max) = key.kind else { return unfit(node, key, problems) };
    decimal_of(node).filter(|number| (min..=max).contains(number)).or_else(|| unfit(node, key, problems))
}

/// The number that a node holds, with or without a fraction.
pub(super) fn decimal_of(node: &Node) -> Option<f64> {
    match node.value {
        Value::Whole(number) => Some(number as f64),
        Value::Decimal(number) => Some(number),
        _ => None,
    }
}
