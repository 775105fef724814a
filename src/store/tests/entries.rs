//! Entries, one by one.

use super::*;

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
fn relabelling_moves_entries_between_topics() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        let label = Label { topic: "laicite".into(), score: 7.0, reasons: Vec::new() };
        store.relabel(&[(number, vec![label])], "rules 2").unwrap();
        assert_eq!(store.rules().unwrap(), "rules 2");
        assert!(newest(store, "numerique", 10).is_empty());
        assert_eq!(newest(store, "laicite", 10).len(), 1);
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
