//! Entries that left, came back or became part of another story.

use super::*;

#[test]
fn what_comes_back_is_later_than_its_tombstone() {
    check(|store| {
        let number = store.insert("education", &prepared("a"), None, noon()).unwrap();
        store.mark_present("education", &[], true, noon()).unwrap();
        store.withdraw(&[number], noon() + TimeDelta::hours(1)).unwrap();
        let back = noon() + TimeDelta::hours(2);
        store.mark_present("education", &[number], true, back).unwrap();
        assert_eq!(newest(store, "numerique", 9)[0].head.changed, Some(back));
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
        let stamp = months(store);
        assert!(store.suspected("education", hour(0)).unwrap().is_empty());
        assert!(store.suspected("culture", hour(1)).unwrap().is_empty());
        assert_eq!(store.suspected("education", hour(1)).unwrap(), [number]);
        assert_eq!(months(store), stamp);
        store.withdraw(&[number], hour(2)).unwrap();
        assert!(store.suspected("education", hour(1)).unwrap().is_empty(), "once");
        assert_ne!(months(store), stamp);
        let month = months(store)[0].0;
        for stories in [newest(store, "numerique", 1), shown_of(store, "numerique", Part::Month(month))] {
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
        assert_eq!(newest(store, "numerique", 9).len(), 2);
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
        assert_eq!(newest(store, "numerique", 9)[0].tellings.len(), 2);
        withdraw(store, "education", head);
        let story = newest(store, "numerique", 9).remove(0);
        assert_eq!(
            (story.number, &*story.head.atom_id, story.head.date),
            (head, "urn:a", noon() - TimeDelta::hours(1))
        );
        assert_eq!((&*story.head.source_id, story.head.entry.title.as_deref()), ("culture", Some("b")));
        assert_eq!((story.tellings.len(), story.text), (1, None));
        assert_eq!(store.tombstones("numerique", None, 9).unwrap(), []);
        withdraw(store, "culture", second_number);
        assert_eq!(newest(store, "numerique", 9), []);
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
