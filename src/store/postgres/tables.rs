//! The store as tables, for a move to or from another backend.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::session::{Call, Parameter, call};
use super::{Postgres, StoreError, rows};
use crate::store::moving::{BYTES_MAX, Cell, CellKind, ROWS_MAX, TABLES, TableForm, Tables};

/// Numbers of `meta` that no other store has a use for.
const OWN: [&str; 3] = ["index_version", "attempt", "copying"];

/// Tables of long texts, of which a batch may hold few rows.
const LONG: [&str; 2] = ["entry", "revision"];

impl Tables for Postgres {
    fn name(&self) -> String {
        self.session.name().to_owned()
    }

    fn count(&mut self, table: &TableForm) -> Result<u64, StoreError> {
        let ask = call!(format!("SELECT count(*) FROM {}", table.name));
        let count = rows::single(self.session.look(&[ask])?, |row| rows::number(row, 0))?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    fn rows(&mut self, table: &TableForm, after: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, StoreError> {
        let (columns, key, name) = (table.names(), table.key_names(), table.name);
        let places = (1..=table.key).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
        let condition = after.map_or_else(String::new, |_| format!("WHERE ({key}) > ({places})"));
        let asked = |sql: String| Call::new(sql, after.unwrap_or_default().iter().map(parameter).collect());
        let mut limit = ROWS_MAX;
        if LONG.contains(&name) {
            let fitting = format!(
                "SELECT count(*) FROM (
                    SELECT sum(octet_length(batch::text)) OVER (ORDER BY {key}) AS bytes
                    FROM (SELECT * FROM {name} {condition} ORDER BY {key} LIMIT {ROWS_MAX}) AS batch
                 ) AS sums WHERE bytes <= {BYTES_MAX}"
            );
            let fitting = rows::single(self.session.look(&[asked(fitting)])?, |row| rows::number(row, 0))?;
            limit = usize::try_from(fitting.unwrap_or_default()).unwrap_or_default().max(1);
        }
        // Not a part of the text: each statement that differs is kept prepared.
        let mut ask = asked(format!(
            "SELECT {columns} FROM {name} {condition} ORDER BY {key} LIMIT ${}",
            after.map_or(0, <[Cell]>::len) + 1
        ));
        ask.add(Box::new(rows::limit(limit)));
        let columns = table.columns;
        rows::next(&mut self.session.look(&[ask])?, |row| cells(columns, row))
    }

    fn last(&mut self, table: &TableForm) -> Result<Option<Vec<Cell>>, StoreError> {
        let key = table.key_names();
        let order = key.split(", ").map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
        let ask = call!(format!("SELECT {key} FROM {} ORDER BY {order} LIMIT 1", table.name));
        let columns = table.columns.get(..table.key).unwrap_or_default();
        rows::single(self.session.look(&[ask])?, |row| cells(columns, row))
    }

    fn put(&mut self, table: &TableForm, rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
        let mut columns: Vec<Vec<Cell>> = table.columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
        for row in rows {
            for (column, cell) in columns.iter_mut().zip(row) {
                column.push(cell);
            }
        }
        let arrays: Vec<Parameter<'static>> =
            columns.into_iter().zip(table.columns).map(|(cells, (_, kind))| array(cells, *kind)).collect();
        let types: Vec<String> =
            (1..).zip(table.columns).map(|(place, (_, kind))| format!("${place}::{}[]", type_of(*kind))).collect();
        let sql = format!("INSERT INTO {} ({}) SELECT * FROM unnest({})", table.name, table.names(), types.join(", "));
        self.session.begin(&[Call::new(sql, arrays)])?;
        self.session.commit(&[])?;
        Ok(())
    }

    fn facts(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        let read = |row: &Row| Ok((rows::get::<String>(row, 0)?, rows::number(row, 1)?));
        let all = rows::next(&mut self.session.look(&[call!("SELECT name, value FROM meta")])?, read)?;
        Ok(all.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect())
    }

    fn mark(&mut self) -> Result<Option<i64>, StoreError> {
        let ask = call!("SELECT value FROM meta WHERE name = 'copying'");
        rows::single(self.session.look(&[ask])?, |row| rows::number(row, 0))
    }

    fn begin(&mut self, mark: i64) -> Result<(), StoreError> {
        let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        self.session.begin(&[])?;
        self.session.script(&format!("TRUNCATE meta, entry_text, unindexed, {}", names.join(", ")))?;
        self.session.commit(&[call!("INSERT INTO meta VALUES ('copying', $1)", mark)])?;
        Ok(())
    }

    fn finish(&mut self, facts: &BTreeMap<String, i64>) -> Result<(), StoreError> {
        let (names, values): (Vec<String>, Vec<i64>) = facts.iter().map(|(name, value)| (name.clone(), *value)).unzip();
        let mut calls = vec![
            call!("DELETE FROM meta"),
            call!("INSERT INTO meta SELECT * FROM unnest($1::text[], $2::bigint[])", names, values),
            call!("INSERT INTO unindexed SELECT number FROM entry ON CONFLICT DO NOTHING"),
        ];
        let numbered = ["change", "revision", "outbox", "subscriber"].map(|table| (table, "number"));
        for (table, column) in [("ruleset", "id")].into_iter().chain(numbered) {
            calls.push(call!(format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), greatest(max({column}), 1)) FROM {table}"
            )));
        }
        self.session.begin(&[])?;
        self.session.commit(&calls)?;
        Ok(())
    }
}

fn type_of(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Number => "bigint",
        CellKind::Real => "double precision",
        CellKind::Flag => "boolean",
        CellKind::Text => "text",
        CellKind::Bytes => "bytea",
    }
}

fn cells(columns: &[(&str, CellKind)], row: &Row) -> Result<Vec<Cell>, StoreError> {
    let cell = |(place, (_, kind)): (usize, &(&str, CellKind))| {
        Ok(match kind {
            CellKind::Number => rows::get::<Option<i64>>(row, place)?.map(Cell::Number),
            CellKind::Real => rows::get::<Option<f64>>(row, place)?.map(Cell::Real),
            CellKind::Flag => rows::get::<Option<bool>>(row, place)?.map(Cell::Flag),
            CellKind::Text => rows::get::<Option<String>>(row, place)?.map(Cell::Text),
            CellKind::Bytes => rows::get::<Option<Vec<u8>>>(row, place)?.map(Cell::Bytes),
        }
        .unwrap_or(Cell::Nothing))
    };
    columns.iter().enumerate().map(cell).collect()
}

/// A cell of a key, which is a number or a text.
fn parameter(cell: &Cell) -> Parameter<'static> {
    match cell {
        Cell::Number(number) => Box::new(*number),
        Cell::Text(text) => Box::new(rows::text(text).into_owned()),
        Cell::Nothing | Cell::Real(_) | Cell::Flag(_) | Cell::Bytes(_) => Box::new(None::<i64>),
    }
}

/// The cells of a column as an array.
fn array(cells: Vec<Cell>, kind: CellKind) -> Parameter<'static> {
    macro_rules! all {
        ($variant:ident, $value:ident => $converted:expr) => {{
            let one = |cell| if let Cell::$variant($value) = cell { Some($converted) } else { None };
            Box::new(cells.into_iter().map(one).collect::<Vec<_>>())
        }};
    }
    match kind {
        CellKind::Number => all!(Number, number => number),
        CellKind::Real => all!(Real, number => number),
        CellKind::Flag => all!(Flag, flag => flag),
        CellKind::Text => all!(Text, text => if text.contains('\0') { rows::text(&text).into_owned() } else { text }),
        CellKind::Bytes => all!(Bytes, bytes => bytes),
    }
}
