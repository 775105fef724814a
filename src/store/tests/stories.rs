//! Stories and the months that hold them.

use super::*;

#[test]
fn a_corrected_head_shows_its_own_text_until_the_others_follow() {
    check(|store| {
        let long = |words: &str| {
            let mut telling = prepared("b");
            telling.entry.content = Some(words.to_owned());
            telling
        };
        let head = insert(store, "education", &prepared("a"));
        let telling = tell(store, "culture", &long("Un texte bien plus long, de douze millions"), head);
        let shown = |store: &mut dyn Store| {
            let story = shown_of(store, "numerique", Part::Newest(9)).remove(0);
            (story.text.is_some(), story.head.changed)
        };
        let edit = |number, edited: Prepared, hours| {
            let (prepared, date, changed) = (Arc::new(edited), hour(-1), Some(hour(hours)));
            Change::Update { number, prepared, date, published: None, changed, revision: None }
        };
        assert_eq!(shown(store), (true, None));
        apply(store, &[edit(head, prepared("a"), 1)]);
        assert_eq!(shown(store), (false, Some(hour(1))));
        apply(store, &[edit(telling, long("Un texte bien plus long, de neuf millions"), 2)]);
        assert_eq!(shown(store), (true, Some(hour(2))), "what is shown has changed");
    });
}

#[test]
fn a_topic_shows_each_story_once_with_all_its_tellings() {
    check(|store| {
        let head = insert(store, "education", &prepared("a"));
        let mut second = prepared("b");
        second.entry.content = Some("<p>Un texte bien plus long que celui de la tête, pour les lecteurs.</p>".into());
        tell(store, "culture", &second, head);
        let stories = shown_of(store, "numerique", Part::Newest(10));
        let [story] = stories.as_slice() else { panic!("one story, not {}", stories.len()) };
        assert_eq!(story.head.atom_id, "urn:a");
        let sources: Vec<_> = story.tellings.iter().map(|telling| &*telling.source_id).collect();
        assert_eq!(sources, ["education", "culture"]);
        assert_eq!(story.text.clone().unwrap().1, second.entry.content);
    });
}

#[test]
fn a_topic_shows_its_latest_stories_newest_first() {
    check(|store| {
        let old = insert(store, "education", &published("a", Some(hour(-3))));
        let newest = insert(store, "education", &published("b", Some(hour(-1))));
        let new = insert(store, "education", &published("c", Some(hour(-2))));
        insert(store, "education", &labelled("d", RULES, &["laicite"]));
        assert_eq!(shown(store, "numerique"), [newest, new, old]);
        assert_eq!(shown_of(store, "numerique", Part::Newest(2)).len(), 2);
    });
}

#[test]
fn a_story_is_in_the_topics_of_all_its_entries() {
    check(|store| {
        let head = insert(store, "education", &prepared("a"));
        tell(store, "culture", &labelled("b", RULES, &["laicite"]), head);
        assert_eq!((shown(store, "numerique"), shown(store, "laicite")), (vec![head], vec![head]));
    });
}

#[test]
fn an_entry_that_moves_is_told_where_it_went() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        apply(store, &[Change::Move { number: b, story: a, joined: None }]);
        assert_eq!(shown(store, "numerique"), [a]);
        assert_eq!(shown_of(store, "numerique", Part::Newest(9))[0].tellings.len(), 2);
        apply(store, &[Change::Move { number: b, story: b, joined: None }]);
        assert_eq!(shown(store, "numerique"), [b, a]);
    });
}

#[test]
fn a_month_holds_the_stories_whose_heads_are_of_it_and_its_stamp_changes_with_them() {
    check(|store| {
        let head = insert(store, "education", &of_october("a"));
        let other = insert(store, "education", &prepared("b"));
        let before = stamps(store, "numerique");
        assert_eq!(before.keys().copied().collect::<Vec<_>>(), [OCTOBER, NOVEMBER]);
        // Told again in November, it stays a story of October.
        tell(store, "culture", &prepared("c"), head);
        let of = |store: &mut dyn Store, month| -> Vec<i64> {
            shown_of(store, "numerique", Part::Month(month)).iter().map(|story| story.number).collect()
        };
        assert_eq!((of(store, OCTOBER), of(store, NOVEMBER)), (vec![head], vec![other]));
        let after = stamps(store, "numerique");
        assert!(before[&OCTOBER] < after[&OCTOBER], "another telling is shown");
        assert_eq!(before[&NOVEMBER], after[&NOVEMBER], "the other month is as it was");
    });
}

/// Checks which of the two months get a new stamp by changes to a story of October (1) and one of November (2).
fn check_stamps(changes: impl Fn() -> Vec<Change>, expected: &[Month]) {
    check(|store| {
        insert(store, "education", &of_october("a"));
        insert(store, "education", &prepared("b"));
        insert(store, "education", &of_october("x"));
        insert(store, "education", &prepared("y"));
        let before = stamps(store, "numerique");
        apply(store, &changes());
        let after = stamps(store, "numerique");
        let stamped: Vec<Month> = after.keys().copied().filter(|month| before.get(month) != after.get(month)).collect();
        assert_eq!(stamped, expected);
    });
}

#[test]
fn the_stamp_of_a_month_changes_with_what_its_stories_look_like() {
    check_stamps(|| vec![update(1, &of_october("a"))], &[OCTOBER]);
    check_stamps(|| vec![Change::Withdraw { numbers: vec![2], now: noon() }], &[NOVEMBER]);
    check_stamps(|| vec![Change::Relist { number: 2, changed: Some(noon()) }], &[NOVEMBER]);
    check_stamps(|| vec![Change::Move { number: 2, story: 1, joined: None }], &[OCTOBER, NOVEMBER]);
    check_stamps(|| vec![label(1, "a", &[])], &[OCTOBER]);
    let related = || vec![Change::Relate { topic: "numerique".into(), story: 2, others: vec![1] }];
    check_stamps(related, &[NOVEMBER]);
}

#[test]
fn stamps_stay_when_nothing_looks_different() {
    check_stamps(|| vec![Change::Leave { numbers: vec![1, 2], now: noon() }], &[]);
    check_stamps(|| vec![Change::Miss { numbers: vec![1, 2], since: Some(noon()) }], &[]);
    check_stamps(
        || {
            vec![
                Change::Bind(Bond::new(1, 2, false)),
                Change::TellingWords { number: 1, telling_words: TellingWords::default() },
            ]
        },
        &[],
    );
    check_stamps(|| vec![label(1, "a", &["numerique"])], &[]);
    let unrelated = || vec![Change::Relate { topic: "numerique".into(), story: 2, others: Vec::new() }];
    check_stamps(unrelated, &[]);
}

#[test]
fn a_corrected_date_moves_a_story_with_all_its_entries_to_another_month() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        tell(store, "culture", &prepared("b"), a);
        apply(store, &[update(a, &of_october("a"))]);
        assert_eq!(stamps(store, "numerique").keys().copied().collect::<Vec<_>>(), [OCTOBER]);
        assert_eq!(shown_of(store, "numerique", Part::Month(OCTOBER))[0].tellings.len(), 2);
    });
}

#[test]
fn both_months_of_a_story_whose_date_is_corrected_get_a_new_stamp() {
    check_stamps(|| vec![update(2, &of_october("b"))], &[OCTOBER, NOVEMBER]);
}

#[test]
fn both_months_of_a_story_that_is_told_again_and_dated_anew_at_once_get_a_new_stamp() {
    let told_and_dated = || vec![insertion(9, "culture", 2, &prepared("c"), noon()), update(2, &of_october("b"))];
    check_stamps(told_and_dated, &[OCTOBER, NOVEMBER]);
}

#[test]
fn an_entry_that_moves_is_dated_by_the_head_that_it_comes_to() {
    check(|store| {
        let old = insert(store, "education", &of_october("a"));
        let new = insert(store, "education", &prepared("b"));
        apply(store, &[label(old, "a", &[]), Change::Move { number: new, story: old, joined: None }]);
        assert_eq!(stamps(store, "numerique").keys().copied().collect::<Vec<_>>(), [OCTOBER]);
        apply(store, &[Change::Move { number: new, story: new, joined: None }]);
        assert_eq!(stamps(store, "numerique").keys().copied().collect::<Vec<_>>(), [NOVEMBER]);
    });
}

#[test]
fn the_month_of_what_is_dropped_gets_a_new_stamp() {
    check(|store| {
        let [gone, kept] = [1, 2];
        let changes = [
            insertion(gone, "education", gone, &of_october("a"), OCTOBER.start()),
            insertion(kept, "education", kept, &of_october("b"), noon()),
        ];
        apply(store, &changes);
        let before = stamps(store, "numerique");
        assert_eq!(store.drop_before(hour(-1), &[], 9).unwrap(), 1);
        assert!(stamps(store, "numerique")[&OCTOBER] > before[&OCTOBER]);
    });
}

#[test]
fn a_late_story_counts_as_of_its_arrival_unless_it_came_with_its_sources_first_document() {
    check(|store| {
        let mut number = 0;
        let mut arrive = |source: &str, days: i64, arrived: i64| {
            number += 1;
            let prepared = numbered(number, published("a", Some(hour(-24 * days))));
            apply(store, &[insertion(number, source, number, &prepared, hour(-24 * arrived))]);
            number
        };
        // Imported: old news when their source was new to us.
        let [first, imported] = [arrive("education", 40, 10), arrive("education", 30, 10)];
        let older = arrive("education", 6, 6);
        let late = arrive("education", 35, 5);
        let [same_day, newer] = [arrive("education", 4, 4), arrive("education", 3, 3)];
        let [too, of_another] = [arrive("education", 50, 2), arrive("culture", 20, 1)];
        let mut placed = |limit| store.stories("numerique", Part::Newest(limit)).unwrap();
        assert_eq!(placed(3).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [2, 3, 4].map(|days| hour(-24 * days)));
        let mut shown = |limit| placed(limit).into_iter().map(|(_, number)| number).collect::<Vec<_>>();
        assert_eq!(shown(99), [too, newer, same_day, late, older, of_another, imported, first]);
        assert_eq!(shown(4), [too, newer, same_day, late]);
        assert_eq!(shown(1), [too]);
        assert_eq!(shown_of(store, "numerique", Part::Newest(1))[0].head.date, hour(-24 * 50), "its date is its own");
    });
}

#[test]
fn stories_are_counted_once_by_day_and_by_each_source_that_told_them() {
    check(|store| {
        let told = |number: i64, days: i64| numbered(number, published("a", Some(hour(-24 * days))));
        let mut arrive = |number: i64, source: &str, story: i64, days: i64| {
            apply(store, &[insertion(number, source, story, &told(number, days), hour(-24 * days))]);
        };
        // The first is told by two sources, the third by one that tells it twice.
        arrive(1, "education", 1, 1);
        arrive(2, "culture", 1, 1);
        arrive(3, "education", 3, 1);
        arrive(4, "education", 3, 1);
        arrive(5, "education", 5, 8);
        let topics = ["numerique".to_owned(), "numerique".to_owned()];
        let tally = store.tally(&topics, hour(-24 * 3), hour(24)).unwrap();
        // The 23rd of November 2026 is a Monday.
        assert_eq!(tally.days, [(day_of(hour(-24).timestamp()), 2)].into());
        assert_eq!(tally.sources["education"].weekdays, [2, 0, 0, 0, 0, 0, 0]);
        assert_eq!(tally.sources["culture"].stories(), 1);
        assert_eq!(tally.sources["culture"].last, hour(-24).timestamp());
        assert_eq!(store.tally(&topics, hour(-24 * 30), hour(24)).unwrap().stories(), 3);
        assert_eq!(store.tally(&["other".into()], hour(-24 * 30), hour(24)).unwrap(), StoryTally::default());
    });
}

#[test]
fn a_withdrawn_story_is_not_counted() {
    check(|store| {
        apply(store, &[insertion(1, "education", 1, &numbered(1, published("a", Some(hour(-24)))), hour(-24))]);
        apply(store, &[Change::Withdraw { numbers: vec![1], now: noon() }]);
        assert_eq!(store.tally(&["numerique".into()], hour(-48), hour(24)).unwrap(), StoryTally::default());
    });
}
