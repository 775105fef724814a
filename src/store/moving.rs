//! Moving a store from one backend to the other: every row as it is, table by table.
//!
//! A move that was broken off goes on where it stood: rows are moved in the order of their keys, each batch in one
//! transaction, so the last key of a table tells how far it is. The mark of a move is the generation of the store that it
//! comes from. A store with a mark is not whole, and is not opened for anything else.
//!
//! The index of texts is not moved: searches fill it.

use std::collections::BTreeMap;

use super::StoreError;

/// A table that both backends have.
#[derive(Debug, Clone, Copy)]
pub struct TableForm {
    /// Its name.
    pub name: &'static str,
    /// Its columns, those of the key first.
    pub columns: &'static [(&'static str, CellKind)],
    /// The number of columns of its key.
    pub key: usize,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// A whole number.
    Number,
    /// Any number.
    Real,
    /// Yes or no.
    Flag,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
}

/// The value of a column in a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// None.
    Nothing,
    /// Of [`CellKind::Number`].
    Number(i64),
    /// Of [`CellKind::Real`].
    Real(f64),
    /// Of [`CellKind::Flag`].
    Flag(bool),
    /// Of [`CellKind::Text`].
    Text(String),
    /// Of [`CellKind::Bytes`].
    Bytes(Vec<u8>),
}

/// Most rows of a batch.
pub const ROWS_MAX: usize = 1000;

/// Bytes after which a batch takes no more rows.
pub const BYTES_MAX: usize = 4 << 20;

use CellKind::{Bytes, Flag, Number, Real, Text};

/// All tables but `meta`, whose numbers differ between backends, and the index of texts.
pub const TABLES: [TableForm; 23] = [
    form("ruleset", 1, &[("id", Number), ("rules", Text)]),
    form(
        "source",
        1,
        &[
            ("id", Text),
            ("url", Text),
            ("moved_to", Text),
            ("redirect", Text),
            ("body_hash", Bytes),
            ("last_poll", Number),
            ("last_success", Number),
            ("next_poll", Number),
            ("next_poll_why", Text),
            ("failures", Number),
            ("last_error", Text),
            ("retired", Flag),
            ("about", Text),
        ],
    ),
    form("validator", 2, &[("source_id", Text), ("url", Text), ("etag", Bytes), ("last_modified", Bytes)]),
    form(
        "entry",
        1,
        &[
            ("number", Number),
            ("source_id", Text),
            ("key", Bytes),
            ("guid_key", Bytes),
            ("fingerprint", Bytes),
            ("atom_id", Text),
            ("story", Number),
            ("first_seen", Number),
            ("changed", Number),
            ("left_feed", Number),
            ("date", Number),
            ("id", Text),
            ("url", Text),
            ("canonical_link", Text),
            ("title", Text),
            ("summary", Text),
            ("content", Text),
            ("published", Number),
            ("updated", Number),
            ("language", Text),
            ("details", Text),
            ("owns_guid", Flag),
            ("suspected", Number),
            ("withdrawn", Number),
            ("joined", Number),
        ],
    ),
    form("clue", 3, &[("period", Number), ("hash", Number), ("entry", Number)]),
    form("sketch", 1, &[("entry", Number), ("clues", Bytes), ("words", Bytes)]),
    form(
        "labelled",
        3,
        &[("entry", Number), ("rules", Number), ("topic", Text), ("date", Number), ("score", Real), ("reasons", Text)],
    ),
    form("unlabelled", 2, &[("rules", Number), ("entry", Number)]),
    form("relabelled", 2, &[("topic", Text), ("month", Text)]),
    form("month", 2, &[("topic", Text), ("month", Text), ("stamp", Number)]),
    form("change", 1, &[("number", Number), ("source_id", Text), ("date", Number), ("health", Text), ("detail", Text)]),
    form(
        "announcement",
        2,
        &[
            ("hub", Text),
            ("topic", Text),
            ("told", Text),
            ("told_at", Number),
            ("failures", Number),
            ("next_try", Number),
            ("last_error", Text),
        ],
    ),
    form("terms", 1, &[("entry", Number), ("hashes", Bytes)]),
    form("bond", 2, &[("one", Number), ("other", Number), ("together", Flag)]),
    // The number is the rowid of SQLite.
    form(
        "revision",
        1,
        &[
            ("number", Number),
            ("entry", Number),
            ("replaced", Number),
            ("title", Text),
            ("summary", Text),
            ("content", Text),
            ("url", Text),
        ],
    ),
    form("related", 3, &[("topic", Text), ("story", Number), ("place", Number), ("other", Number)]),
    form("unrelated", 1, &[("story", Number)]),
    form("throttle", 1, &[("host", Text), ("until", Number)]),
    form("post_topic", 2, &[("topic", Text), ("post", Text), ("after", Number), ("too_old", Number)]),
    form(
        "post",
        1,
        &[
            ("id", Text),
            ("stopped", Text),
            ("failures", Number),
            ("since", Number),
            ("next_try", Number),
            ("last_error", Text),
            ("last_sent", Number),
        ],
    ),
    form(
        "outbox",
        1,
        &[
            ("number", Number),
            ("post", Text),
            ("story", Number),
            ("topic", Text),
            ("event", Text),
            ("noted", Number),
            ("generation", Number),
            ("state", Text),
            ("sent", Number),
            ("remote", Text),
            ("failures", Number),
            ("next_try", Number),
            ("why", Text),
        ],
    ),
    form("subscription", 1, &[("source_id", Text), ("token", Text), ("facts", Text), ("trust", Text)]),
    form(
        "subscriber",
        1,
        &[
            ("number", Number),
            ("callback", Text),
            ("host", Text),
            ("topic", Text),
            ("secret", Text),
            ("lease_end", Number),
            ("told", Text),
            ("next_try", Number),
            ("failures", Number),
            ("since", Number),
            ("why", Text),
            ("intent", Text),
        ],
    ),
];

const fn form(name: &'static str, key: usize, columns: &'static [(&'static str, CellKind)]) -> TableForm {
    TableForm { name, columns, key }
}

impl TableForm {
    /// The names of its columns, parted by commas.
    #[must_use]
    pub fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// The columns of its key, parted by commas.
    #[must_use]
    pub fn key_names(&self) -> String {
        self.columns.iter().take(self.key).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// A store as tables.
#[expect(clippy::missing_errors_doc, reason = "each fails when the store does")]
pub trait Tables {
    /// The store as messages name it.
    fn name(&self) -> String;

    /// The number of rows of a table.
    fn count(&mut self, table: &TableForm) -> Result<u64, StoreError>;

    /// A batch of rows in the order of the key: those after a key, or the first.
    fn rows(&mut self, table: &TableForm, after: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, StoreError>;

    /// The key of a table's last row.
    fn last(&mut self, table: &TableForm) -> Result<Option<Vec<Cell>>, StoreError>;

    /// Adds rows in one transaction.
    fn put(&mut self, table: &TableForm, rows: Vec<Vec<Cell>>) -> Result<(), StoreError>;

    /// The numbers of `meta` that mean the same everywhere, and as `last_entry` the last number that was given to an
    /// entry.
    fn facts(&mut self) -> Result<BTreeMap<String, i64>, StoreError>;

    /// The mark of a move to this store that is not done.
    fn mark(&mut self) -> Result<Option<i64>, StoreError>;

    /// Empties all tables, and marks the store.
    fn begin(&mut self, mark: i64) -> Result<(), StoreError>;

    /// Writes the facts, and takes the mark away.
    fn finish(&mut self, facts: &BTreeMap<String, i64>) -> Result<(), StoreError>;
}

/// Why a store was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MovingError {
    /// One of the stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The target holds something else.
    #[error("`{store}` is not empty: {rows} rows in `{table}`")]
    NotEmpty {
        /// The target.
        store: String,
        /// A table of it.
        table: &'static str,
        /// The rows of the table.
        rows: u64,
    },
    /// Somebody works with the store that is moved.
    #[error("`{store}` was changed while it was copied")]
    Changed {
        /// The store that is moved.
        store: String,
    },
    /// Rows are missing in the end.
    #[error("`{table}` has {there} rows in `{store}`, but {expected} rows were to be copied")]
    Differs {
        /// The target.
        store: String,
        /// The table.
        table: &'static str,
        /// Its rows in the target.
        there: u64,
        /// Its rows in the store that is moved.
        expected: u64,
    },
}

impl MovingError {
    /// Returns advice for the operator, apart from the error itself.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.hint(),
            Self::NotEmpty { .. } => Some("name an empty database, or a file that is not there; nothing was changed"),
            Self::Changed { .. } => Some("stop every veille that works on it, then give the same command again"),
            Self::Differs { .. } => Some("stop every veille that works on either store, and copy to an empty one"),
        }
    }
}

/// How far a move is.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    /// The rows that are there.
    pub rows: u64,
    /// All rows.
    pub of: u64,
    /// Whether an earlier move is gone on with.
    pub is_resumed: bool,
}

/// Copies all rows of a store to another one, which is empty or holds a part of them; tells how far it is.
///
/// Returns the tables with their rows, counted on both sides.
///
/// # Errors
/// [`MovingError`]. Rows that were copied stay, and the next try goes on with them.
pub fn copy(
    from: &mut dyn Tables,
    to: &mut dyn Tables,
    mut tell: impl FnMut(Moved),
) -> Result<Vec<(&'static str, u64)>, MovingError> {
    let mark = generation(&from.facts()?);
    let marked = to.mark()?;
    if marked.is_none() {
        refuse_rows(to)?;
    }
    let is_resumed = marked == Some(mark);
    if !is_resumed {
        to.begin(mark)?;
    }
    let mut expected = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        expected.push((table, from.count(table)?));
    }
    let mut moved = Moved { rows: 0, of: expected.iter().map(|(_, rows)| rows).sum(), is_resumed };
    for (table, _) in &expected {
        let mut last = if is_resumed { to.last(table)? } else { None };
        if last.is_some() {
            moved.rows += to.count(table)?;
        }
        tell(moved);
        loop {
            let rows = from.rows(table, last.as_deref())?;
            let Some(row) = rows.last() else { break };
            last = Some(row.iter().take(table.key).cloned().collect());
            moved.rows += rows.len() as u64;
            to.put(table, rows)?;
            tell(moved);
        }
    }
    let facts = from.facts()?;
    if generation(&facts) != mark {
        return Err(MovingError::Changed { store: from.name() });
    }
    let mut counted = Vec::with_capacity(TABLES.len());
    for (table, expected) in expected {
        let there = to.count(table)?;
        if there != expected {
            return Err(MovingError::Differs { store: to.name(), table: table.name, there, expected });
        }
        counted.push((table.name, there));
    }
    to.finish(&facts)?;
    Ok(counted)
}

fn generation(facts: &BTreeMap<String, i64>) -> i64 {
    facts.get("generation").copied().unwrap_or_default()
}

/// Refuses a store that somebody has used. A new one holds the empty set of rules.
fn refuse_rows(to: &mut dyn Tables) -> Result<(), MovingError> {
    for table in &TABLES {
        let rows = to.count(table)?;
        if rows > u64::from(table.name == "ruleset") {
            return Err(MovingError::NotEmpty { store: to.name(), table: table.name, rows });
        }
    }
    Ok(())
}
