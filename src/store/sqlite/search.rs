//! Listing entries, with full-text search.
//!
//! Each search completes the index first. Filled at each insert, it would cost more than the rest of a poll.
//!
//! The index holds the words of entries as topics read them: cut and folded by us, each behind the letter of its language's
//! folding. So a query finds in each language what a term would.
//! Refused: FTS5's tokenizer alone, which knows no plural, elision or ligature; a tokenizer in C.

use rusqlite::{Connection, Row, ToSql, TransactionBehavior, params};

use super::entries::{COLUMNS, read_entry, read_labels};
use super::meta::UNLABELLED;
use super::{StoreError, meta, unix};
use crate::feed::Entry;
use crate::store::{Filter, Held, Which};
use crate::story::{Fingerprint, Plain};
use crate::text::{Folding, Passage, Word, fold, without_boilerplate};
use crate::topic::{Field, Fields, Query};

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
    let query = Query::parse(words);
    let terms: Vec<Vec<Vec<&str>>> = query.spellings().collect();
    let phrase = |folding: Folding, words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| indexed(folding, word)).collect();
        format!("\"{}\"", words.join(" "))
    };
    let either = |phrases: Vec<String>| format!("({})", phrases.join(" OR "));
    let all = |folding: Folding| {
        let term = |ways: &Vec<Vec<&str>>| either(ways.iter().map(|words| phrase(folding, words)).collect());
        format!("({})", terms.iter().map(term).collect::<Vec<_>>().join(" AND "))
    };
    (!query.is_empty()).then(|| either(Folding::ALL.into_iter().map(all).collect()))
}

/// A folded word as it stands in the index: without characters that part words there.
fn indexed(folding: Folding, word: &str) -> String {
    let letters = folding.root(word).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    format!("{}{letters}", folding.letter())
}

/// Stands in the index where no phrase goes on.
const GAP: &str = "x";

/// Words around a joined compound that phrases with it may have.
const AROUND: usize = 4;

/// The words of a text as they stand in the index: all of them, then each compound joined, between its neighbours.
fn index_words(folding: Folding, texts: &[&Passage]) -> String {
    let mut row: Vec<String> = Vec::new();
    for text in texts {
        let words: Vec<Word<'_>> = text.words().collect();
        row.extend(words.iter().map(|word| indexed(folding, word.folded)));
        row.push(GAP.to_owned());
        for (place, word) in words.iter().enumerate().filter(|(_, word)| word.followers > 0) {
            let behind = place + 1 + word.followers;
            let parts = words.get(place..behind).unwrap_or_default();
            for length in 2..=parts.len().min(AROUND) {
                let joined: String = parts.iter().take(length).map(|part| part.folded).collect();
                let [before, after] = [place.saturating_sub(AROUND)..place, place + length..place + length + AROUND];
                let near = |range: std::ops::Range<usize>| {
                    let end = range.end.min(words.len());
                    words
                        .get(range.start.min(end)..end)
                        .unwrap_or_default()
                        .iter()
                        .map(|word| indexed(folding, word.folded))
                };
                row.extend(near(before));
                row.push(indexed(folding, &fold(&joined)));
                row.extend(near(after));
                row.push(GAP.to_owned());
            }
        }
    }
    row.join(" ")
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
        let (title, text) = words_of(entry);
        connection
            .prepare_cached("INSERT INTO entry_text (rowid, title, text) VALUES (?1, ?2, ?3)")?
            .execute(params![number, title, text])?;
        connection.prepare_cached("UPDATE entry SET searchable = 1 WHERE number = ?1")?.execute([number])?;
    }
    Ok(waiting.len())
}

/// The words of an entry's title and text, as they stand in the index.
fn words_of(entry: &Entry) -> (String, String) {
    let Plain { title, summary, content } = Plain::of(entry);
    let own = |text: &Passage| text.part(0..without_boilerplate(text.as_str(), title.as_str()).len());
    let mut fields = Fields::new(title.clone(), own(&summary), own(&content), &[], "");
    fields.declared.clone_from(&entry.language);
    let folding = fields.folding();
    let text: Vec<&Passage> = [Field::Lead, Field::Body].into_iter().flat_map(|field| fields.texts(field)).collect();
    (index_words(folding, &fields.texts(Field::Title)), index_words(folding, &text))
}
