//! Related news.

use super::*;
use crate::story::WINDOW;

/// A story of the topic with a page, so many hours old.
fn paged(name: &str, hours: i64) -> Prepared {
    let mut prepared = published(name, Some(hour(-hours)));
    prepared.entry.url = format!("https://a.example/{name}").parse().ok();
    prepared
}

fn relate(story: i64, others: &[i64]) -> Change {
    Change::Relate { topic: "numerique".into(), story, others: others.to_vec() }
}

fn related(store: &mut dyn Store, head: i64) -> Vec<i64> {
    let stories = shown_of(store, "numerique", Part::Newest(10));
    let shown = stories.into_iter().find(|shown| shown.number == head).unwrap();
    shown.related.into_iter().map(|related| related.number).collect()
}

fn telling_words() -> TellingWords {
    TellingWords::new([TellingWord::new(7 << 40, Spot::Title, true)])
}

#[test]
fn related_news_is_chosen_once() {
    check(|store| {
        let [old, new] = ["a", "b"].map(|name| insert(store, "education", &paged(name, 1)));
        apply(store, &[relate(new, &[]), relate(new, &[old])]);
        assert_eq!(related(store, new), [] as [i64; 0], "that none was found is a choice too");
        apply(store, &[relate(old, &[new]), relate(old, &[])]);
        assert_eq!(related(store, old), [new]);
    });
}

#[test]
fn related_news_is_shown_in_order_while_it_is_another_story_of_the_topic() {
    check(|store| {
        let [one, other, new] = ["a", "b", "c"].map(|name| insert(store, "education", &paged(name, 1)));
        apply(store, &[relate(new, &[other, one])]);
        assert_eq!(related(store, new), [other, one]);
        apply(store, &[label(other, "b", &[])]);
        assert_eq!(related(store, new), [one]);
        apply(store, &[label(other, "b", &["numerique"]), Change::Withdraw { numbers: vec![one], now: noon() }]);
        assert_eq!(related(store, new), [other]);
        apply(store, &[Change::Move { number: other, story: new, joined: None }]);
        assert_eq!(related(store, new), [] as [i64; 0]);
    });
}

#[test]
fn related_news_vanishes_with_what_is_dropped_and_is_not_chosen_anew() {
    check(|store| {
        let changes = [
            insertion(1, "education", 1, &paged("a", 48), hour(-48)),
            insertion(2, "education", 2, &paged("b", 1), noon()),
            relate(2, &[1]),
            relate(1, &[]),
        ];
        apply(store, &changes);
        let before = stamps(store, "numerique");
        assert_eq!(store.drop_before(hour(-24), &[], 9).unwrap(), 1);
        assert_eq!(related(store, 2), [] as [i64; 0]);
        assert_ne!(stamps(store, "numerique"), before);
        assert_eq!(store.unrelated("numerique", None, 9).unwrap(), []);
    });
}

#[test]
fn the_month_of_a_story_changes_with_its_related_news() {
    check(|store| {
        let old = insert(store, "education", &paged("a", 24 * 60));
        let new = insert(store, "education", &paged("b", 1));
        let unrelated = stamps(store, "numerique")[&NOVEMBER];
        apply(store, &[relate(new, &[old])]);
        let chosen = stamps(store, "numerique")[&NOVEMBER];
        assert!(chosen > unrelated);
        let mut edited = paged("a", 24 * 60);
        edited.entry.title = Some("Corrigé".into());
        apply(store, &[update(old, &edited)]);
        assert!(stamps(store, "numerique")[&NOVEMBER] > chosen);
    });
}

#[test]
fn telling_words_are_those_of_what_an_entry_says_now() {
    check(|store| {
        let mut told = paged("a", 3);
        told.telling_words = Some(telling_words());
        let a = insert(store, "education", &told);
        let b = insert(store, "education", &paged("b", 2));
        let words = |store: &mut dyn Store, number| {
            let asked = Inquiry { gists: [number].into(), ..Inquiry::default() };
            look(store, asked).gists.remove(&number).unwrap().telling_words
        };
        assert_eq!((words(store, a), words(store, b)), (Some(telling_words()), None));
        apply(store, &[Change::TellingWords { number: b, telling_words: telling_words() }]);
        assert_eq!(words(store, b), Some(telling_words()));
        apply(store, &[update(b, &paged("b", 2))]);
        assert_eq!(words(store, b), None, "it says something else");
    });
}

#[test]
fn stories_wait_for_their_related_news_until_it_is_chosen() {
    check(|store| {
        let told = [("a", 3), ("b", 2), ("c", 1)];
        let [a, b, c] = told.map(|(name, hours)| insert(store, "education", &paged(name, hours)));
        let waiting = |store: &mut dyn Store, after, limit| -> Vec<(i64, bool)> {
            let page = store.unrelated("numerique", after, limit).unwrap();
            page.iter().map(|(gist, is_chosen)| (gist.number, *is_chosen)).collect()
        };
        apply(store, &[relate(a, &[])]);
        assert_eq!(waiting(store, None, 9), [(a, true), (b, false), (c, false)], "those before can be chosen");
        assert_eq!(waiting(store, None, 2), [(a, true), (b, false)]);
        assert_eq!(waiting(store, Some((hour(-2), b)), 9), [(c, false)]);
        apply(store, &[relate(b, &[]), relate(c, &[])]);
        assert_eq!(waiting(store, None, 9), []);
        assert_eq!(waiting(store, Some((hour(-2), b)), 9), [(c, true)]);
        assert_eq!(store.unrelated("laicite", None, 9).unwrap(), []);
    });
}

#[test]
fn a_page_of_unrelated_stories_begins_a_window_before_the_first() {
    check(|store| {
        let last = i64::try_from(WINDOW).unwrap() + 10;
        let mut changes = Vec::new();
        for number in 1..=last {
            changes.push(insertion(number, "education", number, &numbered(number, paged("a", 2000 - number)), noon()));
            changes.extend((number < last).then(|| relate(number, &[])));
        }
        apply(store, &changes);
        let page = store.unrelated("numerique", None, 9999).unwrap();
        let numbers: Vec<i64> = page.iter().map(|(gist, _)| gist.number).collect();
        let before = numbers.iter().filter(|number| **number < last).count();
        assert!(numbers.is_sorted() && (WINDOW..=WINDOW + 1).contains(&before), "{before}");
        assert_eq!(page.last().map(|(_, is_chosen)| *is_chosen), Some(false));
    });
}

#[test]
fn during_a_relabelling_the_stories_to_come_wait_for_their_related_news() {
    check(|store| {
        let a = insert(store, "education", &paged("a", 1));
        apply(store, &[Change::BeginRules("rules 2".into()), label(a, "a", &["laicite"])]);
        assert_eq!(store.unrelated("numerique", None, 9).unwrap(), []);
        assert_eq!(store.unrelated("laicite", None, 9).unwrap().len(), 1);
    });
}

#[test]
fn stories_are_told_to_wait_for_their_related_news_until_they_wait_no_more() {
    check(|store| {
        let waiting = |store: &mut dyn Store| store.outline(&[], 0).unwrap().unrelated;
        apply(store, &[Change::Unrelated(vec![5, 2]), Change::Unrelated(vec![2, 9])]);
        assert_eq!(waiting(store), [2, 5, 9]);
        apply(store, &[Change::Related(vec![9, 2, 7])]);
        assert_eq!(waiting(store), [5]);
    });
}
