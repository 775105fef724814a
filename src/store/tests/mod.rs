//! The contract of [`Store`], run against every backend, and what only the file can show.

mod entries;
mod file;
mod related;
mod sources;
mod stories;
mod withdrawals;

use chrono::{TimeDelta, TimeZone, Utc};

use super::sqlite::Sqlite;
use super::*;
use crate::feed::Entry;
use crate::state::Health;
use crate::story::{Clues, Departure, Fingerprint, Identity, Spot, Story, Term, shown};
use crate::topic::{Label, Reason};

fn noon() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

fn prepared(name: &str) -> Prepared {
    let byte = *name.as_bytes().first().unwrap();
    Prepared {
        entry: Entry {
            id: Some(format!("urn:{name}")),
            title: Some(name.to_owned()),
            summary: Some(format!("<p>Le texte de {name}</p>")),
            published: Some(noon() - TimeDelta::hours(1)),
            ..Entry::default()
        },
        identity: Identity {
            key: EntryKey([byte; 16]),
            guid_key: Some(EntryKey([byte.wrapping_add(128); 16])),
            owns_guid: true,
            fingerprint: Fingerprint([byte; 16]),
            canonical_link: None,
            atom_id: format!("urn:{name}"),
            clues: Clues { recent: vec![i64::from(byte)], lasting: vec![i64::from(byte)] },
        },
        terms: None,
        labels: vec![Label {
            topic: "numerique".into(),
            score: 6.0,
            reasons: vec![Reason { rule: "any".into(), field: None, terms: vec!["école".into()], points: 6.0 }],
        }],
    }
}

/// Runs one claim against a new store of each backend.
fn check(claim: impl Fn(&mut dyn Store)) {
    let folder = tempfile::tempdir().unwrap();
    claim(&mut Sqlite::open(&folder.path().join("veille.db")).unwrap());
}

/// An entry whose date is when it was first seen.
fn undated(name: &str) -> Prepared {
    let mut prepared = prepared(name);
    prepared.entry.published = None;
    prepared
}

/// Keeps entries as one source has them, and returns their numbers.
fn insert_all(store: &mut dyn Store, names: &[&str]) -> Vec<i64> {
    names.iter().map(|name| store.insert("education", &prepared(name), None, noon()).unwrap()).collect()
}

/// The stories that a topic shows of a part.
fn shown_of(store: &mut dyn Store, topic: &str, part: Part) -> Vec<Story> {
    let numbers = store.stories(topic, part).unwrap();
    store.told(topic, &numbers).unwrap().into_iter().filter_map(shown).collect()
}

/// The newest stories that a topic shows.
fn newest(store: &mut dyn Store, topic: &str, limit: usize) -> Vec<Story> {
    shown_of(store, topic, Part::Newest(limit))
}

/// The months of the topic of most tests, each with its stamp.
fn months(store: &mut dyn Store) -> Vec<(Month, i64)> {
    store.outline(&["numerique".to_owned()], 0).unwrap().topics.remove(0).months
}
