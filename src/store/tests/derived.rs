//! Derived data that is missing is asked for.

use super::*;

/// Checks how the store is after somebody did this to a store with one entry.
fn check_missing(sql: &str, expected: impl Fn(&Pulse) -> bool) {
    check_kept(|file| {
        // A table that is gone is found by the first statement that needs it.
        if !file.is_file() && sql.starts_with("DROP") {
            return;
        }
        insert(&mut *file.store, "education", &prepared("a"));
        file.run(sql);
        file.reopen();
        let pulse = file.store.pulse().unwrap();
        assert!(expected(&pulse), "{pulse:?} after {sql}");
        assert_eq!(held(&mut *file.store, Which::Newest).len(), 1);
    });
}

#[test]
fn nothing_is_missing_in_a_store_that_is_whole() {
    check_missing("", |pulse| pulse.rebuilt.is_none() && pulse.rules == RULES && pulse.unlabelled == 0);
}

#[test]
fn clues_sketches_and_stories_that_are_gone_are_asked_for() {
    for sql in
        ["DELETE FROM clue", "DROP TABLE clue", "DELETE FROM sketch", "DROP TABLE sketch", "UPDATE entry SET story = 0"]
    {
        check_missing(sql, |pulse| pulse.rebuilt == Some(0) && pulse.rules == RULES);
    }
}

#[test]
fn clues_and_sketches_made_from_words_of_another_version_are_asked_for_once() {
    for older in
        ["DELETE FROM meta WHERE name = 'words_version'", "UPDATE meta SET value = 2 WHERE name = 'words_version'"]
    {
        check_missing(older, |pulse| pulse.rebuilt == Some(0) && pulse.rules == RULES);
        check_file(|file| {
            let [a, _] = insert_all(&mut file.store, ["a", "b"]);
            file.run(older);
            file.reopen();
            apply(&mut file.store, &[Change::Rebuilt(Some(a))]);
            file.reopen();
            assert_eq!(file.store.pulse().unwrap().rebuilt, Some(a));
        });
    }
}

#[test]
fn labels_that_are_gone_are_asked_for() {
    for sql in ["DELETE FROM labelled", "DROP TABLE labelled"] {
        check_missing(sql, |pulse| pulse.rules.is_empty() && pulse.rebuilt.is_none());
    }
}

#[test]
fn an_empty_store_lacks_nothing() {
    check_kept(|file| {
        file.reopen();
        assert_eq!(file.store.pulse().unwrap().rebuilt, None);
    });
}

#[test]
fn a_store_whose_entries_are_in_no_topic_lacks_no_labels() {
    check_kept(|file| {
        insert(&mut *file.store, "education", &labelled("a", RULES, &[]));
        file.reopen();
        assert_eq!(file.store.pulse().unwrap().rules, RULES);
    });
}

#[test]
fn labels_that_are_gone_during_a_relabelling_are_all_made_again() {
    check_kept(|file| {
        let [a, _] = insert_all(&mut *file.store, ["a", "b"]);
        apply(
            &mut *file.store,
            &[Change::BeginRules("rules 2".into()), label(a, "a", &["laicite"]), Change::Labelled(a)],
        );
        file.run("DELETE FROM labelled");
        file.reopen();
        let begun = Relabelling { rules: "rules 2".into(), labelled: 0 };
        assert_eq!(file.store.pulse().unwrap().relabelling, Some(begun));
    });
}

#[test]
fn what_is_gone_while_it_is_made_again_is_made_again_from_the_beginning() {
    for table in ["clue", "sketch"] {
        check_kept(|file| {
            let [a, _] = insert_all(&mut *file.store, ["a", "b"]);
            apply(&mut *file.store, &[Change::Rebuilt(Some(a))]);
            file.run(&format!("DELETE FROM {table}"));
            file.reopen();
            assert_eq!(file.store.pulse().unwrap().rebuilt, Some(0), "{table}");
        });
    }
}

#[test]
fn making_again_goes_on_where_it_stood_when_the_store_is_opened_again() {
    check_kept(|file| {
        let [a, _] = insert_all(&mut *file.store, ["a", "b"]);
        file.run("UPDATE entry SET story = 0 WHERE number > 1");
        apply(&mut *file.store, &[Change::Rebuilt(Some(a))]);
        file.reopen();
        assert_eq!(file.store.pulse().unwrap().rebuilt, Some(a));
        apply(&mut *file.store, &[Change::Move { number: 2, story: 2, joined: None }, Change::Rebuilt(None)]);
        file.reopen();
        assert_eq!(file.store.pulse().unwrap().rebuilt, None);
    });
}

#[test]
fn months_whose_stamps_are_gone_look_different() {
    for sql in ["DELETE FROM month", "DROP TABLE month"] {
        check_kept(|file| {
            if !file.is_file() && sql.starts_with("DROP") {
                return;
            }
            insert(&mut *file.store, "education", &prepared("a"));
            let before = stamps(&mut *file.store, "numerique");
            file.run(sql);
            file.reopen();
            let after = stamps(&mut *file.store, "numerique");
            assert!(after.keys().eq(before.keys()) && after != before, "{after:?}");
        });
    }
}

#[test]
fn an_index_of_texts_that_was_emptied_or_is_outdated_is_filled_by_the_next_search() {
    for sql in ["DELETE FROM entry_text", "DROP TABLE entry_text", "DELETE FROM meta WHERE name = 'index_version'"] {
        check_kept(|file| {
            if !file.is_file() && sql.starts_with("DROP") {
                return;
            }
            insert(&mut *file.store, "education", &prepared("a"));
            let search = Filter { search: Some("texte".into()), limit: 9, ..Filter::default() };
            assert_eq!(file.store.entries(&search).unwrap().len(), 1);
            file.run(sql);
            file.reopen();
            assert_eq!(file.store.entries(&search).unwrap().len(), 1, "{sql}");
        });
    }
}
