//! The contract of [`Store`], run against every backend, and the promises that only a file can show.

mod applying;
mod derived;
mod entries;
mod file;
mod handle;
mod labels;
mod migrations;
mod moving;
mod outbox;
mod related;
mod searching;
mod server;
mod sources;
mod stories;
mod surroundings;
mod tls;
mod withdrawals;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{TimeDelta, TimeZone, Utc};

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::*;
use crate::feed::{Entry, Image};
use crate::state::{Health, SourceState};
use crate::story::{
    self, Bond, Clues, EntryKey, Identity, Known, Listed, ListedSpan, Peer, Period, Prepared, Spot, Story, TellingWord,
    TellingWords, TombstoneReason, date, day_of,
};
use crate::topic::Reason;

/// The stories that a topic shows of a part.
fn shown_of(store: &mut dyn Store, topic: &str, part: Part) -> Vec<Story> {
    let numbers: Vec<i64> = store.stories(topic, part).unwrap().into_iter().map(|(_, number)| number).collect();
    store.told(topic, &numbers).unwrap().into_iter().filter_map(story::shown).collect()
}

/// The months of a topic, each with its stamp.
fn months(store: &mut dyn Store, topic: &str) -> Vec<(Month, i64)> {
    store.outline(&[topic.to_owned()], 0).unwrap().topics.remove(0).months
}

/// The rules that entries are labelled by, if no others are said.
const RULES: &str = "rules 1";

fn noon() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

fn hour(hours: i64) -> Timestamp {
    noon() + TimeDelta::hours(hours)
}

fn labels(topics: &[&str]) -> Vec<Label> {
    let reasons = vec![Reason { rule: "any".into(), field: None, terms: vec!["école".into()], points: 6.0 }];
    let label = |topic: &&str| Label { topic: (*topic).to_owned(), score: 6.0, reasons: reasons.clone() };
    topics.iter().map(label).collect()
}

fn fingerprint(name: &str) -> Fingerprint {
    Fingerprint([*name.as_bytes().first().unwrap(); 16])
}

fn prepared(name: &str) -> Prepared {
    let byte = *name.as_bytes().first().unwrap();
    Prepared {
        entry: Entry {
            id: Some(format!("urn:{name}")),
            title: Some(name.to_owned()),
            summary: Some(format!("<p>Le texte de {name}</p>")),
            published: Some(hour(-1)),
            ..Entry::default()
        },
        identity: Identity {
            key: EntryKey([byte; 16]),
            guid_key: Some(EntryKey([byte.wrapping_add(128); 16])),
            owns_guid: true,
            fingerprint: fingerprint(name),
            canonical_link: None,
            atom_id: format!("urn:{name}"),
            clues: Clues { recent: vec![i64::from(byte)], lasting: vec![i64::from(byte)] },
        },
        labels: labels(&["numerique"]),
        rules: RULES.into(),
        telling_words: None,
        sketch: name.into(),
    }
}

/// An entry whose date is when it was first seen.
fn undated(name: &str) -> Prepared {
    published(name, None)
}

fn published(name: &str, published: Option<Timestamp>) -> Prepared {
    let prepared = prepared(name);
    Prepared { entry: Entry { published, ..prepared.entry }, ..prepared }
}

fn labelled(name: &str, rules: &str, topics: &[&str]) -> Prepared {
    Prepared { rules: rules.into(), labels: labels(topics), ..prepared(name) }
}

/// An entry with a key of its own among many.
fn numbered(number: i64, prepared: Prepared) -> Prepared {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number.to_le_bytes());
    let identity =
        Identity { key: EntryKey(key), guid_key: None, atom_id: format!("urn:{number}"), ..prepared.identity };
    Prepared { identity, ..prepared }
}

fn insertion(number: i64, source_id: &str, story: i64, prepared: &Prepared, first_seen: Timestamp) -> Change {
    Change::Insert {
        number,
        source_id: source_id.into(),
        story,
        first_seen,
        date: date(&prepared.entry, first_seen),
        atom_id: prepared.identity.atom_id.clone(),
        prepared: Arc::new(prepared.clone()),
    }
}

/// The entry says this now; its date is that of its publication.
fn update(number: i64, prepared: &Prepared) -> Change {
    Change::Update {
        number,
        prepared: Arc::new(prepared.clone()),
        date: date(&prepared.entry, noon()),
        published: prepared.entry.published,
        changed: None,
        revision: None,
    }
}

fn label(number: i64, name: &str, topics: &[&str]) -> Change {
    Change::Label { number, seen: fingerprint(name), labels: labels(topics) }
}

/// Runs one claim against a new store of the backend that is tested: a file of `SQLite`, or a schema of PostgreSQL if
/// `$VEILLE_TEST_STORE` is `postgres` (see `tests/postgres.sh`).
fn check(claim: impl Fn(&mut dyn Store)) {
    check_kept(|kept| claim(&mut *kept.store));
}

/// Runs one claim against a new store that is opened more than once, looked into, or written to by others.
fn check_kept(claim: impl Fn(&mut Kept)) {
    if std::env::var("VEILLE_TEST_STORE").is_ok_and(|backend| backend == "postgres") {
        let schema = server::Schema::new();
        return claim(&mut Kept::new(StorePlace::Server(schema.address.clone())));
    }
    let folder = tempfile::tempdir().unwrap();
    claim(&mut Kept::new(StorePlace::File(folder.path().join("veille.db"))));
}

/// A store of either backend.
struct Kept {
    store: Box<dyn Store>,
    place: StorePlace,
}

impl Kept {
    fn new(place: StorePlace) -> Self {
        Self { store: place.open_within(sqlite::BUSY_TIMEOUT).unwrap(), place }
    }

    /// The same store, opened once more.
    fn another(&self) -> Box<dyn Store> {
        self.place.open_within(sqlite::BUSY_TIMEOUT).unwrap()
    }

    fn reopen(&mut self) {
        self.store = self.another();
    }

    /// Another process does this.
    fn run(&self, sql: &str) {
        match &self.place {
            StorePlace::File(path) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            StorePlace::Server(address) => Postgres::script(address, sql).unwrap(),
        }
    }

    /// The numbers in the first column.
    fn numbers(&self, sql: &str) -> Vec<i64> {
        match &self.place {
            StorePlace::File(path) => numbers_in(path, sql),
            StorePlace::Server(address) => Postgres::numbers(address, sql).unwrap(),
        }
    }

    fn is_file(&self) -> bool {
        self.place.file().is_some()
    }
}

fn numbers_in(path: &Path, sql: &str) -> Vec<i64> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Runs one claim against a store in a file.
fn check_file(claim: impl Fn(&mut File)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.db");
    claim(&mut File { store: Sqlite::open(&path).unwrap(), path });
}

struct File {
    store: Sqlite,
    path: PathBuf,
}

impl File {
    /// Another process does this.
    fn run(&self, sql: &str) {
        rusqlite::Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }

    /// The numbers in the first column.
    fn numbers(&self, sql: &str) -> Vec<i64> {
        numbers_in(&self.path, sql)
    }

    fn reopen(&mut self) {
        self.store = Sqlite::open(&self.path).unwrap();
    }
}

fn apply(store: &mut dyn Store, changes: &[Change]) {
    assert_eq!(store.apply(changes, None).unwrap(), Applied::Kept);
}

#[expect(clippy::needless_pass_by_value, reason = "callers write it in place")]
fn look(store: &mut dyn Store, asked: Inquiry) -> Surroundings {
    store.surroundings(&asked).unwrap()
}

fn generation(store: &mut dyn Store) -> i64 {
    store.pulse().unwrap().generation
}

/// Keeps an entry that begins a story, first seen at noon, and returns its number.
fn insert(store: &mut dyn Store, source_id: &str, prepared: &Prepared) -> i64 {
    let number = look(store, Inquiry::default()).next_number;
    apply(store, &[insertion(number, source_id, number, prepared, noon())]);
    number
}

/// Keeps an entry that tells a story which is there.
fn tell(store: &mut dyn Store, source_id: &str, prepared: &Prepared, head: i64) -> i64 {
    let number = look(store, Inquiry::default()).next_number;
    apply(store, &[insertion(number, source_id, head, prepared, noon())]);
    number
}

/// Keeps entries of one source, and returns their numbers.
fn insert_all<const N: usize>(store: &mut dyn Store, names: [&str; N]) -> [i64; N] {
    names.map(|name| insert(store, "education", &prepared(name)))
}

fn held(store: &mut dyn Store, which: Which) -> Vec<Held> {
    store.entries(&Filter { which, limit: 1000, ..Filter::default() }).unwrap()
}

fn numbers(held: &[Held]) -> Vec<i64> {
    held.iter().map(|held| held.stored.number).collect()
}

/// The numbers of the stories that a topic shows, newest first.
fn shown(store: &mut dyn Store, topic: &str) -> Vec<i64> {
    shown_of(store, topic, Part::Newest(1000)).iter().map(|story| story.number).collect()
}

/// The months of a topic with their stamps.
fn stamps(store: &mut dyn Store, topic: &str) -> BTreeMap<Month, i64> {
    months(store, topic).into_iter().collect()
}

const OCTOBER: Month = Month { year: 2026, month: 10 };
const NOVEMBER: Month = Month { year: 2026, month: 11 };

fn of_october(name: &str) -> Prepared {
    published(name, Some(OCTOBER.start()))
}
