//! No statement of a poll, a publication or a relabelling reads a large table through, by the plans of the backend.

use super::*;
use crate::outbox::{PostState, PostTopic, RowResult, RowState, StoryEvent};

/// Runs a job on a store of the backend that is tested, which has one entry, and fails on each of its statements that reads a
/// large table through.
#[track_caller]
fn check_plans(job: impl Fn(&mut dyn Store)) {
    let first = insertion(1, "education", 1, &telling("a"), noon());
    if std::env::var("VEILLE_TEST_STORE").is_ok_and(|backend| backend == "postgres") {
        for is_large in [true, false] {
            let schema = server::Schema::new();
            postgres::plans::check(&schema.address, &first, is_large, &job);
        }
        return;
    }
    sqlite::plans::check(&first, job);
}

/// An entry with telling words, and clues of both kinds.
fn telling(name: &str) -> Prepared {
    let prepared = prepared(name);
    let identity = Identity { clues: clues(), ..prepared.identity };
    Prepared { identity, telling_words: Some(TellingWords::default()), ..prepared }
}

fn clues() -> Clues {
    Clues { recent: vec![1, 2, 4, 6, 8, 10], lasting: vec![3] }
}

#[test]
fn a_publication_reads_no_large_table_through() {
    check_plans(|store| {
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
    check_plans(|store| {
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
    check_plans(|store| {
        let (number, numbers) = (2, || vec![2]);
        let update = Change::Update {
            number,
            prepared: Arc::new(telling("c")),
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
            insertion(number, "education", number, &telling("b"), noon()),
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
    check_plans(|store| {
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
