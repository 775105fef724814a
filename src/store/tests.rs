//! The contract of [`Store`], run against every backend, and what only the file can show.

use chrono::{TimeDelta, TimeZone, Utc};

use super::sqlite::Sqlite;
use super::*;
use crate::feed::Entry;
use crate::state::Health;
use crate::story::{Clues, Departure, Fingerprint, Identity, Spot, Term};
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

#[test]
fn a_source_never_polled_has_an_empty_state() {
    check(|store| {
        let state = store.source("education").unwrap();
        assert_eq!(state, SourceState { source_id: "education".into(), ..SourceState::default() });
    });
}

#[test]
fn a_state_comes_back_as_it_was_kept() {
    check(|store| {
        let state = SourceState {
            source_id: "education".into(),
            validators: vec![crate::state::Validators {
                url: "https://a.example/feed".into(),
                etag: Some(b"\"\xe9\"".to_vec()),
                last_modified: None,
            }],
            body_hash: Some([7; 32]),
            last_poll: Some(noon()),
            next_poll: Some(noon() + TimeDelta::hours(1)),
            next_poll_why: "schedule".into(),
            failures: 3,
            retired: true,
            url: Some("https://a.example/feed".parse().unwrap()),
            ..SourceState::default()
        };
        store.save_source(&state).unwrap();
        assert_eq!(store.sources().unwrap(), [state]);
    });
}

#[test]
fn an_entry_is_known_by_its_key_and_by_its_guid() {
    check(|store| {
        let entry = prepared("a");
        let number = store.insert("education", &entry, None, noon()).unwrap();
        for key in [entry.identity.key, entry.identity.guid_key.unwrap()] {
            assert_eq!(store.known("education", &[key]).unwrap().first().unwrap().number, number);
        }
        assert!(store.known("culture", &[entry.identity.key]).unwrap().is_empty());
    });
}

#[test]
fn an_entry_comes_back_as_it_was_kept() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        assert_eq!(store.entry(number).unwrap().unwrap().entry, prepared("a").entry);
    });
}

#[test]
fn days_with_entries_are_counted_by_source() {
    check(|store| {
        for (name, source, hours) in
            [("a", "education", 0), ("b", "education", 1), ("c", "education", 48), ("d", "x", 0)]
        {
            store.insert(source, &undated(name), None, noon() + TimeDelta::hours(hours)).unwrap();
        }
        let days = store.entry_days(noon()).unwrap();
        let found: Vec<_> =
            days.iter().map(|day| (&*day.source_id, (day.last - noon()).num_hours(), day.entries)).collect();
        assert_eq!(found, [("education", 1, 2), ("education", 48, 1), ("x", 0, 1)]);
        assert_eq!(store.entry_days(noon() + TimeDelta::hours(2)).unwrap().len(), 1);
    });
}

#[test]
fn candidates_share_a_recent_clue_or_a_lasting_one() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        store.insert("education", &prepared("b"), None, noon()).unwrap();
        let Clues { recent, lasting } = prepared("a").identity.clues;
        let recent = Clues { recent, lasting: Vec::new() };
        let lasting = Clues { recent: Vec::new(), lasting };
        let mut found = |clues: &Clues, since| {
            let found = store.candidates(clues, since).unwrap();
            found.iter().map(|entry| entry.number).collect::<Vec<_>>()
        };
        let [before, later] = [TimeDelta::days(200), -TimeDelta::seconds(1)].map(|before| noon() - before);
        assert_eq!(
            (found(&recent, before), found(&recent, noon()), found(&recent, later)),
            (vec![number], vec![number], vec![])
        );
        assert_eq!(found(&lasting, later), [number]);
    });
}

#[test]
fn a_phrase_that_many_entries_have_is_no_clue() {
    check(|store| {
        for number in 0..=u8::try_from(COMMON_CLUE).unwrap() {
            let mut one = prepared("a");
            one.identity.key = EntryKey([number; 16]);
            one.identity.clues.recent = vec![2, 3];
            store.insert("education", &one, None, noon()).unwrap();
        }
        let mut found =
            |clue: i64| store.candidates(&Clues { recent: vec![clue], lasting: Vec::new() }, noon()).unwrap().len();
        assert_eq!((found(2), found(3)), (0, COMMON_CLUE + 1));
    });
}

#[test]
fn a_corrected_head_shows_its_own_text_until_the_others_follow() {
    check(|store| {
        let long = |words: &str| {
            let mut telling = prepared("b");
            telling.entry.content = Some(words.to_owned());
            telling
        };
        let head = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let telling =
            store.insert("culture", &long("Un texte bien plus long, de douze millions"), Some(head), noon()).unwrap();
        let shown = |store: &mut dyn Store| {
            let story = store.stories("numerique", 9).unwrap().remove(0);
            (story.text.is_some(), story.head.changed)
        };
        assert_eq!(shown(store), (true, None));
        let after = |hours| Some(noon() + TimeDelta::hours(hours));
        store.update(head, &prepared("a"), after(1)).unwrap();
        assert_eq!(shown(store), (false, after(1)));
        store.update(telling, &long("Un texte bien plus long, de neuf millions"), after(2)).unwrap();
        assert_eq!(shown(store), (true, after(2)), "what is shown has changed");
    });
}

#[test]
fn what_comes_back_is_later_than_its_tombstone() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        store.mark_present("education", &[], true, noon()).unwrap();
        store.withdraw(&[number], noon() + TimeDelta::hours(1)).unwrap();
        let back = noon() + TimeDelta::hours(2);
        store.mark_present("education", &[number], true, back).unwrap();
        assert_eq!(store.stories("numerique", 9).unwrap()[0].head.changed, Some(back));
    });
}

#[test]
fn candidates_bring_the_head_of_their_story_with_them() {
    check(|store| {
        let head = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let telling = store.insert("culture", &prepared("b"), Some(head), noon()).unwrap();
        let found = store.candidates(&prepared("b").identity.clues, noon()).unwrap();
        assert_eq!(found.iter().map(|entry| entry.number).collect::<Vec<_>>(), [head, telling]);
    });
}

#[test]
fn a_failed_job_leaves_nothing_and_an_inner_one_only_takes_back_itself() {
    check(|store| {
        store
            .atomically(&mut |store| {
                store.insert("education", &prepared("a"), None, noon())?;
                let inner = store.atomically(&mut |store| {
                    store.insert("education", &prepared("b"), None, noon())?;
                    Err(StoreError::Closed)
                });
                assert!(matches!(inner, Err(StoreError::Closed)));
                Ok(())
            })
            .unwrap();
        let outer = store.atomically(&mut |store| {
            store.insert("education", &prepared("c"), None, noon())?;
            Err(StoreError::Closed)
        });
        assert!(matches!(outer, Err(StoreError::Closed)));
        let titles: Vec<_> =
            store.entries_after(0, 10).unwrap().into_iter().filter_map(|stored| stored.entry.title).collect();
        assert_eq!(titles, ["a"]);
    });
}

#[test]
fn a_topic_shows_each_story_once_with_all_its_tellings() {
    check(|store| {
        let head = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let mut second = prepared("b");
        second.entry.content = Some("<p>Un texte bien plus long que celui de la tête, pour les lecteurs.</p>".into());
        store.insert("culture", &second, Some(head), noon()).unwrap();
        let stories = store.stories("numerique", 10).unwrap();
        let [story] = stories.as_slice() else { panic!("one story, not {}", stories.len()) };
        assert_eq!(story.head.atom_id, "urn:a");
        assert_eq!(
            story.tellings.iter().map(|telling| &*telling.source_id).collect::<Vec<_>>(),
            ["education", "culture"]
        );
        assert_eq!(story.text.clone().unwrap().1, second.entry.content);
    });
}

#[test]
fn relabelling_moves_entries_between_topics() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let label = Label { topic: "laicite".into(), score: 7.0, reasons: Vec::new() };
        store.relabel(&[(number, vec![label])], "rules 2").unwrap();
        assert_eq!(store.rules().unwrap(), "rules 2");
        assert!(store.stories("numerique", 10).unwrap().is_empty());
        assert_eq!(store.stories("laicite", 10).unwrap().len(), 1);
    });
}

#[test]
fn an_entry_is_found_by_what_people_call_it() {
    check(|store| {
        let mut prepared = prepared("a");
        prepared.entry.id = Some("news-12".into());
        prepared.entry.url = url::Url::parse("https://www.example.org/12?utm_source=x").ok();
        prepared.identity.canonical_link = Some("example.org/12".into());
        let number = store.insert("education", &prepared, None, noon()).unwrap();
        let url = prepared.entry.url.as_ref().unwrap().as_str();
        for (name, link) in
            [("news-12", None), (&*prepared.identity.atom_id, None), (url, None), ("", Some("example.org/12"))]
        {
            let found = store.find(name, link).unwrap();
            assert_eq!(found.iter().map(|stored| stored.number).collect::<Vec<_>>(), [number], "{name}");
        }
        assert!(store.find("news-13", None).unwrap().is_empty());
    });
}

#[test]
fn an_entry_shows_its_labels() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let label = Label { topic: "laicite".into(), score: 7.0, reasons: Vec::new() };
        store.relabel(&[(number, vec![label.clone()])], "rules").unwrap();
        assert_eq!(store.labels(number).unwrap(), [label]);
    });
}

#[test]
fn search_finds_words_without_accents_also_after_an_edit() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let search = |store: &mut dyn Store, words: &str| {
            store.entries(&Filter { search: Some(words.into()), limit: 10, ..Filter::default() }).unwrap().len()
        };
        assert_eq!(search(store, "TEXTE"), 1);
        let mut edited = prepared("a");
        edited.entry.summary = Some("<b>Élèves</b> et « professeurs »".into());
        store.update(number, &edited, None).unwrap();
        assert_eq!(search(store, "eleves professeurs"), 1);
        assert_eq!(search(store, "texte"), 0);
        assert_eq!(search(store, "\" ( * -"), 1, "no word: no condition");
    });
}

#[test]
fn only_old_stories_that_left_their_feed_are_dropped() {
    check(|store| {
        let gone = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let kept = store.insert("education", &prepared("b"), None, noon()).unwrap();
        store.mark_present("education", &[kept], true, noon()).unwrap();
        assert_eq!(store.drop_before(noon() - TimeDelta::days(1), &["education".to_owned()]).unwrap(), 0);
        assert_eq!(store.drop_before(noon() + TimeDelta::days(1), &["education".to_owned()]).unwrap(), 1);
        assert!(store.entry(gone).unwrap().is_none());
        assert!(store.entry(kept).unwrap().is_some());
        assert_eq!(store.drop_before(noon() + TimeDelta::days(1), &[]).unwrap(), 1, "its feed is no more");
    });
}

#[test]
fn numbers_are_never_given_twice() {
    check(|store| {
        let first = store.insert("education", &prepared("a"), None, noon()).unwrap();
        store.mark_present("education", &[], true, noon()).unwrap();
        store.drop_before(noon() + TimeDelta::days(1), &["education".to_owned()]).unwrap();
        assert!(store.insert("education", &prepared("a"), None, noon()).unwrap() > first);
    });
}

#[test]
fn a_backup_is_a_store_and_overwrites_nothing() {
    check(|store| {
        store.insert("education", &prepared("a"), None, noon()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        store.backup(&copy).unwrap();
        assert_eq!(Sqlite::open(&copy).unwrap().entries_after(0, 10).unwrap().len(), 1);
        assert!(matches!(store.backup(&copy), Err(StoreError::Open { .. })));
    });
}

#[test]
fn a_host_that_asked_to_be_left_alone_is_kept_until_then() {
    check(|store| {
        let until = |hours| noon() + TimeDelta::hours(hours);
        let throttle = |host: &str, hours| Throttle { host: host.into(), until: until(hours) };
        for throttle in [throttle("b", 2), throttle("a", 3), throttle("b", 1)] {
            store.save_throttle(&throttle, noon()).unwrap();
        }
        assert_eq!(store.throttles(noon()).unwrap(), [throttle("a", 3), throttle("b", 2)]);
        assert_eq!(store.throttles(until(2)).unwrap(), [throttle("a", 3)]);
        store.save_throttle(&throttle("c", 9), until(8)).unwrap();
        assert_eq!(store.throttles(noon()).unwrap(), [throttle("c", 9)], "what is over is dropped");
    });
}

#[test]
fn a_store_of_the_first_format_is_migrated_and_what_is_derived_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("sqlite/001.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO entry (source_id, key, fingerprint, atom_id, story, first_seen, date, title, details)
            VALUES ('education', zeroblob(16), zeroblob(16), 'urn:a', 1, 1790000000, 1790000000, 'Un plan', '{}');
         INSERT INTO label VALUES (1, 'numerique', 1790000000, 6.0, '[]');
         INSERT INTO clue VALUES (7, 1);
         PRAGMA application_id = 0x7665696c; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let mut store = Sqlite::open(&path).unwrap();
    assert!(!store.is_whole().unwrap());
    assert_eq!(store.entry(1).unwrap().unwrap().entry.title.as_deref(), Some("Un plan"));
    assert_eq!(store.stories("numerique", 9).unwrap().len(), 1);
    let clues = Clues { recent: vec![7], lasting: Vec::new() };
    store.set_clues(1, &clues).unwrap();
    store.mark_whole().unwrap();
    assert!(store.is_whole().unwrap());
    assert_eq!(store.candidates(&clues, noon() - TimeDelta::days(999)).unwrap().len(), 1);
}

#[test]
fn a_newer_store_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("veille.db");
    drop(Sqlite::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Sqlite::open(&other), Err(StoreError::Foreign { .. })));
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database at all, but long enough to be read as one ".repeat(20)).unwrap();
    assert!(matches!(Sqlite::open(&text), Err(StoreError::Foreign { .. })));
}

#[tokio::test]
async fn callers_on_the_handle_share_commits_but_not_failures() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let (handle, thread) = Handle::new(Box::new(store)).unwrap();
    let good = handle.call(|store| store.insert("education", &prepared("a"), None, noon()));
    let bad = handle.call(|store| {
        store.insert("education", &prepared("b"), None, noon())?;
        Err::<(), _>(StoreError::Closed)
    });
    let (good, bad) = tokio::join!(good, bad);
    assert!(good.is_ok() && bad.is_err());
    assert_eq!(handle.call(|store| store.entries_after(0, 10)).await.unwrap().len(), 1);
    drop(handle);
    thread.join().unwrap();
}

#[tokio::test]
async fn a_job_that_panics_takes_back_its_writes_and_leaves_the_store_alive() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let (handle, _thread) = Handle::new(Box::new(store)).unwrap();
    let doomed = handle.clone();
    let panicked = tokio::spawn(async move {
        doomed
            .call(|store| -> Result<(), StoreError> {
                store.insert("education", &prepared("a"), None, noon())?;
                panic!("a fault of ours")
            })
            .await
    });
    assert!(panicked.await.is_err());
    assert!(handle.call(|store| store.entries_after(0, 10)).await.unwrap().is_empty());
}

#[test]
fn a_month_holds_the_stories_whose_heads_are_of_it_and_its_stamp_changes_with_them() {
    check(|store| {
        let october = Month { year: 2026, month: 10 };
        let november = Month { year: 2026, month: 11 };
        let mut old = prepared("a");
        old.entry.published = Some(october.start());
        let head = store.insert("education", &old, None, noon()).unwrap();
        store.insert("education", &prepared("b"), None, noon()).unwrap();
        let stamps = |store: &mut dyn Store| store.months("numerique").unwrap();
        let before = stamps(store);
        assert_eq!(before.iter().map(|(month, _)| *month).collect::<Vec<_>>(), [october, november]);
        let titles = |store: &mut dyn Store, month| -> Vec<String> {
            store
                .stories_of("numerique", month)
                .unwrap()
                .into_iter()
                .filter_map(|story| story.head.entry.title)
                .collect()
        };
        assert_eq!((titles(store, october), titles(store, november)), (vec!["a".into()], vec!["b".into()]));
        // Told again in November, it stays a story of October.
        store.insert("culture", &prepared("c"), Some(head), noon()).unwrap();
        assert_eq!((titles(store, october), titles(store, november)), (vec!["a".into()], vec!["b".into()]));
        let after = stamps(store);
        assert_ne!(before[0].1, after[0].1, "another telling is shown");
        assert_eq!(before[1].1, after[1].1, "the other month is as it was");
    });
}

#[test]
fn stamps_stay_when_labels_do() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let before = store.months("numerique").unwrap();
        store.relabel(&[(number, prepared("a").labels)], "rules 2").unwrap();
        assert_eq!(store.months("numerique").unwrap(), before);
        store.relabel(&[(number, Vec::new())], "rules 3").unwrap();
        assert_eq!(store.months("numerique").unwrap(), []);
    });
}

#[test]
fn an_entry_that_was_only_updated_keeps_the_date_of_the_first_sight() {
    check(|store| {
        let yesterday = noon() - TimeDelta::days(1);
        let mut prepared = undated("a");
        prepared.entry.updated = Some(yesterday);
        let number = store.insert("education", &prepared, None, noon()).unwrap();
        assert_eq!(store.entry(number).unwrap().unwrap().date, yesterday);
        prepared.entry.updated = Some(noon());
        store.update(number, &prepared, Some(noon())).unwrap();
        assert_eq!(store.entry(number).unwrap().unwrap().date, yesterday);
    });
}

#[test]
fn a_corrected_date_moves_a_story_to_another_month() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let mut corrected = prepared("a");
        corrected.entry.published = Some(noon() - TimeDelta::days(60));
        store.update(number, &corrected, None).unwrap();
        let months: Vec<Month> = store.months("numerique").unwrap().into_iter().map(|(month, _)| month).collect();
        assert_eq!(months, [Month { year: 2026, month: 9 }]);
        assert_eq!(store.stories_of("numerique", months[0]).unwrap().len(), 1);
    });
}

#[test]
fn the_health_of_a_source_is_its_last_change_but_moves() {
    check(|store| {
        let change =
            |source_id: &str, health| Change { source_id: source_id.into(), date: noon(), health, detail: None };
        for health in [Health::Unreachable, Health::Gone, Health::Moved] {
            store.note(&change("education", health)).unwrap();
        }
        store.note(&change("culture", Health::Silent)).unwrap();
        assert_eq!(store.health(Some("education")).unwrap(), [change("education", Health::Gone)]);
        assert_eq!(store.health(None).unwrap(), [change("culture", Health::Silent), change("education", Health::Gone)]);
        let changes = store.changes(2).unwrap();
        assert_eq!(changes, [change("culture", Health::Silent), change("education", Health::Moved)]);
    });
}

#[test]
fn what_a_hub_was_told_is_remembered() {
    check(|store| {
        let told = Announcement {
            hub: "https://hub.example/".into(),
            topic: "numerique".into(),
            told: "hash".into(),
            told_at: Some(noon()),
            failures: 2,
            next_try: Some(noon() + TimeDelta::minutes(4)),
            last_error: Some("503".into()),
        };
        store.save_announcement(&Announcement::default()).unwrap();
        store.save_announcement(&told).unwrap();
        store.save_announcement(&told).unwrap();
        assert_eq!(store.announcements().unwrap(), [Announcement::default(), told]);
    });
}

/// A story of the topic with a page, so many hours old.
fn paged(name: &str, hours: i64) -> Prepared {
    let mut prepared = prepared(name);
    prepared.entry.url = format!("https://a.example/{name}").parse().ok();
    prepared.entry.published = Some(noon() - TimeDelta::hours(hours));
    prepared
}

fn related(store: &mut dyn Store, head: i64) -> Vec<i64> {
    let stories = store.stories("numerique", 10).unwrap();
    let shown = stories.into_iter().find(|shown| shown.number == head).unwrap();
    shown.related.into_iter().map(|related| related.number).collect()
}

#[test]
fn related_news_is_chosen_once_for_each_topic_of_a_story() {
    check(|store| {
        let [old, new] = ["a", "b"].map(|name| store.insert("education", &paged(name, 1), None, noon()).unwrap());
        let told = store.insert("culture", &paged("c", 1), Some(new), noon()).unwrap();
        assert_eq!(store.unrelated(told).unwrap(), [(new, "numerique".to_owned())]);
        store.relate("numerique", new, &[]).unwrap();
        assert_eq!(store.unrelated(told).unwrap(), []);
        store.relate("numerique", new, &[old]).unwrap();
        assert_eq!(related(store, new), [] as [i64; 0], "that none was found is a choice too");
    });
}

#[test]
fn related_news_is_shown_in_order_while_it_is_another_story_of_the_topic() {
    check(|store| {
        let [one, other, new] =
            ["a", "b", "c"].map(|name| store.insert("education", &paged(name, 1), None, noon()).unwrap());
        store.relate("numerique", new, &[other, one]).unwrap();
        assert_eq!(related(store, new), [other, one]);
        store.relabel(&[(other, Vec::new())], "rules").unwrap();
        assert_eq!(related(store, new), [one]);
        store.relabel(&[(other, paged("b", 1).labels), (one, Vec::new())], "rules").unwrap();
        assert_eq!(related(store, new), [other]);
    });
}

#[test]
fn related_news_vanishes_with_what_is_dropped() {
    check(|store| {
        let old = store.insert("education", &paged("a", 48), None, noon() - TimeDelta::days(2)).unwrap();
        let new = store.insert("education", &paged("b", 1), None, noon()).unwrap();
        store.relate("numerique", new, &[old]).unwrap();
        store.mark_present("education", &[new], true, noon()).unwrap();
        let before = store.months("numerique").unwrap();
        assert_eq!(store.drop_before(noon() - TimeDelta::days(1), &["education".to_owned()]).unwrap(), 1);
        assert_eq!(related(store, new), [] as [i64; 0]);
        assert_ne!(store.months("numerique").unwrap(), before);
        assert_eq!(store.unrelated(new).unwrap(), [], "it is not chosen anew");
    });
}

#[test]
fn the_month_of_a_story_changes_with_its_related_news() {
    check(|store| {
        let old = store.insert("education", &paged("a", 24 * 60), None, noon()).unwrap();
        let new = store.insert("education", &paged("b", 1), None, noon()).unwrap();
        let stamp = |store: &mut dyn Store| store.months("numerique").unwrap().last().unwrap().1;
        let unrelated = stamp(store);
        store.relate("numerique", new, &[old]).unwrap();
        let chosen = stamp(store);
        assert_ne!(chosen, unrelated);
        let mut edited = paged("a", 24 * 60);
        edited.entry.title = Some("Corrigé".into());
        store.update(old, &edited, None).unwrap();
        assert_ne!(stamp(store), chosen);
    });
}

#[test]
fn the_stories_before_one_come_latest_first_with_their_telling_words() {
    check(|store| {
        let mut first = paged("a", 3);
        let terms = Terms::new([Term::new(7 << 40, Spot::Title, true)]);
        first.terms = Some(terms.clone());
        let a = store.insert("education", &first, None, noon()).unwrap();
        let b = store.insert("education", &paged("b", 2), None, noon()).unwrap();
        let c = store.insert("education", &paged("c", 2), None, noon()).unwrap();
        store.insert("culture", &paged("d", 1), Some(a), noon()).unwrap();
        store.insert("education", &prepared("e"), None, noon()).unwrap();
        let order = |store: &mut dyn Store, number| store.gist(number).unwrap().unwrap().order();
        let (first, last) = (order(store, a), order(store, c));
        let numbers = |gists: Vec<Gist>| gists.into_iter().map(|gist| gist.number).collect::<Vec<_>>();
        assert_eq!(numbers(store.gists("numerique", first, last, 9).unwrap()), [b, a]);
        assert_eq!(numbers(store.gists("numerique", first, last, 1).unwrap()), [b]);
        let second = order(store, b);
        assert_eq!(numbers(store.gists("numerique", second, last, 9).unwrap()), [b]);
        let after = (noon(), i64::MAX);
        assert_eq!(
            numbers(store.gists("numerique", first, after, 9).unwrap()),
            [c, b, a],
            "what has no page is not shown"
        );
        assert_eq!(store.gist(a).unwrap().unwrap().terms, Some(terms.clone()));
        assert_eq!(store.gist(b).unwrap().unwrap().terms, None);
        store.save_terms(b, &terms).unwrap();
        assert_eq!(store.gist(b).unwrap().unwrap().terms, Some(terms));
        store.update(b, &paged("b", 2), None).unwrap();
        assert_eq!(store.gist(b).unwrap().unwrap().terms, None, "it says something else");
    });
}

/// Keeps entries as one source has them, and returns their numbers.
fn insert_all(store: &mut dyn Store, names: &[&str]) -> Vec<i64> {
    names.iter().map(|name| store.insert("education", &prepared(name), None, noon()).unwrap()).collect()
}

#[test]
fn the_latest_texts_of_an_edited_entry_are_kept_as_long_as_it_is() {
    check(|store| {
        let number = insert_all(store, &["a"])[0];
        for title in ["b", "c", "d"] {
            store.keep_revision(number, 2, noon()).unwrap();
            let mut edited = prepared("a");
            edited.entry.title = Some(title.into());
            store.update(number, &edited, None).unwrap();
        }
        let titles = |store: &mut dyn Store| -> Vec<String> {
            store.revisions(number).unwrap().into_iter().filter_map(|revision| revision.title).collect()
        };
        assert_eq!(titles(store), ["c", "b"]);
        let first = store.revisions(number).unwrap().remove(0);
        assert_eq!((first.replaced, first.summary), (noon(), prepared("a").entry.summary));
        store.mark_present("education", &[], true, noon()).unwrap();
        store.drop_before(noon() + TimeDelta::days(1), &["education".to_owned()]).unwrap();
        assert!(store.revisions(number).unwrap().is_empty());
    });
}

#[test]
fn what_a_document_held_is_what_the_next_one_may_lack() {
    check(|store| {
        let numbers = insert_all(store, &["a", "b"]);
        let undated = store.insert("education", &undated("c"), None, noon()).unwrap();
        store.insert("culture", &prepared("d"), None, noon()).unwrap();
        let listed = |store: &mut dyn Store| -> Vec<(i64, bool, bool)> {
            let listed = store.listed("education").unwrap();
            listed.iter().map(|entry| (entry.number, entry.date.is_some(), entry.is_suspected)).collect()
        };
        let later = noon() + TimeDelta::hours(1);
        assert_eq!(listed(store), [(numbers[0], true, false), (numbers[1], true, false), (undated, false, false)]);
        store.mark_present("education", &[undated], true, later).unwrap();
        store.suspect(&[numbers[1]], Some(later)).unwrap();
        assert_eq!(listed(store), [(undated, false, false), (numbers[1], true, true)]);
        store.suspect(&[numbers[1]], None).unwrap();
        assert_eq!(listed(store), [(undated, false, false)]);
    });
}

#[test]
fn an_entry_is_withdrawn_when_it_was_suspected_for_long_enough_and_until_it_is_back() {
    check(|store| {
        let number = insert_all(store, &["a", "b"])[0];
        let hour = |hours| noon() + TimeDelta::hours(hours);
        store.mark_present("education", &[number + 1], true, hour(1)).unwrap();
        store.suspect(&[number], Some(hour(1))).unwrap();
        let stamp = store.months("numerique").unwrap();
        assert!(store.suspected("education", hour(0)).unwrap().is_empty());
        assert!(store.suspected("culture", hour(1)).unwrap().is_empty());
        assert_eq!(store.suspected("education", hour(1)).unwrap(), [number]);
        assert_eq!(store.months("numerique").unwrap(), stamp);
        store.withdraw(&[number], hour(2)).unwrap();
        assert!(store.suspected("education", hour(1)).unwrap().is_empty(), "once");
        assert_ne!(store.months("numerique").unwrap(), stamp);
        let month = store.months("numerique").unwrap()[0].0;
        for stories in [store.stories("numerique", 1).unwrap(), store.stories_of("numerique", month).unwrap()] {
            assert_eq!(stories.iter().map(|story| story.number).collect::<Vec<_>>(), [number + 1]);
        }
        let gone = Tombstone { atom_id: "urn:a".into(), date: hour(2), departure: Departure::Withdrawn };
        for month in [None, Some(month)] {
            assert_eq!(store.tombstones("numerique", month, 9).unwrap(), std::slice::from_ref(&gone));
        }
        assert_eq!(store.tombstones("numerique", Some(month.next()), 9).unwrap(), []);
        assert_eq!(store.tombstones("laicite", None, 9).unwrap(), []);
        assert_eq!(store.mark_present("education", &[number], false, hour(4)).unwrap(), 1, "also in a delta");
        assert_eq!(store.mark_present("education", &[number], false, hour(5)).unwrap(), 0);
        assert_eq!(store.stories("numerique", 9).unwrap().len(), 2);
        assert_eq!(store.tombstones("numerique", None, 9).unwrap(), []);
    });
}

#[test]
fn a_story_without_its_head_shows_the_next_telling_under_its_id_and_date() {
    check(|store| {
        let head = insert_all(store, &["a"])[0];
        let mut second = prepared("b");
        second.entry.published = Some(noon() - TimeDelta::minutes(1));
        second.labels.clear();
        let second_number = store.insert("culture", &second, Some(head), noon()).unwrap();
        let third = store.insert("sante", &prepared("c"), Some(head), noon()).unwrap();
        let withdraw = |store: &mut dyn Store, source_id: &str, number| {
            store.mark_present(source_id, &[], true, noon()).unwrap();
            store.suspect(&[number], Some(noon())).unwrap();
            store.withdraw(&[number], noon()).unwrap();
        };
        withdraw(store, "sante", third);
        assert_eq!(store.stories("numerique", 9).unwrap()[0].tellings.len(), 2);
        withdraw(store, "education", head);
        let story = store.stories("numerique", 9).unwrap().remove(0);
        assert_eq!(
            (story.number, &*story.head.atom_id, story.head.date),
            (head, "urn:a", noon() - TimeDelta::hours(1))
        );
        assert_eq!((&*story.head.source_id, story.head.entry.title.as_deref()), ("culture", Some("b")));
        assert_eq!((story.tellings.len(), story.text), (1, None));
        assert_eq!(store.tombstones("numerique", None, 9).unwrap(), []);
        withdraw(store, "culture", second_number);
        assert_eq!(store.stories("numerique", 9).unwrap(), []);
        assert_eq!(store.tombstones("numerique", None, 9).unwrap()[0].atom_id, "urn:a");
    });
}

#[test]
fn the_stay_of_an_entry_is_known_while_it_is_listed_and_for_a_while_after() {
    check(|store| {
        insert_all(store, &["a", "b", "c"]);
        let hour = |hours| noon() + TimeDelta::hours(hours);
        store.mark_present("education", &[2, 3], true, hour(1)).unwrap();
        store.mark_present("education", &[3], true, hour(2)).unwrap();
        let left = |store: &mut dyn Store, since, limit| -> Vec<Option<Timestamp>> {
            let stays = store.stays("education", since, limit).unwrap();
            assert!(stays.iter().all(|stay| (stay.date, stay.from) == (hour(-1), hour(0))), "{stays:?}");
            stays.iter().map(|stay| stay.until).collect()
        };
        assert_eq!(left(store, hour(1), 9), [None, Some(hour(2)), Some(hour(1))]);
        assert_eq!(left(store, hour(2), 9), [None, Some(hour(2))]);
        assert_eq!(left(store, hour(1), 1), [None, Some(hour(2))]);
        assert_eq!(store.stays("culture", hour(0), 9).unwrap(), []);
    });
}

#[test]
fn a_story_that_became_part_of_another_is_gone_under_its_own_id() {
    check(|store| {
        let numbers = insert_all(store, &["a", "b", "c"]);
        let later = noon() + TimeDelta::hours(1);
        store.assign(numbers[2], numbers[0], noon()).unwrap();
        assert_eq!(store.tombstones("numerique", None, 9).unwrap(), [], "nobody saw it");
        store.assign(numbers[1], numbers[0], later).unwrap();
        let gone = Tombstone { atom_id: "urn:b".into(), date: later, departure: Departure::Joined(Some("a".into())) };
        assert_eq!(store.tombstones("numerique", Some(Month::of(noon())), 9).unwrap(), [gone]);
        assert_eq!(store.tombstones("numerique", None, 0).unwrap(), []);
        store.assign(numbers[1], numbers[1], later).unwrap();
        assert_eq!(store.tombstones("numerique", None, 9).unwrap(), []);
    });
}
