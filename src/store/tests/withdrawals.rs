//! Entries that left, came back or became part of another story.

use super::*;

fn withdraw(number: i64, hours: i64) -> Change {
    Change::Withdraw { numbers: vec![number], now: hour(hours) }
}

fn gone(store: &mut dyn Store) -> Vec<Tombstone> {
    store.tombstones("numerique", None, 9).unwrap()
}

#[test]
fn what_comes_back_is_later_than_its_tombstone() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[Change::Leave { numbers: vec![a], now: noon() }, withdraw(a, 1)]);
        apply(store, &[Change::Relist { number: a, changed: Some(hour(2)) }]);
        assert_eq!(shown_of(store, "numerique", Part::Newest(9))[0].head.changed, Some(hour(2)));
    });
}

#[test]
fn a_withdrawn_story_is_shown_no_more_until_it_is_back() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        apply(store, &[Change::Leave { numbers: vec![a], now: hour(1) }, withdraw(a, 2)]);
        assert_eq!(shown(store, "numerique"), [b]);
        let of_month = shown_of(store, "numerique", Part::Month(NOVEMBER));
        assert_eq!(of_month.iter().map(|story| story.number).collect::<Vec<_>>(), [b]);
        let tombstone = Tombstone { atom_id: "urn:a".into(), date: hour(2), reason: TombstoneReason::Withdrawn };
        for month in [None, Some(NOVEMBER)] {
            assert_eq!(store.tombstones("numerique", month, 9).unwrap(), std::slice::from_ref(&tombstone));
        }
        assert_eq!(store.tombstones("numerique", Some(NOVEMBER.next()), 9).unwrap(), []);
        assert_eq!(store.tombstones("laicite", None, 9).unwrap(), []);
        apply(store, &[Change::Relist { number: a, changed: None }]);
        assert_eq!((shown(store, "numerique"), gone(store)), (vec![b, a], Vec::new()));
    });
}

#[test]
fn the_latest_stories_fill_the_places_of_those_that_are_withdrawn() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        apply(store, &[withdraw(b, 1)]);
        let stories = shown_of(store, "numerique", Part::Newest(1));
        assert_eq!(stories.iter().map(|story| story.number).collect::<Vec<_>>(), [a]);
    });
}

#[test]
fn a_story_without_its_head_shows_the_next_telling_under_its_id_and_date() {
    check(|store| {
        let head = insert(store, "education", &prepared("a"));
        let mut second = published("b", Some(noon() - TimeDelta::minutes(1)));
        second.labels.clear();
        let second = tell(store, "culture", &second, head);
        let third = tell(store, "sante", &prepared("c"), head);
        apply(store, &[withdraw(third, 0)]);
        assert_eq!(shown_of(store, "numerique", Part::Newest(9))[0].tellings.len(), 2);
        apply(store, &[withdraw(head, 0)]);
        let story = shown_of(store, "numerique", Part::Newest(9)).remove(0);
        assert_eq!((story.number, &*story.head.atom_id, story.head.date), (head, "urn:a", hour(-1)));
        assert_eq!((&*story.head.source_id, story.head.entry.title.as_deref()), ("culture", Some("b")));
        assert_eq!((story.tellings.len(), story.text), (1, None));
        assert_eq!(gone(store), []);
        apply(store, &[withdraw(second, 0)]);
        assert_eq!(shown(store, "numerique"), [] as [i64; 0]);
        assert_eq!(gone(store)[0].atom_id, "urn:a");
    });
}

#[test]
fn a_story_that_became_part_of_another_is_gone_under_its_own_id() {
    check(|store| {
        let [a, b, c] = insert_all(store, ["a", "b", "c"]);
        let join = |number, hours| Change::Move { number, story: a, joined: Some(hour(hours)) };
        apply(store, &[join(c, 0)]);
        assert_eq!(gone(store), [], "nobody saw it");
        apply(store, &[join(b, 1)]);
        let joined = TombstoneReason::Joined(Some("a".into()));
        let tombstone = Tombstone { atom_id: "urn:b".into(), date: hour(1), reason: joined };
        assert_eq!(store.tombstones("numerique", Some(NOVEMBER), 9).unwrap(), [tombstone]);
        assert_eq!(store.tombstones("numerique", None, 0).unwrap(), []);
        apply(store, &[Change::Move { number: b, story: b, joined: None }]);
        assert_eq!(gone(store), []);
    });
}

#[test]
fn the_latest_departures_come_first() {
    check(|store| {
        let [a, b, c] = insert_all(store, ["a", "b", "c"]);
        apply(store, &[withdraw(a, 2), withdraw(b, 3), withdraw(c, 1)]);
        let ids: Vec<String> = gone(store).into_iter().map(|tombstone| tombstone.atom_id).collect();
        assert_eq!(ids, ["urn:b", "urn:a", "urn:c"]);
    });
}
