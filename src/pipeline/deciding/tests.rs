//! Stories do not depend on the order in which their entries came, nor on which of them came together.

mod nodes;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, TimeZone, Utc};
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::dedup::Subject;
use crate::feed::Entry;
use crate::fetch::Share;
use crate::pipeline::keeper::keep_polls;
use crate::pipeline::{merge, split};
use crate::store::sqlite::Sqlite;
use crate::store::{Filter, Store, Which};
use crate::story::{Plain, Prepared, StoredEntry};

const TEXT: &str = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école rurale \
    d’une connexion rapide et former ses enseignants aux usages nouveaux dans les trois ans. Le calendrier prévoit \
    une première vague de travaux dès le printemps, puis un bilan public avec les maires et les parents d’élèves.";

fn noon() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

fn grouping() -> Grouping {
    Grouping { settings: crate::dedup::usual_settings(), apart: HashSet::new() }
}

#[test]
fn a_sketch_that_was_read_before_somebody_else_wrote_is_read_again() {
    use super::literals::{around, peer, prepared};
    let grouping = grouping();
    let mut memo = Memo::default();
    let mut words = |generation: i64, text: &str| {
        let around = Surroundings { generation, ..around([peer(1, "a", &prepared("a", "1", text))]) };
        Draft::new(&around, &grouping, &mut memo).sketched(1).map(|read| read.clues.clone())
    };
    let [before, again, after] = [words(1, TEXT), words(1, "Rien."), words(2, "Rien.")];
    assert!(before == again && before != after);
}

/// An entry of a source: the path of its page, its title, its text.
fn entry(path: &str, title: &str, text: &str) -> Entry {
    Entry {
        id: Some(path.to_owned()),
        url: Url::parse(&format!("https://example.org/{path}")).ok(),
        title: Some(title.to_owned()),
        content: Some(text.to_owned()),
        published: Some(noon() - TimeDelta::hours(1)),
        ..Entry::default()
    }
}

fn poll_with(source_id: &str, entries: &[Entry], now: Timestamp) -> PollToKeep {
    let identified = dedup::identify(source_id, "rss20", entries.to_vec());
    let fresh = identified.into_iter().map(|(entry, mut identity)| {
        let subject = Subject::new(source_id, &entry, &Plain::of(&entry), &identity);
        identity.clues = subject.clues();
        let sketch = dedup::sketch(&subject, &identity.clues);
        let prepared = Prepared { entry, identity, labels: Vec::new(), rules: "".into(), telling_words: None, sketch };
        Fresh::new(source_id, prepared, Decision::New)
    });
    let document = PreparedDocument {
        fresh: fresh.collect(),
        same: Vec::new(),
        listing: Listing::Doubtful,
        since: None,
        _share: Share::default(),
    };
    poll_that_read(source_id, document, now)
}

fn poll_that_read(source_id: &str, document: PreparedDocument, now: Timestamp) -> PollToKeep {
    let state = SourceState { source_id: source_id.to_owned(), ..SourceState::default() };
    PollToKeep {
        hold: None,
        state,
        health: None,
        moved_to: None,
        throttle: None,
        is_answered: true,
        document: Some(document),
        trust: None,
        is_pushed: false,
        now,
    }
}

fn poll(store: &mut dyn Store, source_id: &str, entries: &[Entry], now: Timestamp) {
    keep_polls(store, &[poll_with(source_id, entries, now)], &grouping()).unwrap();
}

/// All stored entries, by number.
fn all(store: &mut dyn Store) -> Vec<StoredEntry> {
    let filter = Filter { which: Which::After(0), limit: 1000, ..Filter::default() };
    store.entries(&filter).unwrap().into_iter().map(|held| held.stored).collect()
}

/// The stories in the store, each as the pages that tell it.
fn told(store: &mut dyn Store) -> BTreeSet<BTreeSet<String>> {
    let mut told: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for stored in all(store) {
        let page = format!("{} {}", stored.source_id, stored.entry.url.unwrap().path());
        told.entry(stored.story).or_default().insert(page);
    }
    told.into_values().collect()
}

fn stored(polls: &[(&str, Vec<Entry>)]) -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    for (source_id, entries) in polls {
        poll(&mut store, source_id, entries, noon());
    }
    (folder, store)
}

/// One page of each source, polled in this order, and the stories that they tell.
fn check(polls: &[(&str, Entry)], expected: &[&[&str]]) {
    let polls: Vec<(&str, Vec<Entry>)> = polls.iter().map(|(source, entry)| (*source, vec![entry.clone()])).collect();
    let expected: BTreeSet<BTreeSet<String>> =
        expected.iter().map(|story| story.iter().map(|page| (*page).to_owned()).collect()).collect();
    assert_eq!(told(&mut stored(&polls).1), expected);
}

fn half(part: usize) -> String {
    let words: Vec<&str> = TEXT.split(' ').collect();
    let (start, end) = words.split_at(words.len() / 2);
    [start, end][part].join(" ")
}

#[test]
fn an_entry_that_comes_later_and_fits_two_stories_makes_them_one() {
    let title = "Un plan pour les écoles rurales";
    let (one, other) = (entry("1", title, &half(0)), entry("2", title, &half(1)));
    check(&[("a", one.clone()), ("b", other.clone())], &[&["a /1"], &["b /2"]]);
    let polls = [("a", one), ("b", other), ("c", entry("3", title, TEXT))];
    check(&polls, &[&["a /1", "b /2", "c /3"]]);
    let mut store = stored(&polls.map(|(source, entry)| (source, vec![entry]))).1;
    let heads: Vec<i64> = all(&mut store).iter().map(|stored| stored.story).collect();
    assert_eq!(heads, [1, 1, 1], "the earliest heads it");
}

#[test]
fn an_edit_that_makes_two_entries_differ_does_not_tear_their_story_apart() {
    let title = "Un plan pour les écoles rurales";
    let polls = [("a", vec![entry("1", title, TEXT)]), ("b", vec![entry("2", title, TEXT)])];
    let (_folder, mut store) = stored(&polls);
    poll(&mut store, "b", &[entry("2", "La neige bloque les cars scolaires du Cantal", "Aucun car lundi.")], noon());
    let together: BTreeSet<String> = ["a /1".into(), "b /2".into()].into();
    assert_eq!(told(&mut store), [together.clone()].into());
    // Nor does whoever comes next.
    poll(&mut store, "c", &[entry("3", title, TEXT)], noon());
    let all: BTreeSet<String> = together.into_iter().chain(["c /3".into()]).collect();
    assert_eq!(told(&mut store), [all].into());
}

#[test]
fn a_site_that_moves_years_later_gives_nobody_an_old_text_again() {
    let title = "Un plan pour les écoles rurales";
    let (_folder, mut store) = stored(&[("a", vec![entry("1", title, TEXT)])]);
    let years_later = noon() + TimeDelta::days(1000);
    poll(&mut store, "a", &[entry("actualites/1.html", title, TEXT)], years_later);
    assert_eq!(told(&mut store), [["a /actualites/1.html".to_owned()].into()].into());
    let again = Entry { published: Some(years_later), ..entry("2", title, TEXT) };
    poll(&mut store, "b", &[again], years_later);
    assert_eq!(told(&mut store).len(), 2, "what another source tells years later is other news");
}

#[test]
fn the_same_text_meets_within_the_window_wherever_that_begins() {
    for days in (0..120).step_by(7) {
        let (_folder, mut store) = stored(&[]);
        let first = noon() + TimeDelta::days(days);
        poll(&mut store, "a", &[entry("1", "Un plan pour les écoles rurales", TEXT)], first);
        poll(&mut store, "b", &[entry("2", "Écoles rurales : un plan", TEXT)], first + TimeDelta::days(89));
        assert_eq!(told(&mut store).len(), 1, "{days}");
    }
}

/// Entries that have nothing in common.
const SUBJECTS: [(&str, &str); 4] = [
    ("La cantine de Brest rouvre lundi", "Les cuisines refaites servent huit cents repas."),
    ("Un musée gratuit pour les collégiens", "Le musée du Havre ouvre ses salles aux classes."),
    ("Grève des surveillants à Nîmes", "La vie scolaire de deux lycées est fermée jeudi."),
    ("Le bus scolaire passe au gaz", "Trois lignes de la Sarthe changent de moteur."),
];

/// The numbers of the stories of the entries, in order.
fn heads(store: &mut dyn Store) -> Vec<i64> {
    all(store).iter().map(|stored| stored.story).collect()
}

fn config() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "[[feed]]\nurl = 'https://a.example/'\n[[topic]]\nid = 'a'\nany = ['a']").unwrap();
    crate::config::load(&path).unwrap()
}

#[test]
fn what_was_merged_is_merged_again_without_harm() {
    let polls: Vec<_> = (["a", "b", "c"].into_iter().zip(SUBJECTS))
        .map(|(source, (title, text))| (source, vec![entry(source, title, text)]))
        .collect();
    let (_folder, mut store) = stored(&polls);
    for (one, other) in [(1, 2), (1, 3), (1, 2)] {
        merge(&mut store, &config(), one, other, noon()).unwrap();
    }
    assert_eq!(heads(&mut store), [1, 1, 1]);
}

#[test]
fn two_stories_merge_whole_though_a_guard_keeps_their_entries_apart() {
    let told = |path, millions: i64| entry(path, &format!("Cantines rurales : un plan de {millions} millions"), TEXT);
    let polls = [("a", told("1", 12)), ("b", told("2", 12)), ("c", told("3", 14)), ("d", told("4", 14))];
    let (_folder, mut store) = stored(&polls.map(|(source, entry)| (source, vec![entry])));
    assert_eq!(heads(&mut store), [1, 1, 3, 3]);
    merge(&mut store, &config(), 1, 3, noon()).unwrap();
    assert_eq!(heads(&mut store), [1, 1, 1, 1]);
}

#[test]
fn what_is_left_of_a_story_that_was_split_stays_together() {
    let title = "Un plan pour les écoles rurales";
    let polls = ["a", "b", "c"].map(|source| (source, vec![entry(source, title, TEXT)]));
    let (_folder, mut store) = stored(&polls);
    split(&mut store, &config(), 2, noon()).unwrap();
    poll(&mut store, "d", &[entry("d", title, TEXT)], noon());
    assert_eq!(heads(&mut store), [1, 2, 1, 1]);
    split(&mut store, &config(), 1, noon()).unwrap();
    assert_eq!(heads(&mut store), [1, 2, 3, 3]);
}

#[test]
fn a_page_that_changes_each_week_does_not_join_the_weeks_of_another_source() {
    let (_folder, mut store) = stored(&[]);
    for week in 12..15 {
        let title = format!("Agenda de la ministre, semaine {week}");
        let now = noon() + TimeDelta::weeks(week);
        poll(&mut store, "a", &[entry("agenda", &title, TEXT)], now);
        poll(&mut store, "b", &[entry(&format!("agenda-{week}"), &title, TEXT)], now);
    }
    let stories = heads(&mut store);
    let of_b: BTreeSet<i64> = stories.iter().skip(1).copied().collect();
    assert_eq!(of_b.len(), 3, "{stories:?}");
}

#[test]
fn what_a_source_that_is_new_to_us_tells_again_from_years_ago_is_no_news() {
    let title = "Un plan pour les écoles rurales";
    let (_folder, mut store) = stored(&[("a", vec![entry("1", title, TEXT)])]);
    poll(&mut store, "renamed", &[entry("1", title, TEXT)], noon() + TimeDelta::days(500));
    assert_eq!(heads(&mut store), [1, 1]);
}

#[test]
fn sources_that_keep_to_themselves_are_never_joined() {
    let mut grouping = grouping();
    grouping.apart.insert("b".into());
    assert!(!grouping.may_meet("a", "b") && grouping.may_meet("b", "b") && grouping.may_meet("a", "c"));
}

#[test]
fn a_poll_counts_what_is_new_and_what_reads_otherwise() {
    let (_folder, mut store) = stored(&[]);
    let told: Vec<Entry> = SUBJECTS.iter().map(|(title, text)| entry(&title.replace(' ', "-"), title, text)).collect();
    let mut counts =
        |entries: &[Entry]| keep_polls(&mut store, &[poll_with("a", entries, noon())], &grouping()).unwrap();
    assert_eq!(counts(&told[..3]), [Counts { new: 3, changed: 0 }]);
    let edited = |entry: &Entry| Entry { content: Some("Tout est dit autrement.".into()), ..entry.clone() };
    let next = [edited(&told[0]), edited(&told[1]), told[2].clone(), told[3].clone()];
    assert_eq!(counts(&next), [Counts { new: 1, changed: 2 }]);
}

#[test]
fn a_silent_source_is_well_again_once_it_says_something_new() {
    let (_folder, mut store) = stored(&[]);
    let mut told = |entries: &[Entry]| {
        let poll = PollToKeep { health: Some(Health::Silent), ..poll_with("a", entries, noon()) };
        keep_polls(&mut store, &[poll], &grouping()).unwrap();
        store.health(Some(&Monitored::Source("a".into()))).unwrap().pop().map(|turn| turn.health)
    };
    assert_eq!(told(&[]), None);
    assert_eq!(told(&[entry("1", "Un plan", TEXT)]), Some(Health::Recovered));
}

#[test]
fn the_same_text_from_another_source_on_another_day_tells_the_same_story() {
    let title = "Un plan pour les écoles rurales";
    let next_day = Entry { published: Some(noon() + TimeDelta::days(1)), ..entry("2", title, TEXT) };
    check(&[("a", entry("1", title, TEXT)), ("b", next_day)], &[&["a /1", "b /2"]]);
}

/// Retellings of few items, with numbers and cuts that make some pairs the same, some different, some neither.
fn retellings() -> impl Strategy<Value = Vec<(String, Entry)>> {
    let titles = prop::sample::select(vec![
        "Un plan pour les écoles rurales",
        "[Communiqué] Un plan pour les écoles rurales",
        "Un plan pour les écoles rurales en 2026",
        "Un plan pour les écoles rurales en 2027",
        "Plan numéro 2 pour les écoles rurales",
        "Communiqué de presse",
    ]);
    let texts = prop::sample::select(vec![
        TEXT.to_owned(),
        half(0),
        half(1),
        TEXT.replace("trois ans", "quatre ans"),
        format!("{TEXT} Il coûtera 12 millions en 2026."),
        format!("{TEXT} Il coûtera 15 millions en 2027."),
        String::new(),
    ]);
    let told = ("[abcde]", "[xyz]", titles, texts);
    prop::collection::vec(told, 2..8).prop_map(|told| {
        let mut seen = HashSet::new();
        let told = told.into_iter().filter(|(source, page, ..)| seen.insert((source.clone(), page.clone())));
        told.map(|(source, page, title, text)| {
            // Some pages are shared between sources, most are their own.
            let path = if page == "x" { page } else { format!("{source}-{page}") };
            (source, entry(&path, title, &text))
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn shuffled_orders_of_polls_give_the_same_stories(told in retellings(), seed in any::<u64>()) {
        let polled = |told: &[(String, Entry)]| {
            let mut documents: Vec<(&str, Vec<Entry>)> = Vec::new();
            for (source, entry) in told {
                match documents.iter_mut().find(|(other, _)| other == source) {
                    Some((_, entries)) => entries.push(entry.clone()),
                    None => documents.push((source, vec![entry.clone()])),
                }
            }
            super::tests::told(&mut stored(&documents).1)
        };
        let mut shuffled = told.clone();
        let mut state = seed;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
        }
        prop_assert_eq!(polled(&told), polled(&shuffled));
    }

    #[test]
    fn polls_that_are_kept_together_give_the_same_stories_as_one_by_one(told in retellings()) {
        let mut documents: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
        for (source, entry) in &told {
            documents.entry(source).or_default().push(entry.clone());
        }
        let documents: Vec<(&str, Vec<Entry>)> = documents.into_iter().collect();
        let (_folder, mut one_by_one) = stored(&documents);
        let (_folder, mut together) = stored(&[]);
        let polls: Vec<PollToKeep> =
            documents.iter().map(|(source, entries)| poll_with(source, entries, noon())).collect();
        keep_polls(&mut together, &polls, &grouping()).unwrap();
        prop_assert_eq!(all(&mut together), all(&mut one_by_one));
    }
}

/// An entry of the topic `ecole` that is dated so many hours ago.
fn labelled_entry(path: &str, hours: Option<i64>) -> Entry {
    let published = hours.map(|hours| noon() - TimeDelta::hours(hours));
    Entry { published, ..entry(path, &format!("Titre {path}"), &format!("Le texte de {path}, et rien d'autre.")) }
}

/// A document of the source `a` whose last one was read an hour ago; the entries it shares with that are told by number.
fn document_of(entries: &[Entry], same: &[i64], since: Option<Timestamp>) -> PollToKeep {
    let mut poll = poll_with("a", entries, noon());
    let document = poll.document.as_mut().unwrap();
    document.since = since;
    document.same = same.to_vec();
    for fresh in &mut document.fresh {
        let mut prepared = (*fresh.prepared).clone();
        prepared.labels = vec![crate::topic::Label { topic: "ecole".into(), score: 6.0, reasons: Vec::new() }];
        fresh.prepared = Arc::new(prepared);
    }
    poll
}

/// Checks which of the entries of a document are news to posts, by their places in the order of dates.
#[track_caller]
fn check_news(poll: &PollToKeep, expected: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
    let topic = crate::outbox::PostTopic { post: "p".into(), topic: "ecole".into(), too_old: TimeDelta::days(2) };
    assert_eq!(store.apply(&[Change::Enroll(vec![topic])], None).unwrap(), crate::store::Applied::Kept);
    keep_polls(&mut store, std::slice::from_ref(poll), &grouping()).unwrap();
    assert_eq!(store.outbox("p", noon(), 100).unwrap().count, expected);
}

/// An hour before.
fn before() -> Timestamp {
    noon() - TimeDelta::hours(1)
}

#[test]
fn the_first_document_of_a_source_is_no_news_and_later_ones_are() {
    let two = [labelled_entry("1", Some(1)), labelled_entry("2", None)];
    check_news(&document_of(&two, &[], None), 0);
    check_news(&document_of(&two, &[], Some(before())), 2);
}

#[test]
fn an_entry_that_is_dated_long_ago_is_no_news() {
    let two = [labelled_entry("1", Some(24)), labelled_entry("2", Some(24 * 40))];
    check_news(&document_of(&two, &[7], Some(before())), 1);
}

#[test]
fn of_a_document_that_shares_nothing_with_the_last_only_what_is_dated_since_is_news() {
    let many = [
        labelled_entry("1", None),
        labelled_entry("2", None),
        labelled_entry("3", Some(30)),
        labelled_entry("4", Some(40)),
        labelled_entry("5", Some(2)),
    ];
    check_news(&document_of(&many, &[], Some(before())), 1);
    check_news(&document_of(&many, &[7], Some(before())), 5);
    check_news(&document_of(&many[..3], &[], Some(before())), 3);
}
