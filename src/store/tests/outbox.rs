//! Posts: rows are made with the stories that they tell, once each.

use super::*;
use crate::outbox::{OutboxRow, PostState, PostTopic, RowResult, RowState, StoryEvent};

fn enroll(store: &mut dyn Store, topics: &[(&str, &str)]) {
    let topic = |(post, topic): &(&str, &str)| PostTopic {
        post: (*post).to_owned(),
        topic: (*topic).to_owned(),
        too_old: TimeDelta::days(2),
    };
    apply(store, &[Change::Enroll(topics.iter().map(topic).collect())]);
}

fn news(numbers: &[i64]) -> Change {
    Change::News { numbers: numbers.to_vec(), now: noon() }
}

fn revised(number: i64) -> Change {
    Change::Revised { numbers: vec![number], now: hour(1) }
}

fn withdrawn(number: i64) -> Change {
    Change::Withdraw { numbers: vec![number], now: hour(2) }
}

/// Keeps an entry that begins a story and is news.
fn bring(store: &mut dyn Store, name: &str) -> i64 {
    let number = insert(store, "education", &prepared(name));
    apply(store, &[news(&[number])]);
    number
}

fn waiting(store: &mut dyn Store, post: &str) -> Vec<OutboxRow> {
    store.outbox(post, noon(), 100).unwrap().waiting
}

/// The stories that wait, each with its event.
fn told(store: &mut dyn Store, post: &str) -> Vec<(i64, StoryEvent)> {
    waiting(store, post).iter().map(|row| (row.story, row.event)).collect()
}

fn sent(row: &OutboxRow) -> Change {
    Change::Outbox(RowResult {
        number: row.number,
        event: row.event,
        generation: row.generation,
        state: RowState::Sent,
        sent: Some(noon()),
        remote: Some("42".into()),
        failures: 0,
        next_try: None,
        why: None,
    })
}

fn send_all(store: &mut dyn Store, post: &str) {
    for row in waiting(store, post) {
        apply(store, &[sent(&row)]);
    }
    assert_eq!(told(store, post), []);
}

use StoryEvent::{Changed, New, Withdrawn};

#[test]
fn a_story_makes_a_row_for_each_post_of_its_topic() {
    check(|store| {
        enroll(store, &[("a", "numerique"), ("b", "numerique"), ("c", "laicite")]);
        let number = bring(store, "une");
        assert_eq!(
            [told(store, "a"), told(store, "b"), told(store, "c")],
            [vec![(number, New)], vec![(number, New)], vec![]]
        );
        assert_eq!(waiting(store, "a")[0].generation, generation(store));
    });
}

#[test]
fn a_story_of_several_topics_makes_one_row_a_post() {
    check(|store| {
        enroll(store, &[("a", "numerique"), ("a", "laicite")]);
        let number = insert(store, "education", &labelled("une", RULES, &["numerique", "laicite"]));
        apply(store, &[news(&[number]), news(&[number])]);
        assert_eq!(told(store, "a"), [(number, New)]);
    });
}

#[test]
fn what_was_there_before_the_post_or_its_topic_makes_no_row() {
    check(|store| {
        let old = bring(store, "ancienne");
        enroll(store, &[("a", "laicite")]);
        enroll(store, &[("a", "laicite"), ("a", "numerique")]);
        let new = bring(store, "nouvelle");
        // Another telling of an old story, and an old entry that its publisher changes.
        let again = tell(store, "justice", &prepared("reprise"), old);
        apply(store, &[news(&[again]), news(&[old])]);
        assert_eq!(told(store, "a"), [(new, New)]);
        // Enrolled anew after it was away.
        enroll(store, &[("a", "laicite")]);
        let missed = bring(store, "manquée");
        enroll(store, &[("a", "laicite"), ("a", "numerique")]);
        apply(store, &[news(&[missed])]);
        assert_eq!(told(store, "a"), [(new, New)]);
    });
}

#[test]
fn an_old_story_makes_no_row() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        let old = insert(store, "education", &published("vieille", Some(hour(-49))));
        let young = insert(store, "education", &published("jeune", Some(hour(-47))));
        apply(store, &[news(&[old, young])]);
        assert_eq!(told(store, "a"), [(young, New)]);
    });
}

#[test]
fn a_relabelling_makes_no_row() {
    check(|store| {
        enroll(store, &[("a", "laicite")]);
        let number = insert(store, "education", &prepared("une"));
        apply(store, &[news(&[number])]);
        apply(store, &[Change::BeginRules("rules 2".into()), label(number, "une", &["laicite"]), Change::FinishRules]);
        assert_eq!(shown(store, "laicite"), [number]);
        assert_eq!(told(store, "a"), []);
    });
}

#[test]
fn labels_of_rules_to_come_count() {
    check(|store| {
        insert(store, "education", &prepared("avant"));
        enroll(store, &[("a", "laicite")]);
        apply(store, &[Change::BeginRules("rules 2".into())]);
        let number = insert(store, "education", &labelled("une", "rules 2", &["laicite"]));
        apply(store, &[news(&[number])]);
        assert_eq!(told(store, "a"), [(number, New)]);
    });
}

#[test]
fn a_row_that_was_sent_waits_no_more_and_is_counted() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        let number = bring(store, "une");
        send_all(store, "a");
        let outbox = store.outbox("a", noon(), 100).unwrap();
        assert_eq!((outbox.count, outbox.sent), (0, vec![noon()]));
        assert!(store.outbox("a", hour(1), 100).unwrap().sent.is_empty());
        apply(store, &[news(&[number])]);
        assert_eq!(told(store, "a"), [], "once");
    });
}

#[test]
fn a_change_is_told_of_what_was_sent_only() {
    check(|store| {
        enroll(store, &[("a", "numerique"), ("b", "numerique")]);
        let number = bring(store, "une");
        send_all(store, "a");
        apply(store, &[revised(number)]);
        assert_eq!([told(store, "a"), told(store, "b")], [[(number, Changed)], [(number, New)]]);
        let row = waiting(store, "a").remove(0);
        assert_eq!((row.remote.as_deref(), row.was_sent, row.noted), (Some("42"), true, hour(1)));
        send_all(store, "a");
    });
}

#[test]
fn a_change_that_comes_while_a_row_is_sent_is_told_afterwards() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        let number = bring(store, "une");
        let under_way = waiting(store, "a").remove(0);
        apply(store, &[update(number, &prepared("une")), revised(number)]);
        apply(store, &[sent(&under_way)]);
        assert_eq!(told(store, "a"), [(number, Changed)]);
        send_all(store, "a");
    });
}

#[test]
fn a_withdrawal_is_told_once_when_no_entry_stands() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        let number = bring(store, "une");
        let other = tell(store, "justice", &prepared("deux"), number);
        send_all(store, "a");
        apply(store, &[withdrawn(number)]);
        assert_eq!(told(store, "a"), []);
        apply(store, &[withdrawn(other)]);
        assert_eq!(told(store, "a"), [(number, Withdrawn)]);
        send_all(store, "a");
        apply(store, &[withdrawn(other)]);
        assert_eq!(told(store, "a"), []);
        apply(store, &[Change::Relist { number, changed: Some(hour(3)) }, revised(number)]);
        assert_eq!(told(store, "a"), [(number, Changed)], "it is back");
    });
}

#[test]
fn a_withdrawal_overrides_a_change_that_waits_and_its_late_result() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        let number = bring(store, "une");
        send_all(store, "a");
        apply(store, &[revised(number)]);
        let under_way = waiting(store, "a").remove(0);
        apply(store, &[withdrawn(number)]);
        apply(store, &[sent(&under_way)]);
        assert_eq!(told(store, "a"), [(number, Withdrawn)]);
    });
}

#[test]
fn stories_that_are_merged_know_of_each_others_rows() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        let (one, two) = (bring(store, "une"), bring(store, "deux"));
        apply(store, &[Change::Move { number: two, story: one, joined: Some(noon()) }]);
        let rows = waiting(store, "a");
        let of = |row: &OutboxRow| (row.story, row.told_as, row.is_told, row.is_doubled);
        assert_eq!(rows.iter().map(of).collect::<Vec<_>>(), [(one, one, false, false), (two, one, false, true)]);
        apply(store, &[sent(&rows[0])]);
        assert_eq!(waiting(store, "a").iter().map(of).collect::<Vec<_>>(), [(two, one, true, false)]);
        // A change of either is a change of the message that was sent.
        apply(store, &[revised(two)]);
        assert_eq!(told(store, "a"), [(one, Changed), (two, New)]);
        // A third telling brings nothing new.
        let three = tell(store, "justice", &prepared("trois"), one);
        apply(store, &[news(&[three])]);
        assert_eq!(waiting(store, "a").len(), 2);
    });
}

#[test]
fn the_state_of_a_post_is_kept() {
    check(|store| {
        assert_eq!(store.outbox("a", noon(), 9).unwrap().state, PostState { post: "a".into(), ..PostState::default() });
        let state = PostState {
            post: "a".into(),
            stopped: Some("mark".into()),
            failures: 3,
            since: Some(noon()),
            next_try: Some(hour(1)),
            last_error: Some("refused".into()),
            last_sent: Some(hour(-1)),
        };
        apply(store, &[Change::Post(state.clone())]);
        assert_eq!(store.outbox("a", noon(), 9).unwrap().state, state);
    });
}

#[test]
fn what_is_sent_is_no_news_for_a_publication() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        bring(store, "une");
        let before = generation(store);
        send_all(store, "a");
        apply(store, &[Change::Post(PostState { post: "a".into(), ..PostState::default() })]);
        assert_eq!(generation(store), before);
    });
}

#[test]
fn only_the_first_rows_are_read_and_all_are_counted() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        let numbers = ["une", "deux", "trois"].map(|name| bring(store, name));
        let outbox = store.outbox("a", noon(), 2).unwrap();
        let read: Vec<i64> = outbox.waiting.iter().map(|row| row.story).collect();
        assert_eq!((outbox.count, read), (3, numbers[..2].to_vec()));
    });
}

#[test]
fn a_row_goes_two_months_after_its_event() {
    check(|store| {
        enroll(store, &[("a", "numerique")]);
        bring(store, "une");
        store.tidy(noon() + TimeDelta::days(60)).unwrap();
        assert_eq!(store.outbox("a", noon(), 9).unwrap().count, 1);
        store.tidy(noon() + TimeDelta::days(61)).unwrap();
        assert_eq!(store.outbox("a", noon(), 9).unwrap().count, 0);
    });
}
