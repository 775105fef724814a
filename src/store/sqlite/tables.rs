//! The store as tables, for a move to or from another backend.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Row, TransactionBehavior, params_from_iter};

use super::{Sqlite, StoreError, causes, meta, named};
use crate::store::moving::{BYTES_MAX, Cell, CellKind, ROWS_MAX, TABLES, TableForm, Tables};

/// Numbers of `meta` that no other store has a use for.
const OWN: [&str; 3] = ["index_version", "attempt", "copying"];

impl Tables for Sqlite {
    fn name(&self) -> String {
        named(&self.path)
    }

    fn count(&mut self, table: &TableForm) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count = self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0));
        causes::explained(count.map(i64::unsigned_abs).map_err(StoreError::from), &self.path)
    }

    fn rows(&mut self, table: &TableForm, after: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, StoreError> {
        causes::explained(batch(self, table, after), &self.path)
    }

    fn last(&mut self, table: &TableForm) -> Result<Option<Vec<Cell>>, StoreError> {
        causes::explained(last(self, table), &self.path)
    }

    fn put(&mut self, table: &TableForm, rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
        let written = put(self, table, rows);
        causes::explained(written, &self.path)
    }

    fn facts(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        causes::explained(facts(self), &self.path)
    }

    fn mark(&mut self) -> Result<Option<i64>, StoreError> {
        causes::explained(meta::number(&self.connection, "copying"), &self.path)
    }

    fn begin(&mut self, mark: i64) -> Result<(), StoreError> {
        let begun = begin(self, mark);
        causes::explained(begun, &self.path)
    }

    fn finish(&mut self, facts: &BTreeMap<String, i64>) -> Result<(), StoreError> {
        let finished = finish(self, facts);
        causes::explained(finished, &self.path)
    }
}

/// The columns as `SQLite` calls them: a number of revisions is their rowid.
fn written(table: &TableForm, names: &str) -> String {
    if table.name == "revision" { names.replacen("number", "rowid", 1) } else { names.to_owned() }
}

fn batch(store: &Sqlite, table: &TableForm, after: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, StoreError> {
    let (columns, key) = (written(table, &table.names()), written(table, &table.key_names()));
    let places = (1..=table.key).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
    let condition = after.map_or_else(String::new, |_| format!("WHERE ({key}) > ({places})"));
    let sql = format!("SELECT {columns} FROM {} {condition} ORDER BY {key}", table.name);
    let mut statement = store.connection.prepare_cached(&sql)?;
    let after = after.unwrap_or_default().iter().map(value);
    let mut found = statement.query(params_from_iter(after))?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let cells = cells(table, row)?;
        bytes += cells.iter().map(length).sum::<usize>();
        rows.push(cells);
        if rows.len() == ROWS_MAX || bytes >= BYTES_MAX {
            break;
        }
    }
    Ok(rows)
}

fn last(store: &Sqlite, table: &TableForm) -> Result<Option<Vec<Cell>>, StoreError> {
    let key = written(table, &table.key_names());
    let order = key.split(", ").map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {key} FROM {} ORDER BY {order} LIMIT 1", table.name);
    let mut statement = store.connection.prepare_cached(&sql)?;
    let mut found = statement.query([])?;
    let key = TableForm { columns: table.columns.get(..table.key).unwrap_or_default(), ..*table };
    Ok(found.next()?.map(|row| cells(&key, row)).transpose()?)
}

fn put(store: &mut Sqlite, table: &TableForm, rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
    let transaction = store.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let places = (1..=table.columns.len()).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, written(table, &table.names()));
    {
        let mut statement = transaction.prepare_cached(&sql)?;
        for row in rows {
            statement.execute(params_from_iter(row.iter().map(value)))?;
        }
    }
    Ok(transaction.commit()?)
}

fn facts(store: &Sqlite) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut statement = store.connection.prepare_cached("SELECT name, value FROM meta")?;
    let all = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<_>, _>>()?;
    let mut facts: BTreeMap<String, i64> =
        all.into_iter().filter(|(name, _): &(String, i64)| !OWN.contains(&name.as_str())).collect();
    let last = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'entry'), 0)";
    facts.insert("last_entry".into(), store.connection.query_row(last, [], |row| row.get(0))?);
    Ok(facts)
}

fn begin(store: &mut Sqlite, mark: i64) -> Result<(), StoreError> {
    let transaction = store.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in &TABLES {
        transaction.execute(&format!("DELETE FROM {}", table.name), [])?;
    }
    transaction.execute("DELETE FROM meta", [])?;
    meta::set(&transaction, "copying", Some(mark))?;
    Ok(transaction.commit()?)
}

fn finish(store: &mut Sqlite, facts: &BTreeMap<String, i64>) -> Result<(), StoreError> {
    let transaction = store.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The notes that each opening made of a copy that was not whole go too, and the mark.
    transaction.execute("DELETE FROM meta", [])?;
    for (name, value) in facts.iter().filter(|(name, _)| *name != "last_entry") {
        meta::set(&transaction, name, Some(*value))?;
    }
    let last = facts.get("last_entry").copied().unwrap_or_default();
    transaction.execute("DELETE FROM sqlite_sequence WHERE name = 'entry'", [])?;
    transaction.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('entry', ?1)", [last])?;
    Ok(transaction.commit()?)
}

fn cells(table: &TableForm, row: &Row<'_>) -> rusqlite::Result<Vec<Cell>> {
    let cell = |(place, (_, kind)): (usize, &(&str, CellKind))| {
        Ok(match (row.get::<_, Value>(place)?, kind) {
            (Value::Null, _) => Cell::Nothing,
            (Value::Integer(number), CellKind::Flag) => Cell::Flag(number != 0),
            #[expect(clippy::cast_precision_loss, reason = "a score that is a whole number is small")]
            (Value::Integer(number), CellKind::Real) => Cell::Real(number as f64),
            (Value::Integer(number), _) => Cell::Number(number),
            (Value::Real(number), _) => Cell::Real(number),
            (Value::Text(text), _) => Cell::Text(text),
            (Value::Blob(bytes), _) => Cell::Bytes(bytes),
        })
    };
    table.columns.iter().enumerate().map(cell).collect()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Nothing => Value::Null,
        Cell::Number(number) => Value::Integer(*number),
        Cell::Real(number) => Value::Real(*number),
        Cell::Flag(flag) => Value::Integer(i64::from(*flag)),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Bytes(bytes) => Value::Blob(bytes.clone()),
    }
}

fn length(cell: &Cell) -> usize {
    match cell {
        Cell::Nothing | Cell::Number(_) | Cell::Real(_) | Cell::Flag(_) => size_of::<i64>(),
        Cell::Text(text) => text.len(),
        Cell::Bytes(bytes) => bytes.len(),
    }
}
