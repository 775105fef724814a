//! Listing entries, with full-text search.
//!
//! Each search completes the index first. Filled at each insert, it would cost more than the rest of a poll.
//!
//! The index holds the words of entries as [`indexed`] cuts them.
//! Refused: FTS5's tokenizer alone, which knows no plural, elision or ligature; a tokenizer in C.

use rusqlite::{Connection, Row, ToSql, TransactionBehavior, params};

use super::entries::{COLUMNS, read_entry, read_labels};
use super::meta::UNLABELLED;
use super::{StoreError, meta, unix};
use crate::feed::Entry;
use crate::store::indexed::{self, Ways};
use crate::store::{Filter, Held, Which};
use crate::story::Fingerprint;

/// Entries indexed in one transaction, so that a poll never waits long for a search.
const INDEX_BATCH: i64 = 500;

pub(super) fn find(connection: &mut Connection, filter: &Filter) -> Result<Vec<Held>, StoreError> {
    let search = filter.search.as_deref().and_then(query);
    if search.is_some() {
        meta::forget_outdated_index(connection)?;
        while fill_index(connection)? > 0 {}
    }
    let mut sql = format!("SELECT {COLUMNS}, entry.fingerprint FROM entry");
    let mut parameters: Vec<Box<dyn ToSql>> = Vec::new();
    let mut conditions: Vec<String> = Vec::new();
    let mut add = |condition: &str, values: Vec<Box<dyn ToSql>>| {
        let mut condition = condition.to_owned();
        for value in values {
            parameters.push(value);
            condition = condition.replacen('?', &format!(":{}", parameters.len()), 1);
        }
        conditions.push(condition.replace(':', "?"));
    };
    let by_number = match &filter.which {
        Which::Newest => false,
        Which::After(number) => {
            add("number > ?", vec![Box::new(*number)]);
            true
        }
        Which::Unlabelled => {
            add(&format!("number IN ({UNLABELLED})"), Vec::new());
            true
        }
        Which::Number(number) => {
            add("number = ?", vec![Box::new(*number)]);
            true
        }
        Which::Named { name, link } => {
            let name = || Box::new(name.clone());
            add(
                "(id = ? OR atom_id = ? OR url = ? OR canonical_link = ?)",
                vec![name(), name(), name(), Box::new(link.clone())],
            );
            true
        }
    };
    if let Some(topic) = &filter.topic {
        add("number IN (SELECT entry FROM label WHERE topic = ?)", vec![Box::new(topic.clone())]);
    }
    if let Some(source_id) = &filter.source_id {
        add("source_id = ?", vec![Box::new(source_id.clone())]);
    }
    if let Some(search) = search {
        add("number IN (SELECT rowid FROM entry_text WHERE entry_text MATCH ?)", vec![Box::new(search)]);
    }
    if let Some(since) = filter.since {
        add("date >= ?", vec![Box::new(unix(since))]);
    }
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    parameters.push(Box::new(i64::try_from(filter.limit).unwrap_or(i64::MAX)));
    let order = if by_number { "number" } else { "date DESC, number DESC" };
    sql.push_str(&format!(" ORDER BY {order} LIMIT ?{}", parameters.len()));
    let transaction = connection.transaction()?;
    let held = {
        let mut statement = transaction.prepare_cached(&sql)?;
        let read = |row: &Row<'_>| {
            Ok(Held { stored: read_entry(row)?, fingerprint: Fingerprint(row.get("fingerprint")?), labels: Vec::new() })
        };
        let found = statement.query_map(rusqlite::params_from_iter(parameters), read)?;
        let mut found = found.collect::<Result<Vec<_>, _>>()?;
        for held in &mut found {
            held.labels = read_labels(&transaction, held.stored.number)?;
        }
        found
    };
    transaction.commit()?;
    Ok(held)
}

/// Turns typed words into an FTS5 query for all of them; `None` if there is none.
fn query(words: &str) -> Option<String> {
    let phrase = |words: &Vec<String>| format!("\"{}\"", words.join(" "));
    let either = |phrases: Vec<String>| format!("({})", phrases.join(" OR "));
    let term = |ways: &Ways| either(ways.iter().map(phrase).collect());
    let all = |terms: &Vec<Ways>| format!("({})", terms.iter().map(term).collect::<Vec<_>>().join(" AND "));
    indexed::terms(words).map(|foldings| either(foldings.iter().map(all).collect()))
}

fn fill_index(connection: &mut Connection) -> Result<usize, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let filled = index_batch(&transaction)?;
    transaction.commit()?;
    Ok(filled)
}

fn index_batch(connection: &Connection) -> Result<usize, StoreError> {
    let waiting = connection
        .prepare_cached("SELECT number, title, summary, content, language FROM entry WHERE searchable = 0 LIMIT ?1")?
        .query_map([INDEX_BATCH], |row: &Row<'_>| {
            let [title, summary, content, language] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            Ok((row.get::<_, i64>(0)?, Entry { title, summary, content, language, ..Entry::default() }))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    for (number, entry) in &waiting {
        // An edited entry is there already.
        connection.prepare_cached("DELETE FROM entry_text WHERE rowid = ?1")?.execute([number])?;
        let [title, text] = indexed::words(entry).map(|words| words.join(" "));
        connection
            .prepare_cached("INSERT INTO entry_text (rowid, title, text) VALUES (?1, ?2, ?3)")?
            .execute(params![number, title, text])?;
        connection.prepare_cached("UPDATE entry SET searchable = 1 WHERE number = ?1")?.execute([number])?;
    }
    Ok(waiting.len())
}
