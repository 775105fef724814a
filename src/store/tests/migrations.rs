//! Stores that older versions wrote.

use super::*;

const STEPS: [&str; 4] = [
    include_str!("../sqlite/001.sql"),
    include_str!("../sqlite/002.sql"),
    include_str!("../sqlite/003.sql"),
    include_str!("../sqlite/004.sql"),
];

/// Entries 1 and 2 tell a story of October, entry 3 one of November.
const DATA: &str = "
    INSERT INTO entry (source_id, key, fingerprint, atom_id, story, first_seen, date, id, title, summary, details, published) VALUES
        ('education', zeroblob(16), zeroblob(16), 'urn:a', 1, 1792000000, 1792000000, 'urn:a', 'Un plan', '<p>Un</p>', '{}', 1792000000),
        ('culture', zeroblob(16), zeroblob(16), 'urn:b', 1, 1795500000, 1795500000, 'b', 'Un plan de plus', NULL, '{}', 1795500000),
        ('culture', x'01010101010101010101010101010101', zeroblob(16), 'urn:c', 3, 1795500000, 1795500000, 'urn:c', 'La neige', NULL,
         '{\"rights\":\"CC BY\"}', 1795500000);
    INSERT INTO label VALUES (1, 'numerique', 1792000000, 6.0, '[]'), (2, 'laicite', 1792000000, 7.0, '[]'),
        (3, 'numerique', 1795500000, 8.0, '[]');
    UPDATE meta SET value = 'rules of old' WHERE name = 'rules';
    UPDATE meta SET value = 41 WHERE name = 'generation';
    INSERT INTO source (id, next_poll_why, failures, retired, about) VALUES ('education', 'schedule', 2, 0, '{}');
    INSERT INTO validator VALUES ('education', 'https://a.example/', x'61', NULL);";

const DATA_2: &str = "
    INSERT INTO month VALUES ('numerique', '2026-10', 7), ('numerique', '2026-11', 8), ('laicite', '2026-10', 9);
    INSERT INTO change (source_id, date, health, detail) VALUES ('education', 1795500000, 'gone', '410');
    INSERT INTO announcement VALUES ('https://hub.example/', 'numerique', 'hash', 1795500000, 0, NULL, NULL);";

const DATA_3: &str = "
    UPDATE entry SET owns_guid = id = atom_id;
    UPDATE entry SET suspected = 1795510000, left_feed = 1795510000 WHERE number = 3;
    INSERT INTO bond VALUES (1, 2, 1), (2, 3, 0);
    INSERT INTO terms VALUES (1, x'01020304');
    INSERT INTO revision VALUES (1, 1795500000, 'Un projet', NULL, NULL, NULL);
    INSERT INTO related VALUES ('numerique', 3, 0, 3), ('numerique', 3, 1, 1), ('numerique', 1, 0, 1);
    INSERT INTO throttle VALUES ('a.example', 1795510000);";

/// A store of an older format with data of that format.
fn old(format: usize, path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let clue = if format < 4 { "INSERT INTO clue VALUES (7, 1)" } else { "INSERT INTO clue VALUES (230, 7, 1)" };
    // Data of a format is written in that format, not by a later step.
    STEPS.iter().take(format).for_each(|step| connection.execute_batch(step).unwrap());
    let data = [DATA, DATA_2, DATA_3].into_iter().take(format.min(3));
    data.for_each(|data| connection.execute_batch(data).unwrap());
    connection.execute_batch(clue).unwrap();
    connection.execute_batch("PRAGMA application_id = 0x7665696c").unwrap();
    connection.pragma_update(None, "user_version", i64::try_from(format).unwrap()).unwrap();
}

/// Runs one claim against a store of each older format that is at least `first`.
fn check_since(first: usize, claim: impl Fn(&mut File)) {
    for format in first..=4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("veille.db");
        old(format, &path);
        let store = Sqlite::open(&path).unwrap_or_else(|error| panic!("format {format}: {}", error.reason()));
        claim(&mut File { store, path });
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap()
}

#[test]
fn an_older_store_is_of_our_format_once_it_was_opened() {
    check_since(1, |file| {
        assert_eq!(file.numbers("SELECT user_version FROM pragma_user_version"), [7]);
        file.reopen();
        file.store.check().unwrap();
    });
}

#[test]
fn a_migration_tells_what_it_did_and_how_long_it_took() {
    let steps = ["CREATE TABLE x", "-- Format 2: by month.\n", "-- Format 3: posts.\n"];
    let told = "the store had format 1 and has 3 now, after 2.5 s: 2: by month; 3: posts";
    assert_eq!(migrated(&steps, 1, Duration::from_millis(2_500)).as_deref(), Some(told));
    assert_eq!(migrated(&steps, 0, Duration::ZERO), None);
}

#[test]
fn each_migration_says_in_its_first_line_what_it_does() {
    for steps in [&sqlite::MIGRATIONS[1..], &postgres::schema::MIGRATIONS[1..]] {
        for (number, step) in (2..).zip(steps) {
            let first = step.lines().next().unwrap();
            assert!(first.starts_with(&format!("-- Format {number}: ")) && first.ends_with('.'), "{first}");
        }
    }
}

#[test]
fn an_older_store_is_migrated_by_whoever_opens_it_for_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.db");
    old(4, &path);
    assert_eq!(held(&mut Sqlite::open_read_only(&path).unwrap(), Which::Newest).len(), 3);
}

#[test]
fn clues_and_sketches_of_an_older_store_are_asked_for() {
    check_since(1, |file| assert_eq!(file.store.pulse().unwrap().rebuilt, Some(0)));
}

#[test]
fn an_older_store_without_entries_lacks_nothing() {
    for format in 1..=4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("veille.db");
        old(format, &path);
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch("DELETE FROM entry; DELETE FROM label WHERE entry > 0")
            .unwrap();
        assert_eq!(Sqlite::open(&path).unwrap().pulse().unwrap().rebuilt, None, "{format}");
    }
}

#[test]
fn entries_of_an_older_store_say_what_they_said() {
    check_since(1, |file| {
        let held = held(&mut file.store, Which::After(0));
        let told: Vec<_> = held
            .iter()
            .map(|Held { stored, .. }| {
                (stored.number, &*stored.source_id, stored.story, &*stored.atom_id, stored.date, stored.first_seen)
            })
            .collect();
        let (october, november) = (at(1_792_000_000), at(1_795_500_000));
        let expected = [
            (1, "education", 1, "urn:a", october, october),
            (2, "culture", 1, "urn:b", november, november),
            (3, "culture", 3, "urn:c", november, november),
        ];
        assert_eq!(told, expected);
        assert_eq!(held[0].stored.entry.summary.as_deref(), Some("<p>Un</p>"));
        assert_eq!(held[2].stored.entry.rights.as_deref(), Some("CC BY"));
        assert_eq!(held.iter().map(|held| held.stored.owns_guid).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(look(&mut file.store, Inquiry::default()).next_number, 4);
    });
}

#[test]
fn labels_of_an_older_store_are_published_as_before_and_their_rules_are_known() {
    check_since(1, |file| {
        let store = &mut file.store;
        assert_eq!((shown(store, "numerique"), shown(store, "laicite")), (vec![3, 1], vec![1]));
        let scores: Vec<f64> =
            shown_of(store, "numerique", Part::Newest(9)).iter().map(|story| story.label.score).collect();
        assert_eq!(scores, [8.0, 6.0]);
        let pulse = store.pulse().unwrap();
        assert_eq!((&*pulse.rules, pulse.relabelling, pulse.unlabelled), ("rules of old", None, 0));
    });
}

#[test]
fn labels_of_an_older_store_that_are_deleted_later_are_asked_for() {
    check_since(1, |file| {
        file.run("DELETE FROM labelled");
        file.reopen();
        assert_eq!(file.store.pulse().unwrap().rules, "");
    });
}

#[test]
fn months_of_an_older_store_hold_the_stories_of_their_heads() {
    check_since(1, |file| {
        let store = &mut file.store;
        for (topic, months) in [("numerique", vec![OCTOBER, NOVEMBER]), ("laicite", vec![OCTOBER])] {
            assert_eq!(stamps(store, topic).into_keys().collect::<Vec<_>>(), months);
        }
        assert_eq!(shown_of(store, "laicite", Part::Month(OCTOBER))[0].tellings.len(), 2);
        let before = stamps(store, "numerique");
        apply(store, &[Change::Withdraw { numbers: vec![3], now: noon() }]);
        let after = stamps(store, "numerique");
        assert!(after[&OCTOBER] == before[&OCTOBER] && after[&NOVEMBER] > before[&NOVEMBER]);
    });
}

#[test]
fn the_generation_of_an_older_store_only_grows() {
    check_since(1, |file| {
        assert!(generation(&mut file.store) >= 41);
        let before = generation(&mut file.store);
        apply(&mut file.store, &[Change::Withdraw { numbers: vec![1], now: noon() }]);
        assert!(generation(&mut file.store) > before);
    });
}

#[test]
fn sources_and_hubs_of_an_older_store_are_as_they_were() {
    check_since(1, |file| {
        let source = file.store.sources(None).unwrap().remove(0).state;
        assert_eq!((&*source.source_id, source.failures), ("education", 2));
        assert_eq!(source.validators[0].etag.as_deref(), Some(&b"a"[..]));
    });
    check_since(2, |file| {
        assert_eq!(file.store.health(None).unwrap()[0].health, Health::Gone);
        assert_eq!(file.store.announcements().unwrap()[0].told, "hash");
    });
    check_since(3, |file| {
        assert_eq!(file.store.throttles(noon()).unwrap().len(), 0);
        assert_eq!(file.store.throttles(at(1_795_500_000)).unwrap()[0].host, "a.example");
        let asked = Inquiry { listings: ["culture".to_owned()].into(), ..Inquiry::default() };
        let listed = look(&mut file.store, asked).listings.remove("culture").unwrap();
        let missed: Vec<_> = listed.iter().map(|listed| (listed.number, listed.missed_since)).collect();
        assert_eq!(missed, [(2, None), (3, Some(at(1_795_510_000)))]);
    });
}

#[test]
fn bonds_revisions_and_related_news_of_an_older_store_are_kept() {
    check_since(3, |file| {
        let store = &mut file.store;
        let around = look(store, Inquiry { peers: [2].into(), gists: [1].into(), ..Inquiry::default() });
        assert_eq!(around.bonds, [Bond::new(1, 2, true), Bond::new(2, 3, false)].into());
        assert_eq!(around.related, [("numerique".to_owned(), 1)].into());
        assert_eq!(around.gists[&1].telling_words, Some(TellingWords::from_bytes(&[1, 2, 3, 4])));
        let related: Vec<_> =
            shown_of(store, "numerique", Part::Newest(1))[0].related.iter().map(|other| other.number).collect();
        assert_eq!(related, [1]);
        assert_eq!(store.revisions(1).unwrap()[0].title.as_deref(), Some("Un projet"));
    });
}

#[test]
fn related_news_of_a_store_that_chose_none_is_not_chosen_for_what_was_published() {
    for format in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("veille.db");
        old(format, &path);
        let mut store = Sqlite::open(&path).unwrap();
        assert_eq!(store.unrelated("numerique", None, 9).unwrap(), [], "{format}");
    }
}

#[test]
fn clues_made_again_replace_those_that_an_older_store_had() {
    check_since(1, |file| {
        let store = &mut file.store;
        let clues = Clues { recent: vec![7], lasting: vec![9] };
        let sketch = |number| Change::Sketch { number, clues: clues.clone(), sketch: Vec::new() };
        apply(store, &[sketch(1), sketch(2), sketch(3), Change::Rebuilt(None)]);
        assert_eq!(store.pulse().unwrap().rebuilt, None);
        let asked = Inquiry { lasting: [9].into(), ..Inquiry::default() };
        assert_eq!(look(store, asked).lasting[&9], [3, 2, 1]);
        file.reopen();
        assert_eq!(file.store.pulse().unwrap().rebuilt, None);
    });
}
