//! Moving a store to the backend that is tested, and back.

use super::*;
use crate::outbox::{PostState, PostTopic};
use crate::state::{About, PollFailure, Validators};
use crate::store::moving::{self, Cell, MovingError, ROWS_MAX, TABLES, TableForm, Tables};
use crate::websub::{HubMode, WebSubChange};

/// A store in which each table has rows.
fn rich() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let topic = PostTopic { post: "p".into(), topic: "numerique".into(), too_old: TimeDelta::days(2) };
    apply(&mut store, &[Change::Enroll(vec![topic])]);
    let [a, b, c] = insert_all(&mut store, ["a", "b", "c"]);
    let d = tell(&mut store, "x", &labelled("d", "rules 2", &["numerique"]), a);
    let validators = vec![Validators { url: "https://a.example/".into(), etag: Some(vec![0xE9]), last_modified: None }];
    let last_error = Some(PollFailure { code: "dns".into(), message: "no\u{0}such host".into(), since: noon() });
    let about = About { title: Some("Éducation".into()), ..About::default() };
    let state = SourceState {
        source_id: "education".into(),
        validators,
        last_error,
        about: Box::new(about),
        ..SourceState::default()
    };
    let edited = Prepared { telling_words: Some(TellingWords::default()), ..of_october("c") };
    let revision = Some((noon(), 9));
    let (prepared, date) = (Arc::new(edited), OCTOBER.start());
    apply(
        &mut store,
        &[
            Change::Source(Box::new(SourceState { retired: true, body_hash: Some([7; 32]), ..state })),
            Change::Throttle { throttle: Throttle { host: "a.example".into(), until: hour(9) }, now: noon() },
            Change::Turn(Turn { of: Monitored::Source("x".into()), date: noon(), health: Health::Gone, detail: None }),
            Change::Announced(Announcement { hub: "https://hub.example/".into(), ..Announcement::default() }),
            Change::Update { number: c, prepared, date, published: None, changed: Some(noon()), revision },
            Change::Bind(Bond::new(a, d, true)),
            Change::Relate { topic: "numerique".into(), story: a, others: vec![b] },
            Change::Unrelated(vec![c]),
            Change::News { numbers: vec![a, b], now: noon() },
            Change::Post(PostState { post: "p".into(), last_error: Some("refused".into()), ..PostState::default() }),
            Change::WebSub(WebSubChange::Subscription(Box::new(super::websub::subscription("education")))),
            Change::WebSub(WebSubChange::Intent {
                callback: "https://reader.example/".parse().unwrap(),
                topic: "https://veille.example/a.atom".into(),
                intent: super::websub::intent(HubMode::Subscribe, "secret"),
            }),
            Change::Leave { numbers: vec![b], now: noon() },
            Change::Withdraw { numbers: vec![b], now: noon() },
            Change::Move { number: d, story: d, joined: Some(noon()) },
        ],
    );
    apply(&mut store, &[Change::BeginRules("rules 3".into()), label(a, "a", &["laicite"]), Change::Labelled(a)]);
    // Number and rules that are gone are never given again.
    let last = insert(&mut store, "old", &published("z", Some(hour(-9000))));
    apply(&mut store, &[Change::Leave { numbers: vec![last], now: hour(-9000) }]);
    (folder, store)
}

fn all_rows(store: &mut dyn Tables, table: &TableForm) -> Vec<Vec<Cell>> {
    let (mut all, mut last): (Vec<Vec<Cell>>, Option<Vec<Cell>>) = (Vec::new(), None);
    loop {
        let rows = store.rows(table, last.as_deref()).unwrap();
        let Some(row) = rows.last() else { return all };
        last = Some(row[..table.key].to_vec());
        all.extend(rows);
    }
}

/// Runs one claim against an empty store of the backend that is tested.
fn check_tables(claim: impl Fn(&mut dyn Tables)) {
    check_kept(|kept| match &kept.place {
        StorePlace::File(path) => claim(&mut Sqlite::open(path).unwrap()),
        StorePlace::Server(address) => claim(&mut Postgres::open_to_move(address, sqlite::BUSY_TIMEOUT).unwrap()),
    });
}

/// Rows as the other backend has them: a server takes no character 0.
fn without_zeros(rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
    let plain = |cell| if let Cell::Text(text) = cell { Cell::Text(text.replace('\0', "")) } else { cell };
    rows.into_iter().map(|row| row.into_iter().map(plain).collect()).collect()
}

#[test]
fn each_table_comes_back_as_it_was_from_the_other_side() {
    check_tables(|other| {
        let (_folder, mut store) = rich();
        let folder = tempfile::tempdir().unwrap();
        let mut back = Sqlite::open(&folder.path().join("back.db")).unwrap();
        let counted = moving::copy(&mut store, other, |_| {}).unwrap();
        moving::copy(other, &mut back, |_| {}).unwrap();
        for (table, (name, rows)) in TABLES.iter().zip(counted) {
            let expected = without_zeros(all_rows(&mut store, table));
            assert!(!expected.is_empty(), "{name}: the test shows nothing of it");
            assert_eq!(expected.len() as u64, rows, "{name}");
            assert_eq!(without_zeros(all_rows(other, table)), expected, "{name}, over there");
            assert_eq!(without_zeros(all_rows(&mut back, table)), expected, "{name}, back");
        }
        assert_eq!(store.facts().unwrap(), other.facts().unwrap());
        assert_eq!(store.facts().unwrap(), back.facts().unwrap());
        assert_eq!((other.mark().unwrap(), back.mark().unwrap()), (None, None));
    });
}

#[test]
fn every_column_of_every_table_is_moved() {
    let (_folder, mut store) = rich();
    let path = Tables::name(&store);
    let columns = |table: &str| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let sql = format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'searchable' ORDER BY name");
        let mut statement = connection.prepare(&sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<Vec<String>, _>>().unwrap()
    };
    for table in &TABLES {
        let mut moved: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        moved.retain(|name| table.name != "revision" || *name != "number");
        moved.sort_unstable();
        assert_eq!(columns(table.name), moved, "{}", table.name);
    }
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
               AND name NOT LIKE 'sqlite_%' AND name <> 'meta'";
    let tables = connection
        .prepare(sql)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<BTreeSet<String>, _>>()
        .unwrap();
    assert_eq!(tables, TABLES.iter().map(|table| table.name.to_owned()).collect());
    assert!(store.count(&TABLES[0]).unwrap() > 0);
}

#[test]
fn a_store_that_was_moved_goes_on_as_the_one_before() {
    check_kept(|kept| {
        let (_folder, mut store) = rich();
        match &kept.place {
            StorePlace::File(path) => moving::copy(&mut store, &mut Sqlite::open(path).unwrap(), |_| {}),
            StorePlace::Server(address) => {
                moving::copy(&mut store, &mut Postgres::open_existing(address, sqlite::BUSY_TIMEOUT).unwrap(), |_| {})
            }
        }
        .unwrap();
        kept.reopen();
        let topics = ["numerique".to_owned(), "laicite".to_owned()];
        let here = store.outline(&topics, 9).unwrap();
        let there = kept.store.outline(&topics, 9).unwrap();
        assert_eq!((there.topics, there.generation, there.turns), (here.topics, here.generation, here.turns));
        for part in [Part::Newest(9), Part::Month(OCTOBER), Part::Month(NOVEMBER)] {
            assert_eq!(shown_of(&mut *kept.store, "numerique", part), shown_of(&mut store, "numerique", part));
        }
        let search = |store: &mut dyn Store| {
            let filter = Filter { search: Some("texte".into()), limit: 99, ..Filter::default() };
            numbers(&store.entries(&filter).unwrap())
        };
        assert_eq!(search(&mut *kept.store), search(&mut store));
        let next = |store: &mut dyn Store| {
            let number = insert(store, "y", &prepared("n"));
            apply(store, &[update(number, &prepared("o")), Change::BeginRules("rules 4".into())]);
            let turn = Turn { of: Monitored::Config, date: noon(), health: Health::Invalid, detail: None };
            apply(store, &[Change::Turn(turn)]);
            (number, store.health(None).unwrap())
        };
        assert_eq!(next(&mut *kept.store), next(&mut store));
    });
}

/// A store that fails after some batches were put into it.
struct Failing<'a> {
    tables: &'a mut dyn Tables,
    batches: usize,
}

impl Tables for Failing<'_> {
    fn name(&self) -> String {
        self.tables.name()
    }

    fn count(&mut self, table: &TableForm) -> Result<u64, StoreError> {
        self.tables.count(table)
    }

    fn rows(&mut self, table: &TableForm, after: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, StoreError> {
        self.tables.rows(table, after)
    }

    fn last(&mut self, table: &TableForm) -> Result<Option<Vec<Cell>>, StoreError> {
        self.tables.last(table)
    }

    fn put(&mut self, table: &TableForm, rows: Vec<Vec<Cell>>) -> Result<(), StoreError> {
        self.batches = self.batches.checked_sub(1).ok_or(StoreError::Closed)?;
        self.tables.put(table, rows)
    }

    fn facts(&mut self) -> Result<BTreeMap<String, i64>, StoreError> {
        self.tables.facts()
    }

    fn mark(&mut self) -> Result<Option<i64>, StoreError> {
        self.tables.mark()
    }

    fn begin(&mut self, mark: i64) -> Result<(), StoreError> {
        self.tables.begin(mark)
    }

    fn finish(&mut self, facts: &BTreeMap<String, i64>) -> Result<(), StoreError> {
        self.tables.finish(facts)
    }
}

#[test]
fn a_move_that_was_broken_off_anywhere_goes_on_where_it_stood() {
    for batches in 0..TABLES.len() + 2 {
        check_tables(|other| {
            let (_folder, mut store) = rich();
            let many = 1..=i64::try_from(ROWS_MAX).unwrap() + 10;
            let changes: Vec<Change> = many.map(|number| Change::Unrelated(vec![number])).collect();
            apply(&mut store, &changes);
            let broken = moving::copy(&mut store, &mut Failing { tables: &mut *other, batches }, |_| {});
            let is_broken = broken.is_err();
            let mut resumed = false;
            let again = moving::copy(&mut store, &mut *other, |moved| resumed = moved.is_resumed);
            if is_broken {
                again.unwrap();
                assert!(resumed, "after {batches} batches");
            }
            for table in &TABLES {
                assert_eq!(
                    without_zeros(all_rows(&mut *other, table)),
                    without_zeros(all_rows(&mut store, table)),
                    "{} after {batches} batches",
                    table.name
                );
            }
        });
    }
}

#[test]
fn a_move_of_a_store_that_has_changed_since_begins_anew() {
    check_tables(|other| {
        let (_folder, mut store) = rich();
        moving::copy(&mut store, &mut Failing { tables: &mut *other, batches: 5 }, |_| {}).unwrap_err();
        insert(&mut store, "y", &prepared("n"));
        let mut resumed = true;
        moving::copy(&mut store, &mut *other, |moved| resumed = moved.is_resumed).unwrap();
        assert!(!resumed);
        let entries = TABLES.iter().find(|table| table.name == "entry").unwrap();
        assert_eq!(other.count(entries).unwrap(), store.count(entries).unwrap());
    });
}

#[test]
fn a_store_that_holds_something_is_no_target() {
    check_tables(|other| {
        let (_folder, mut store) = rich();
        moving::copy(&mut store, &mut *other, |_| {}).unwrap();
        let error = moving::copy(&mut store, &mut *other, |_| {}).unwrap_err();
        assert!(matches!(error, MovingError::NotEmpty { .. }), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("nothing was changed")));
    });
}
