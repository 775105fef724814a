//! No statement of a poll or a publication reads a large table through.
//!
//! Plans are asked for with the worst statistics: those of a store that was empty when it was tidied last.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::*;
use crate::feed::Entry;
use crate::state::Health;
use crate::store::Part;
use crate::story::Identity;

/// Tables that stay small, or that a statement may read through; and indexes of only what is gone.
const READ_THROUGH: [&str; 10] = [
    "SCAN sqlite_sequence",
    "SCAN source",
    "SCAN change",
    "SCAN announcement",
    "SCAN throttle",
    "SCAN CONSTANT ROW",
    "SCAN (subquery",
    "SCAN gone",
    "USING INDEX entry_withdrawn",
    "USING INDEX entry_joined",
];

/// Steps of a plan that read a large table through, or make an index of it for one statement.
fn is_costly(step: &str) -> bool {
    let is_whole = step.starts_with("SCAN") || step.contains("BLOOM FILTER ON") || step.contains("AUTOMATIC");
    is_whole && !READ_THROUGH.iter().any(|allowed| step.contains(allowed))
}

/// Runs a job on a store and fails on each of its statements whose plan has a costly step.
#[track_caller]
fn check(job: impl FnOnce(&mut Sqlite)) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    store.connection.execute_batch("ANALYZE").unwrap();
    insert(&mut store, "a");
    drop(store);
    let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let statements: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let heard = Arc::clone(&statements);
    let hear = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, _) = event {
            heard.lock().unwrap().insert(statement.sql().into_owned());
        }
    };
    store.connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(hear)).unwrap();
    job(&mut store);
    let heard = statements.lock().unwrap().clone();
    assert!(heard.len() > 3, "nothing was heard: {heard:?}");
    for sql in heard.iter().filter(|sql| !sql.starts_with("EXPLAIN") && !sql.starts_with("PRAGMA")) {
        let mut plan = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps =
            plan.raw_query().mapped(|row| row.get::<_, String>("detail")).collect::<Result<Vec<_>, _>>().unwrap();
        let costly: Vec<_> = steps.iter().filter(|step| is_costly(step)).collect();
        assert!(costly.is_empty(), "{costly:?} in\n{sql}");
    }
}

fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn insert(store: &mut Sqlite, name: &str) -> i64 {
    let byte = *name.as_bytes().first().unwrap();
    let identity = Identity {
        key: EntryKey([byte; 16]),
        guid_key: Some(EntryKey([byte; 16])),
        owns_guid: true,
        fingerprint: Fingerprint([byte; 16]),
        canonical_link: None,
        atom_id: format!("urn:{name}"),
        clues: Clues { recent: vec![1, 2], lasting: vec![3] },
    };
    let labels = vec![Label { topic: "numerique".into(), score: 6.0, reasons: Vec::new() }];
    let prepared = Prepared { entry: Entry::default(), identity, labels, terms: None };
    store.insert("education", &prepared, None, noon()).unwrap()
}

#[test]
fn a_publication_reads_no_large_table_through() {
    check(|store| {
        let topic = "numerique";
        let month = Month::of(noon());
        store.outline(&[topic.to_owned()], 100).unwrap();
        for part in [Part::Newest(50), Part::Month(month)] {
            let numbers = store.stories(topic, part).unwrap();
            store.told(topic, &numbers).unwrap();
        }
        for month in [None, Some(month)] {
            store.tombstones(topic, month, 50).unwrap();
        }
    });
}

#[test]
fn a_poll_reads_no_large_table_through() {
    check(|store| {
        let mut state = store.source("education").unwrap();
        state.next_poll = Some(noon());
        let number = insert(store, "b");
        let clues = Clues { recent: vec![1, 2, 4, 6, 8, 10], lasting: vec![3] };
        store.known("education", &[EntryKey([7; 16])]).unwrap();
        store.candidates(&clues, noon()).unwrap();
        store.tellings(number).unwrap();
        store.bonds(number).unwrap();
        store.has_atom_id("urn:b").unwrap();
        store.listed("education").unwrap();
        store.stays("education", noon(), 9).unwrap();
        store.mark_present("education", &[number], true, noon()).unwrap();
        store.suspect(&[number], Some(noon())).unwrap();
        store.suspected("education", noon()).unwrap();
        store.withdraw(&[number], noon()).unwrap();
        store.keep_revision(number, 3, noon()).unwrap();
        store.assign(number, 1, noon()).unwrap();
        store.unrelated(number).unwrap();
        store.gist(number).unwrap();
        store.gists("numerique", (noon(), 0), (noon(), 9), 9).unwrap();
        store.relate("numerique", number, &[1]).unwrap();
        store.health(Some("education")).unwrap();
        let change = Change { source_id: "education".into(), date: noon(), health: Health::Silent, detail: None };
        store.note(&change).unwrap();
        store.save_source(&state).unwrap();
        store.raise_generation().unwrap();
    });
}
