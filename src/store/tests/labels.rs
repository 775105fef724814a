//! Labels by the rules that they come from: made beside those that are published, then published all at once.

use super::*;

fn begin(rules: &str) -> Change {
    Change::BeginRules(rules.into())
}

fn unlabelled(store: &mut dyn Store) -> Vec<i64> {
    numbers(&held(store, Which::Unlabelled))
}

/// The rules in force, the relabelling under way, and the number of entries that wait.
fn progress(store: &mut dyn Store) -> (String, Option<(String, i64)>, usize) {
    let Pulse { rules, relabelling, unlabelled, .. } = store.pulse().unwrap();
    (rules, relabelling.map(|begun| (begun.rules, begun.labelled)), unlabelled)
}

fn topics(store: &mut dyn Store) -> [Vec<i64>; 2] {
    ["numerique", "laicite"].map(|topic| shown(store, topic))
}

#[test]
fn the_first_rules_of_an_empty_store_are_in_force_at_once() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        assert_eq!(progress(store), (RULES.to_owned(), None, 0));
        assert_eq!(shown(store, "numerique"), [b, a]);
    });
}

#[test]
fn the_first_rules_are_in_force_though_nothing_is_in_a_topic() {
    check(|store| {
        insert(store, "education", &labelled("a", RULES, &[]));
        assert_eq!(progress(store), (RULES.to_owned(), None, 0));
        let b = insert(store, "education", &labelled("b", "rules 2", &["numerique"]));
        assert_eq!((progress(store), unlabelled(store)), ((RULES.to_owned(), None, 1), vec![b]));
    });
}

#[test]
fn new_labels_are_shown_when_the_relabelling_is_done_and_not_before() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        apply(store, &[begin("rules 2"), label(a, "a", &["laicite"]), label(b, "b", &[])]);
        assert_eq!(topics(store), [vec![b, a], vec![]]);
        assert_eq!(held(store, Which::Number(a))[0].labels, labels(&["numerique"]));
        assert_eq!(store.tombstones("laicite", None, 9).unwrap(), []);
        apply(store, &[Change::FinishRules]);
        assert_eq!(topics(store), [vec![], vec![a]]);
        assert_eq!(held(store, Which::Number(a))[0].labels, labels(&["laicite"]));
        assert_eq!(progress(store), ("rules 2".to_owned(), None, 0));
    });
}

#[test]
fn the_topics_of_peers_are_those_that_are_published() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2"), label(a, "a", &["laicite"])]);
        let topics = |store: &mut dyn Store| {
            look(store, Inquiry { peers: [a].into(), ..Inquiry::default() }).peers.remove(&a).unwrap().topics
        };
        assert_eq!(topics(store), ["numerique"]);
        apply(store, &[Change::FinishRules]);
        assert_eq!(topics(store), ["laicite"]);
    });
}

/// Stories of October (1) and November (2), relabelled so; returns the stamps before and after.
fn relabelled(store: &mut dyn Store, changes: &[Change]) -> [BTreeMap<Month, i64>; 2] {
    insert(store, "education", &of_october("a"));
    insert(store, "education", &prepared("b"));
    let before = stamps(store, "numerique");
    apply(store, &[begin("rules 2")]);
    apply(store, changes);
    assert_eq!(stamps(store, "numerique"), before, "nothing looks different yet");
    apply(store, &[Change::FinishRules]);
    [before, stamps(store, "numerique")]
}

#[test]
fn months_whose_labels_differ_get_a_new_stamp_when_they_are_published() {
    check(|store| {
        let scored = vec![Label { score: 9.0, ..labels(&["numerique"]).remove(0) }];
        let again = Change::Label { number: 1, seen: fingerprint("a"), labels: scored };
        let [before, after] = relabelled(store, &[again, label(2, "b", &["numerique"])]);
        assert!(after[&OCTOBER] > before[&OCTOBER]);
        assert_eq!(after[&NOVEMBER], before[&NOVEMBER], "nothing there looks different");
    });
}

#[test]
fn months_of_topics_that_an_entry_comes_to_or_leaves_get_a_new_stamp() {
    check(|store| {
        insert(store, "education", &labelled("x", RULES, &["laicite"]));
        let before = stamps(store, "laicite");
        let changes = [label(1, "x", &["laicite"]), label(2, "a", &["numerique"]), label(3, "b", &["laicite"])];
        insert(store, "education", &of_october("a"));
        insert(store, "education", &prepared("b"));
        let left = stamps(store, "numerique");
        apply(store, &[begin("rules 2")]);
        apply(store, &changes);
        apply(store, &[Change::FinishRules]);
        assert!(stamps(store, "laicite")[&NOVEMBER] > before[&NOVEMBER]);
        assert_eq!(stamps(store, "numerique"), [(OCTOBER, left[&OCTOBER])].into());
    });
}

#[test]
fn the_month_of_a_story_that_is_shown_with_one_that_goes_gets_a_new_stamp() {
    check(|store| {
        let mut paged = of_october("a");
        paged.entry.url = "https://a.example/".parse().ok();
        let old = insert(store, "education", &paged);
        let new = insert(store, "education", &prepared("b"));
        apply(store, &[Change::Relate { topic: "numerique".into(), story: new, others: vec![old] }]);
        let before = stamps(store, "numerique");
        apply(store, &[begin("rules 2"), label(old, "a", &[]), label(new, "b", &["numerique"])]);
        apply(store, &[Change::FinishRules]);
        assert!(stamps(store, "numerique")[&NOVEMBER] > before[&NOVEMBER]);
    });
}

#[test]
fn an_entry_that_came_under_other_rules_holds_the_new_labels_back_until_it_is_labelled() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2"), label(a, "a", &["laicite"])]);
        let b = insert(store, "education", &labelled("b", RULES, &["numerique"]));
        assert_eq!((unlabelled(store), shown(store, "numerique")), (vec![b], vec![b, a]));
        apply(store, &[Change::FinishRules]);
        assert_eq!(progress(store), (RULES.to_owned(), Some(("rules 2".to_owned(), 0)), 1));
        apply(store, &[label(b, "b", &["laicite"]), Change::FinishRules]);
        assert_eq!((topics(store), unlabelled(store)), ([vec![], vec![b, a]], vec![]));
    });
}

#[test]
fn an_entry_that_comes_under_the_rules_to_come_is_shown_with_them() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2"), label(a, "a", &["numerique"])]);
        let before = stamps(store, "numerique");
        let b = insert(store, "education", &labelled("b", "rules 2", &["numerique"]));
        assert_eq!((unlabelled(store), shown(store, "numerique")), (vec![], vec![a]));
        apply(store, &[Change::FinishRules]);
        assert_eq!(shown(store, "numerique"), [b, a]);
        assert!(stamps(store, "numerique")[&NOVEMBER] > before[&NOVEMBER]);
    });
}

#[test]
fn an_entry_that_is_edited_under_the_rules_to_come_is_shown_under_those_in_force_until_then() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2"), label(a, "a", &["numerique"])]);
        let edited = labelled("c", "rules 2", &["laicite"]);
        apply(store, &[update(a, &edited)]);
        assert_eq!((topics(store), unlabelled(store)), ([vec![a], vec![]], vec![]));
        let before = stamps(store, "numerique");
        apply(store, &[Change::FinishRules]);
        assert_eq!(topics(store), [vec![], vec![a]]);
        assert!(stamps(store, "laicite")[&NOVEMBER] > before[&NOVEMBER]);
    });
}

#[test]
fn an_entry_that_moves_during_a_relabelling_gives_its_new_month_a_new_stamp() {
    check(|store| {
        let a = insert(store, "education", &Prepared { labels: labels(&["laicite"]), ..of_october("a") });
        let x = insert(store, "education", &Prepared { labels: labels(&["numerique"]), ..of_october("x") });
        let b = insert(store, "education", &labelled("b", RULES, &["laicite"]));
        apply(store, &[begin("rules 2"), label(a, "a", &["laicite"]), label(x, "x", &["numerique"])]);
        apply(store, &[label(b, "b", &["numerique"])]);
        let before = stamps(store, "numerique");
        apply(store, &[Change::Move { number: b, story: a, joined: None }]);
        apply(store, &[Change::FinishRules]);
        assert_eq!(shown_of(store, "numerique", Part::Month(OCTOBER)).len(), 2);
        assert!(stamps(store, "numerique")[&OCTOBER] > before[&OCTOBER]);
    });
}

#[test]
fn an_entry_that_comes_under_unknown_rules_is_labelled_in_place_when_none_are_to_come() {
    check(|store| {
        insert(store, "education", &prepared("a"));
        let b = insert(store, "education", &labelled("b", "rules 9", &["numerique"]));
        assert_eq!((unlabelled(store), topics(store)[0].len()), (vec![b], 1));
        apply(store, &[label(b, "b", &["laicite"])]);
        assert_eq!((unlabelled(store), shown(store, "laicite")), (vec![], vec![b]));
    });
}

#[test]
fn an_entry_that_says_something_else_by_now_is_left_as_it_was_labelled() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[label(a, "b", &["laicite"])]);
        assert_eq!(topics(store), [vec![a], vec![]]);
        apply(store, &[begin("rules 2"), label(a, "b", &["laicite"]), Change::FinishRules]);
        assert_eq!(topics(store).concat(), [] as [i64; 0]);
    });
}

#[test]
fn an_entry_waits_for_its_label_though_it_was_judged_before_it_was_edited() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2"), update(a, &labelled("b", RULES, &["numerique"]))]);
        apply(store, &[label(a, "a", &["laicite"])]);
        assert_eq!(unlabelled(store), [a]);
    });
}

#[test]
fn another_relabelling_supersedes_the_first() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2"), label(a, "a", &["laicite"]), Change::Labelled(a), begin("rules 3")]);
        assert_eq!(progress(store).1, Some(("rules 3".to_owned(), 0)));
        apply(store, &[label(a, "a", &["numerique", "laicite"]), Change::FinishRules]);
        assert_eq!((topics(store), progress(store).0), ([vec![a], vec![a]], "rules 3".to_owned()));
    });
}

#[test]
fn rules_that_are_put_back_stay_in_force() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2"), label(a, "a", &["laicite"]), begin(RULES)]);
        assert_eq!((progress(store), topics(store)), ((RULES.to_owned(), None, 0), [vec![a], vec![]]));
    });
}

#[test]
fn what_came_while_others_were_to_come_is_labelled_when_rules_are_put_back() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        apply(store, &[begin("rules 2")]);
        let b = insert(store, "education", &labelled("b", "rules 2", &[]));
        apply(store, &[update(a, &labelled("a", "rules 2", &["laicite"])), begin(RULES)]);
        assert_eq!(unlabelled(store), [a, b]);
        apply(store, &[label(a, "a", &["numerique"]), label(b, "b", &["numerique"])]);
        assert_eq!((unlabelled(store), topics(store)), (vec![], [vec![b, a], vec![]]));
    });
}

#[test]
fn a_relabelling_goes_on_where_it_stood_when_the_store_is_opened_again() {
    check_kept(|file| {
        let [a, b] = insert_all(&mut *file.store, ["a", "b"]);
        apply(&mut *file.store, &[begin("rules 2"), label(a, "a", &["laicite"]), Change::Labelled(a)]);
        file.reopen();
        apply(&mut *file.store, &[begin("rules 2")]);
        assert_eq!(progress(&mut *file.store).1, Some(("rules 2".to_owned(), a)));
        apply(&mut *file.store, &[label(b, "b", &[]), Change::FinishRules]);
        assert_eq!(topics(&mut *file.store), [vec![], vec![a]]);
    });
}

#[test]
fn only_labels_of_no_use_are_dropped_a_few_at_a_time() {
    check_kept(|file| {
        let [a, b] = insert_all(&mut *file.store, ["a", "b"]);
        let labelled = |rules: &str| [begin(rules), label(a, "a", &["laicite"]), label(b, "b", &["laicite"])];
        apply(&mut *file.store, &labelled("rules 2"));
        apply(&mut *file.store, &labelled("rules 3"));
        while file.store.drop_labels(1).unwrap() > 0 {}
        let kept = "SELECT DISTINCT rules FROM labelled ORDER BY rules";
        let rules = file.numbers("SELECT id FROM ruleset WHERE rules IN ('rules 1', 'rules 3') ORDER BY id");
        assert_eq!((file.numbers(kept), file.numbers("SELECT count(*) FROM labelled")), (rules, vec![4]));
        assert_eq!(file.numbers("SELECT count(*) FROM ruleset"), [2]);
        apply(&mut *file.store, &[Change::FinishRules]);
        assert_eq!(topics(&mut *file.store), [vec![], vec![b, a]]);
        let before = generation(&mut *file.store);
        while file.store.drop_labels(9).unwrap() > 0 {}
        assert_eq!(file.numbers("SELECT count(*) FROM labelled"), [2]);
        assert_eq!(generation(&mut *file.store), before, "nobody sees it");
    });
}
