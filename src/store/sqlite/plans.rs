//! No statement of a poll or a publication reads a large table through.
//!
//! Plans are asked for with the worst statistics: those of a store that was empty when it was tidied last.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::*;
use crate::feed::Entry;
use crate::outbox::{PostState, PostTopic, RowResult, RowState, StoryEvent};
use crate::state::{Health, SourceState};
use crate::store::Which;
use crate::story::{Bond, Clues, EntryKey, Fingerprint, Identity, Period, Prepared, TellingWords};
use crate::topic::Label;

/// Tables that stay small, or that a statement may read through; and indexes of only what is gone.
const READ_THROUGH: [&str; 17] = [
    "SCAN sqlite_sequence",
    "SCAN pragma_",
    // Once a relabelling.
    "SCAN unlabelled",
    "SCAN relabelled",
    "SCAN source",
    // Empty after each publication.
    "SCAN unrelated",
    "SCAN ruleset",
    "SCAN change",
    "SCAN announcement",
    "SCAN throttle",
    "SCAN post_topic",
    // A list in a parameter.
    "SCAN json_each",
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
    assert_eq!(store.apply(&[insertion(1, "a")], None).unwrap(), Applied::Kept);
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

fn prepared(name: &str) -> Arc<Prepared> {
    let byte = *name.as_bytes().first().unwrap();
    let identity = Identity {
        key: EntryKey([byte; 16]),
        guid_key: Some(EntryKey([byte; 16])),
        owns_guid: true,
        fingerprint: Fingerprint([byte; 16]),
        canonical_link: None,
        atom_id: format!("urn:{name}"),
        clues: clues(),
    };
    let labels = vec![Label { topic: "numerique".into(), score: 6.0, reasons: Vec::new() }];
    let (entry, telling_words) = (Entry::default(), Some(TellingWords::default()));
    Arc::new(Prepared { entry, identity, labels, rules: "rules".into(), telling_words, sketch: Vec::new() })
}

fn clues() -> Clues {
    Clues { recent: vec![1, 2, 4, 6, 8, 10], lasting: vec![3] }
}

fn insertion(number: i64, name: &str) -> Change {
    Change::Insert {
        number,
        source_id: "education".into(),
        story: number,
        first_seen: noon(),
        date: noon(),
        atom_id: format!("urn:{name}"),
        prepared: prepared(name),
    }
}

#[test]
fn a_publication_reads_no_large_table_through() {
    check(|store| {
        let topic = "numerique";
        let month = Month::of(noon());
        store.outline(&[topic.to_owned()], 100).unwrap();
        for part in [Part::Newest(50), Part::Month(month)] {
            let numbers: Vec<i64> = store.stories(topic, part).unwrap().into_iter().map(|(_, number)| number).collect();
            store.told(topic, &numbers).unwrap();
        }
        for month in [None, Some(month)] {
            store.tombstones(topic, month, 50).unwrap();
        }
        store.tally(&[topic.to_owned()], month.start(), month.next().start()).unwrap();
        store.outbox("a", noon(), 50).unwrap();
    });
}

#[test]
fn the_look_of_a_poll_reads_no_large_table_through() {
    check(|store| {
        let source = || "education".to_owned();
        store.sources(Some(&[source()])).unwrap();
        let first = Period::of(noon());
        let around = store
            .surroundings(&Inquiry {
                keys: [(source(), [EntryKey([7; 16])].into())].into(),
                listings: [source()].into(),
                spans: [(source(), noon())].into(),
                recent: clues().recent.into_iter().map(|clue| (first, clue)).collect(),
                lasting: clues().lasting.into_iter().collect(),
                peers: [1].into(),
                texts: [1].into(),
                atom_ids: ["urn:b".to_owned()].into(),
                windows: [("numerique".to_owned(), [(noon(), i64::MAX)].into())].into(),
                gists: [1].into(),
            })
            .unwrap();
        assert_eq!(around.peers.len(), 1);
        store.pulse().unwrap();
        store.health(Some(&Monitored::Source("education".into()))).unwrap();
        store.throttles(noon()).unwrap();
    });
}

#[test]
fn the_write_of_a_poll_reads_no_large_table_through() {
    check(|store| {
        let (number, numbers) = (2, || vec![2]);
        let update = Change::Update {
            number,
            prepared: prepared("c"),
            date: noon() - chrono::TimeDelta::days(40),
            published: None,
            changed: Some(noon()),
            revision: Some((noon(), 3)),
        };
        let turn =
            Turn { of: Monitored::Source("education".into()), date: noon(), health: Health::Silent, detail: None };
        let state = SourceState { source_id: "education".into(), ..SourceState::default() };
        let topic = PostTopic { post: "a".into(), topic: "numerique".into(), too_old: chrono::TimeDelta::days(2) };
        let result = RowResult {
            number: 1,
            event: StoryEvent::New,
            generation: 0,
            state: RowState::Sent,
            sent: Some(noon()),
            remote: None,
            failures: 0,
            next_try: None,
            why: None,
        };
        let changes = [
            insertion(number, "b"),
            update,
            Change::Move { number, story: 1, joined: Some(noon()) },
            Change::Bind(Bond::new(1, number, true)),
            Change::Relate { topic: "numerique".into(), story: 1, others: numbers() },
            Change::Unrelated(numbers()),
            Change::Related(numbers()),
            Change::TellingWords { number, telling_words: TellingWords::default() },
            Change::Redate { source_id: "education".into(), from: noon(), until: noon(), now: noon() },
            Change::Leave { numbers: numbers(), now: noon() },
            Change::Miss { numbers: numbers(), since: Some(noon()) },
            Change::Withdraw { numbers: numbers(), now: noon() },
            Change::Relist { number, changed: Some(noon()) },
            Change::Enroll(vec![topic]),
            Change::News { numbers: vec![1, number], now: noon() },
            Change::Revised { numbers: vec![1, number], now: noon() },
            Change::Outbox(result),
            Change::Post(PostState { post: "a".into(), ..PostState::default() }),
            Change::Turn(turn),
            Change::Source(Box::new(state)),
        ];
        assert_eq!(store.apply(&changes, None).unwrap(), Applied::Kept);
    });
}

#[test]
fn a_relabelling_reads_no_large_table_through() {
    check(|store| {
        let filter = Filter { which: Which::After(0), limit: 9, ..Filter::default() };
        let held = store.entries(&filter).unwrap().remove(0);
        let label = Change::Label { number: 1, seen: held.fingerprint, labels: held.labels };
        let changes = [Change::BeginRules("others".into()), label, Change::Labelled(1)];
        assert_eq!(store.apply(&changes, None).unwrap(), Applied::Kept);
        store.entries(&Filter { which: Which::Unlabelled, limit: 9, ..Filter::default() }).unwrap();
        store.unrelated("numerique", None, 9).unwrap();
        store.unrelated("numerique", Some((Timestamp::MIN_UTC, 0)), 9).unwrap();
        assert_eq!(store.apply(&[Change::FinishRules], None).unwrap(), Applied::Kept);
        store.drop_labels(9).unwrap();
    });
}
