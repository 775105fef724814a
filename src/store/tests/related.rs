//! Related news.

use super::*;

/// A story of the topic with a page, so many hours old.
fn paged(name: &str, hours: i64) -> Prepared {
    let mut prepared = prepared(name);
    prepared.entry.url = format!("https://a.example/{name}").parse().ok();
    prepared.entry.published = Some(noon() - TimeDelta::hours(hours));
    prepared
}

fn related(store: &mut dyn Store, head: i64) -> Vec<i64> {
    let stories = newest(store, "numerique", 10);
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
        let before = months(store);
        assert_eq!(store.drop_before(noon() - TimeDelta::days(1), &["education".to_owned()]).unwrap(), 1);
        assert_eq!(related(store, new), [] as [i64; 0]);
        assert_ne!(months(store), before);
        assert_eq!(store.unrelated(new).unwrap(), [], "it is not chosen anew");
    });
}

#[test]
fn the_month_of_a_story_changes_with_its_related_news() {
    check(|store| {
        let old = store.insert("education", &paged("a", 24 * 60), None, noon()).unwrap();
        let new = store.insert("education", &paged("b", 1), None, noon()).unwrap();
        let stamp = |store: &mut dyn Store| months(store).last().unwrap().1;
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
