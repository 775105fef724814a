//! One table of the config being read: unknown keys, values of the right type, defaults.

use std::ops::Range;

use super::findings::Findings;
use super::keys::TABLES;
use super::nearest::nearest;
use super::table::{Absent, KeyType, Table};
use super::tree::{self, Entries, Literal, Name, Value};

/// A table as written, held against the keys that it may have.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    table: &'static Table,
    entries: &'a [(Name, Literal)],
    /// Its header, or itself if it is written inline.
    pub(super) span: Range<usize>,
}

impl<'a> Section<'a> {
    /// Takes the entries of a table and notes the keys that it may not have.
    pub(super) fn new(
        table: &'static Table,
        entries: &'a Entries,
        span: Range<usize>,
        found: &mut Findings<'_>,
    ) -> Self {
        for (name, _) in entries {
            if table.key(&name.text).is_none() {
                unknown_key(table, name, found);
            }
        }
        Self { table, entries, span }
    }

    /// A table that is not written: each key has its default.
    pub(super) fn absent(table: &'static Table) -> Self {
        Self { table, entries: &[], span: 0..0 }
    }

    /// Takes a value, which must be a table.
    pub(super) fn of(table: &'static Table, literal: &'a Literal, found: &mut Findings<'_>) -> Option<Self> {
        let Value::Table(entries) = &literal.value else {
            let message = format!("`{}` must be a table, not {}", table.name(), literal.kind());
            let brackets = if table.written.starts_with('[') { " with one pair of brackets" } else { "" };
            found.error(&literal.span, message).help(format!("write `{}`{brackets}", table.written));
            return None;
        };
        Some(Self::new(table, entries, literal.span.clone(), found))
    }

    /// Takes a value, which must be a list of tables.
    pub(super) fn list(table: &'static Table, literal: &'a Literal, found: &mut Findings<'_>) -> Option<Vec<Self>> {
        let Value::List(list) = &literal.value else {
            let message = format!("`{}` must be a list of tables, not {}", table.name(), literal.kind());
            found.error(&literal.span, message).help(format!("write `{}` with two pairs of brackets", table.written));
            return None;
        };
        let mut sections = Vec::new();
        for literal in list {
            if let Value::Table(entries) = &literal.value {
                sections.push(Self::new(table, entries, literal.span.clone(), found));
            } else {
                let message = format!("`{}` must hold tables only, not {}", table.name(), literal.kind());
                found.error(&literal.span, message);
            }
        }
        Some(sections)
    }

    /// Returns the table of this name. If it is not written, each key has its default.
    pub(super) fn table(&self, table: &'static Table, found: &mut Findings<'_>) -> Self {
        let written = self.literal(table.name()).and_then(|literal| Self::of(table, literal, found));
        written.unwrap_or(Self::absent(table))
    }

    pub(super) fn tables(&self, table: &'static Table, found: &mut Findings<'_>) -> Vec<Self> {
        self.literal(table.name()).and_then(|literal| Self::list(table, literal, found)).unwrap_or_default()
    }

    pub(super) fn literal(&self, name: &str) -> Option<&'a Literal> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(_, literal)| literal)
    }

    pub(super) fn id(&self) -> Option<String> {
        self.literal("id")?.text().map(str::to_owned)
    }

    /// Returns the value of a key, else its default; nothing if it has a mistake, or if there is neither.
    pub(super) fn read<T>(&self, name: &str, of: &KeyType<T>, found: &mut Findings<'_>) -> Option<T> {
        let key = self.table.key(name)?;
        match (self.literal(name), key.absent) {
            (Some(literal), _) => (of.read)(literal, key, found),
            (None, Absent::Default(toml)) => (of.read)(&tree::read_value(toml)?, key, found),
            (None, Absent::Means(_)) => None,
            (None, Absent::Refused) => {
                let error = found.error(&self.span, format!("this {} has no `{name}`", self.table.name()));
                error.help(format!("add `{name} = …`: {}", key.wanted));
                None
            }
        }
    }
}

fn unknown_key(table: &Table, name: &Name, found: &mut Findings<'_>) {
    let place = if table.name().is_empty() { String::new() } else { format!(" in `{}`", table.name()) };
    let error = found.error(&name.span, format!("unknown key `{}`{place}", name.text));
    let known = table.keys().map(|key| key.name);
    let elsewhere = TABLES.iter().find(|other| other.key(&name.text).is_some());
    error.help(match (nearest(&name.text, known.clone()), elsewhere) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(other)) if !other.name().is_empty() => format!("`{}` is a key of `{}`", name.text, other.name()),
        (None, _) => format!("the keys are {}", known.map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    });
}
