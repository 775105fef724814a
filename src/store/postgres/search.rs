//! Listing entries, with full-text search.
//!
//! Each search completes the index first. Filled at each insert, it would cost more than the rest of a poll.
//!
//! A row of the index holds a part of an entry's words, since a `tsvector` has limits: positions up to 16,383, 255 positions
//! of one word, 1 MiB ("Limitations" of text search). Parts overlap, so that a phrase stands whole in one of them.

use std::collections::HashMap;
use std::fmt::Write as _;

use tokio_postgres::Row;

use super::entries::{self, COLUMNS, COLUMNS_COUNT};
use super::meta::UNLABELLED;
use super::rows::{self, unix};
use super::session::{Call, Parameter, call};
use super::{Postgres, StoreError};
use crate::feed::Entry;
use crate::store::indexed::{self, Ways};
use crate::store::{Filter, Held, Which};
use crate::text::WORDS_VERSION;

/// Entries indexed in one transaction, so that a poll never waits long for a search.
const INDEX_BATCH: usize = 500;

/// Most words of a part.
const PART_WORDS: usize = 16_000;

/// Most places of one word in a part.
const PART_PLACES: usize = 255;

/// Most bytes of the words of a part.
const PART_BYTES: usize = 500_000;

/// Words that a part has in common with the one before it: longer phrases are cut.
const OVERLAP: usize = 64;

/// Longest word as it is: a longer one stands in the index by a hash.
const WORD_BYTES: usize = 512;

impl Postgres {
    pub(super) fn found(&mut self, filter: &Filter) -> Result<Vec<Held>, StoreError> {
        let search = filter.search.as_deref().and_then(indexed::terms);
        if search.is_some() {
            self.forget_outdated_index()?;
            while self.fill_index()? > 0 {}
        }
        let ask = listing(filter, search.as_deref());
        let mut answers = self.session.begin_look(&[ask])?;
        let read = |row: &Row| {
            let (stored, fingerprint) = (entries::read(row)?, entries::fingerprint(row, COLUMNS_COUNT)?);
            Ok(Held { stored, fingerprint, labels: Vec::new() })
        };
        let mut held = rows::next(&mut answers, read)?;
        let numbers: Vec<i64> = held.iter().map(|held| held.stored.number).collect();
        let labels = self.session.commit(&[entries::ask_labels(&numbers)])?.next().unwrap_or_default();
        let mut labels = entries::labels_by_entry(&labels)?;
        for held in &mut held {
            held.labels = labels.remove(&held.stored.number).unwrap_or_default();
        }
        Ok(held)
    }

    /// Empties the index and marks all entries for indexing, if it is of another version.
    fn forget_outdated_index(&mut self) -> Result<(), StoreError> {
        let emptied = "SELECT NOT EXISTS (SELECT 1 FROM entry_text) AND EXISTS (SELECT 1 FROM entry)
                AND NOT EXISTS (SELECT 1 FROM unindexed),
            (SELECT value FROM meta WHERE name = 'index_version')";
        let read = |row: &Row| Ok((rows::get::<bool>(row, 0)?, rows::get::<Option<i64>>(row, 1)?));
        let facts = rows::single(self.session.look(&[call!(emptied)])?, read)?;
        if facts == Some((false, Some(i64::from(WORDS_VERSION)))) {
            return Ok(());
        }
        self.session.begin(&[
            call!("DELETE FROM entry_text"),
            call!("INSERT INTO unindexed SELECT number FROM entry ON CONFLICT DO NOTHING"),
        ])?;
        let version = "INSERT INTO meta VALUES ('index_version', $1)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.session.commit(&[call!(version, i64::from(WORDS_VERSION))])?;
        Ok(())
    }

    /// Indexes some entries that are not; returns their number. Another process that does the same waits, lest it search
    /// too early.
    fn fill_index(&mut self) -> Result<usize, StoreError> {
        let waiting = call!("SELECT entry FROM unindexed ORDER BY entry LIMIT $1 FOR UPDATE", rows::limit(INDEX_BATCH));
        let numbers = rows::next(&mut self.session.begin(&[waiting])?, |row| rows::number(row, 0))?;
        if numbers.is_empty() {
            self.session.rollback()?;
            return Ok(0);
        }
        // Read once the locks are held: a poll that edits an entry waits for them.
        let texts = "SELECT number, title, summary, content, language FROM entry WHERE number = ANY($1)";
        let read = |row: &Row| {
            let [title, summary, content, language] =
                [rows::get(row, 1)?, rows::get(row, 2)?, rows::get(row, 3)?, rows::get(row, 4)?];
            Ok((rows::number(row, 0)?, Entry { title, summary, content, language, ..Entry::default() }))
        };
        let entries = rows::next(&mut self.session.send(&[call!(texts, numbers.clone())])?, read)?;
        let (mut of, mut places, mut vectors): (Vec<i64>, Vec<i32>, Vec<String>) = Default::default();
        for (number, entry) in &entries {
            let all = indexed::words(entry);
            for (place, part) in (0..).zip(all.iter().flat_map(|words| parts(words))) {
                of.push(*number);
                places.push(place);
                vectors.push(vector(part));
            }
        }
        self.session.commit(&[
            call!("DELETE FROM entry_text WHERE entry = ANY($1)", numbers.clone()),
            call!(
                "INSERT INTO entry_text
                 SELECT entry, part, words::tsvector FROM unnest($1::bigint[], $2::integer[], $3::text[])
                    AS filled (entry, part, words)",
                of,
                places,
                vectors,
            ),
            call!("DELETE FROM unindexed WHERE entry = ANY($1)", numbers.clone()),
        ])?;
        Ok(numbers.len())
    }
}

/// The statement that lists entries.
fn listing(filter: &Filter, search: Option<&[Vec<Ways>]>) -> Call<'static> {
    let mut parameters: Vec<Parameter<'static>> = Vec::new();
    let mut conditions: Vec<String> = Vec::new();
    let mut by_number = true;
    match &filter.which {
        Which::Newest => by_number = false,
        Which::After(number) => {
            parameters.push(Box::new(*number));
            conditions.push(format!("number > ${}", parameters.len()));
        }
        Which::Unlabelled => conditions.push(format!("number IN ({UNLABELLED})")),
        Which::Number(number) => {
            parameters.push(Box::new(*number));
            conditions.push(format!("number = ${}", parameters.len()));
        }
        Which::Named { name, link } => {
            parameters.push(Box::new(name.clone()));
            parameters.push(Box::new(link.clone()));
            let (name, link) = (parameters.len() - 1, parameters.len());
            conditions
                .push(format!("(id = ${name} OR atom_id = ${name} OR url = ${name} OR canonical_link = ${link})"));
        }
    }
    if let Some(topic) = &filter.topic {
        parameters.push(Box::new(topic.clone()));
        conditions.push(format!("number IN (SELECT entry FROM label WHERE topic = ${})", parameters.len()));
    }
    if let Some(source_id) = &filter.source_id {
        parameters.push(Box::new(source_id.clone()));
        conditions.push(format!("source_id = ${}", parameters.len()));
    }
    if let Some(foldings) = search {
        conditions.push(format!("number = ANY (ARRAY({}))", matching(foldings, &mut parameters)));
    }
    if let Some(since) = filter.since {
        parameters.push(Box::new(unix(since)));
        conditions.push(format!("date >= ${}", parameters.len()));
    }
    let mut sql = format!("SELECT {COLUMNS}, entry.fingerprint FROM entry");
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    parameters.push(Box::new(rows::limit(filter.limit)));
    let order = if by_number { "number" } else { "date DESC, number DESC" };
    let _ = write!(sql, " ORDER BY {order} LIMIT ${}", parameters.len());
    Call::new(sql, parameters)
}

/// The query for the numbers of entries that hold, in the folding of their language, all terms; each in any of its parts.
fn matching(foldings: &[Vec<Ways>], parameters: &mut Vec<Parameter<'static>>) -> String {
    let mut all = |terms: &Vec<Ways>| {
        let mut holding = |ways: &Ways| {
            let phrases: Vec<String> = ways.iter().map(|words| phrase(words)).collect();
            parameters.push(Box::new(phrases.join(" | ")));
            format!("SELECT entry FROM entry_text WHERE words @@ ${}::text::tsquery", parameters.len())
        };
        let parts: Vec<String> = terms.iter().map(&mut holding).collect();
        format!("({})", parts.join(" INTERSECT "))
    };
    let foldings: Vec<String> = foldings.iter().map(&mut all).collect();
    foldings.join(" UNION ")
}

/// A row of words as a query of text search.
fn phrase(words: &[String]) -> String {
    let words: Vec<String> = words.iter().take(OVERLAP).map(|word| format!("'{}'", lexeme(word))).collect();
    format!("({})", words.join(" <-> "))
}

/// A word as it stands in the index. It has letters and digits only, so that nothing in it needs a quote.
fn lexeme(word: &str) -> std::borrow::Cow<'_, str> {
    if word.len() <= WORD_BYTES {
        return word.into();
    }
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(word.as_bytes())).into()
}

/// Cuts a row of words into parts that a `tsvector` can hold.
fn parts(words: &[String]) -> Vec<&[String]> {
    let mut parts = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        let length = fitting(rest);
        let (part, behind) = rest.split_at(length);
        parts.push(part);
        if behind.is_empty() {
            break;
        }
        // Never from the beginning of this part again.
        let next = length.saturating_sub(OVERLAP).max(1);
        rest = rest.get(next..).unwrap_or_default();
    }
    parts
}

/// The number of words that fit in one part.
fn fitting(words: &[String]) -> usize {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut bytes = 0;
    for (length, word) in words.iter().take(PART_WORDS).enumerate() {
        let count = places.entry(word).or_default();
        *count += 1;
        bytes += word.len().min(WORD_BYTES) + size_of::<u64>();
        if *count > PART_PLACES || bytes > PART_BYTES {
            return length.max(1);
        }
    }
    words.len().min(PART_WORDS)
}

/// A part in the text form of a `tsvector`, each word with its places.
fn vector(part: &[String]) -> String {
    let mut places: HashMap<std::borrow::Cow<'_, str>, Vec<usize>> = HashMap::new();
    for (place, word) in (1..).zip(part) {
        places.entry(lexeme(word)).or_default().push(place);
    }
    let mut vector = String::new();
    for (word, places) in places {
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        let _ = write!(vector, "'{word}':{} ", places.join(","));
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(words: impl Iterator<Item = &'static str>) -> Vec<String> {
        words.map(str::to_owned).collect()
    }

    #[test]
    fn a_long_text_is_cut_into_parts_that_overlap() {
        let words: Vec<String> = (0..40_000).map(|number| format!("f{number}")).collect();
        let parts = parts(&words);
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [16_000, 16_000, 8_128]);
        assert_eq!(parts[0][16_000 - OVERLAP..], parts[1][..OVERLAP]);
        assert_eq!(parts[2].last(), words.last());
    }

    #[test]
    fn a_word_that_comes_too_often_begins_a_new_part() {
        let words = row(std::iter::repeat_n("fde", 600));
        let parts = parts(&words);
        assert!(parts.iter().all(|part| part.len() <= PART_PLACES), "{:?}", parts.len());
        assert!(parts.len() >= 3);
    }

    #[test]
    fn words_that_are_too_long_for_an_index_stand_there_by_a_hash() {
        let word = "f".repeat(5000);
        assert_eq!(lexeme(&word).len(), 32);
        assert_eq!(vector(&[word.clone(), "fa".into()]).matches('\'').count(), 4);
        assert_eq!(parts(&vec![word; 300]).len(), 2);
    }
}
