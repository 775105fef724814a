//! The questions of decisions, and their answers.

use super::*;
use crate::story::WINDOW;

fn keys(source_id: &str, keys: &[EntryKey]) -> Inquiry {
    Inquiry { keys: BTreeMap::from([(source_id.into(), keys.iter().copied().collect())]), ..Inquiry::default() }
}

#[test]
fn an_entry_is_known_by_its_key_and_by_its_guid_in_its_source() {
    check(|store| {
        let identity = prepared("a").identity;
        let number = insert(store, "education", &prepared("a"));
        insert(store, "education", &prepared("b"));
        let (key, guid_key) = (identity.key, identity.guid_key);
        let known = Known { number, key, guid_key, fingerprint: identity.fingerprint };
        for asked in [vec![key], vec![guid_key.unwrap()], vec![key, guid_key.unwrap()]] {
            let found = look(store, keys("education", &asked)).known;
            assert_eq!(found["education"], BTreeMap::from([(number, known.clone())]));
        }
        assert_eq!(look(store, keys("culture", &[key])).known["culture"], BTreeMap::new());
    });
}

#[test]
fn entries_that_share_a_guid_are_all_known_by_it() {
    check(|store| {
        let [a, mut b] = [prepared("a"), prepared("b")];
        b.identity.guid_key = a.identity.guid_key;
        let numbers = [&a, &b].map(|prepared| insert(store, "education", prepared));
        let found = look(store, keys("education", &[a.identity.guid_key.unwrap()])).known;
        assert_eq!(found["education"].keys().copied().collect::<Vec<_>>(), numbers);
    });
}

#[test]
fn a_listing_holds_the_entries_that_a_source_lists_and_those_that_are_missed() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        let c = insert(store, "education", &undated("c"));
        insert(store, "culture", &prepared("d"));
        let listing = |store: &mut dyn Store| {
            let asked = Inquiry { listings: ["education".to_owned()].into(), ..Inquiry::default() };
            let mut listing = look(store, asked).listings.remove("education").unwrap();
            listing.sort_by_key(|listed| listed.number);
            listing
        };
        let of = |number, name: &str, date, missed_since| Listed {
            number,
            key: prepared(name).identity.key,
            date,
            missed_since,
        };
        let [in_a, in_b] = [of(a, "a", Some(hour(-1)), None), of(b, "b", Some(hour(-1)), None)];
        let in_c = of(c, "c", None, None);
        assert_eq!(listing(store), [in_a, in_b, in_c], "only dates that the publisher gives are told");
        apply(
            store,
            &[
                Change::Leave { numbers: vec![a, b], now: hour(1) },
                Change::Miss { numbers: vec![b], since: Some(hour(1)) },
            ],
        );
        let missed = Listed { missed_since: Some(hour(1)), ..in_b };
        assert_eq!(listing(store), [missed, in_c]);
        apply(store, &[Change::Withdraw { numbers: vec![b], now: hour(2) }]);
        assert_eq!(listing(store), [in_c], "it is not missed any more");
        apply(store, &[Change::Relist { number: b, changed: None }]);
        assert_eq!(listing(store), [in_b, in_c]);
        apply(
            store,
            &[
                Change::Leave { numbers: vec![b], now: hour(3) },
                Change::Miss { numbers: vec![b], since: Some(hour(3)) },
                Change::Miss { numbers: vec![b], since: None },
            ],
        );
        assert_eq!(listing(store), [in_c]);
    });
}

fn spans(store: &mut dyn Store, source_id: &str, since: Timestamp) -> Vec<ListedSpan> {
    let asked = Inquiry { spans: [(source_id.to_owned(), since)].into(), ..Inquiry::default() };
    look(store, asked).spans.remove(source_id).unwrap()
}

#[test]
fn the_stay_of_an_entry_is_known_while_it_is_listed_and_for_a_while_after() {
    check(|store| {
        let [a, b, c] = insert_all(store, ["a", "b", "c"]);
        apply(
            store,
            &[Change::Leave { numbers: vec![a], now: hour(1) }, Change::Leave { numbers: vec![b], now: hour(2) }],
        );
        let stay = |number, until| ListedSpan { number, date: hour(-1), from: noon(), until };
        let (here, late, early) = (stay(c, None), stay(b, Some(hour(2))), stay(a, Some(hour(1))));
        assert_eq!(spans(store, "education", hour(1)), [here, late, early]);
        assert_eq!(spans(store, "education", hour(2)), [here, late]);
        assert_eq!(spans(store, "culture", noon()), []);
    });
}

#[test]
fn of_many_departures_the_latest_are_known() {
    check(|store| {
        let most = i64::try_from(SPANS_MAX).unwrap();
        let changes = (1..=most + 3).flat_map(|number| {
            let prepared = numbered(number, prepared("a"));
            let left = Change::Leave { numbers: vec![number], now: hour(number) };
            [insertion(number, "education", number, &prepared, noon()), left]
        });
        apply(store, &changes.collect::<Vec<_>>());
        let left: Vec<_> = spans(store, "education", noon()).into_iter().filter_map(|stay| stay.until).collect();
        assert_eq!((left.len(), left.first(), left.last()), (SPANS_MAX, Some(&hour(most + 3)), Some(&hour(4))));
    });
}

fn recent(store: &mut dyn Store, since: Timestamp, clue: i64) -> Vec<i64> {
    let asked = (Period::of(since), clue);
    look(store, Inquiry { recent: [asked].into(), ..Inquiry::default() }).recent.remove(&asked).unwrap()
}

fn lasting(store: &mut dyn Store, clue: i64) -> Vec<i64> {
    look(store, Inquiry { lasting: [clue].into(), ..Inquiry::default() }).lasting.remove(&clue).unwrap()
}

#[test]
fn recent_clues_are_found_by_the_period_of_the_first_sight_the_latest_first() {
    check(|store| {
        let mut changes = Vec::new();
        for (number, days) in [(1, -200), (2, -100), (3, 0), (4, 0)] {
            let prepared = numbered(number, prepared("a"));
            changes.push(insertion(number, "education", number, &prepared, noon() + TimeDelta::days(days)));
        }
        changes.push(insertion(5, "education", 5, &prepared("b"), noon()));
        apply(store, &changes);
        let since = |days| noon() - TimeDelta::days(days);
        let clue = i64::from(b'a');
        let mut found = |days| recent(store, since(days), clue);
        assert_eq!((found(200), found(100), found(0)), (vec![4, 3, 2, 1], vec![4, 3, 2], vec![4, 3]));
        assert_eq!(found(-100), [] as [i64; 0]);
        assert_eq!(recent(store, since(200), 7), [] as [i64; 0]);
    });
}

#[test]
fn lasting_clues_are_found_whenever_their_entry_was_seen() {
    check(|store| {
        let mut prepared = prepared("a");
        prepared.identity.clues = Clues { recent: vec![1], lasting: vec![2] };
        let years_ago = noon() - TimeDelta::days(3000);
        apply(store, &[insertion(1, "education", 1, &prepared, years_ago)]);
        assert_eq!((lasting(store, 2), lasting(store, 1)), (vec![1], Vec::new()));
        assert_eq!((recent(store, years_ago, 1), recent(store, years_ago, 2)), (vec![1], Vec::new()));
    });
}

#[test]
fn of_many_entries_with_a_clue_the_latest_are_told() {
    check(|store| {
        let many = i64::try_from(SHARING_MAX).unwrap() + 3;
        let changes: Vec<Change> = (1..=many)
            .map(|number| {
                // Half of them are of the period before.
                let first_seen = if number <= many / 2 { noon() - TimeDelta::days(90) } else { noon() };
                insertion(number, "education", number, &numbered(number, prepared("a")), first_seen)
            })
            .collect();
        apply(store, &changes);
        let expected: Vec<i64> = (4..=many).rev().collect();
        let clue = i64::from(b'a');
        assert_eq!(
            (recent(store, noon() - TimeDelta::days(90), clue), lasting(store, clue)),
            (expected.clone(), expected)
        );
    });
}

#[test]
fn a_peer_comes_with_all_that_a_decision_needs_of_it() {
    check(|store| {
        let mut told = labelled("b", RULES, &["numerique", "laicite"]);
        told.identity.canonical_link = Some("example.org/b".into());
        let a = insert(store, "education", &prepared("a"));
        let b = insert(store, "culture", &told);
        apply(
            store,
            &[
                Change::Move { number: b, story: a, joined: Some(hour(1)) },
                Change::Withdraw { numbers: vec![b], now: hour(2) },
            ],
        );
        let peer = Peer {
            number: b,
            source_id: "culture".into(),
            key: told.identity.key,
            story: a,
            joined: Some(hour(1)),
            first_seen: noon(),
            date: hour(-1),
            changed: None,
            withdrawn: Some(hour(2)),
            id: Some("urn:b".into()),
            canonical_link: Some("example.org/b".into()),
            published: Some(hour(-1)),
            topics: vec!["laicite".into(), "numerique".into()],
            sketch: Some(b"b".to_vec()),
        };
        let around = look(store, Inquiry { peers: [b].into(), ..Inquiry::default() });
        assert_eq!(around.peers[&b], peer);
    });
}

#[test]
fn peers_come_with_all_others_of_their_story_their_bonds_and_the_choices_made_for_it() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        let other = insert(store, "education", &prepared("x"));
        let b = tell(store, "culture", &prepared("b"), a);
        let c = tell(store, "sante", &prepared("c"), a);
        let [bound, apart] = [Bond::new(b, c, true), Bond::new(a, other, false)];
        apply(
            store,
            &[
                Change::Bind(Bond::new(b, c, false)),
                Change::Bind(bound),
                Change::Bind(apart),
                Change::Relate { topic: "numerique".into(), story: a, others: vec![other] },
                Change::Relate { topic: "numerique".into(), story: other, others: Vec::new() },
            ],
        );
        let around = look(store, Inquiry { peers: [b, c, 99].into(), ..Inquiry::default() });
        assert_eq!(around.peers.keys().copied().collect::<BTreeSet<_>>(), [a, b, c].into());
        assert_eq!(around.stories, [(a, vec![a, b, c])].into());
        assert_eq!(around.bonds, [bound, apart].into(), "the last bond between two counts");
        assert_eq!(around.related, [("numerique".to_owned(), a)].into());
    });
}

#[test]
fn entries_that_wait_for_a_story_tell_none_together() {
    check_kept(|file| {
        let [a, _] = insert_all(&mut *file.store, ["a", "b"]);
        file.run("UPDATE entry SET story = 0");
        let around = look(&mut *file.store, Inquiry { peers: [a].into(), ..Inquiry::default() });
        assert_eq!(around.peers.keys().copied().collect::<Vec<_>>(), [a]);
        assert!(around.stories.is_empty());
    });
}

#[test]
fn texts_and_taken_ids_are_told_of_those_that_are_there() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        let asked = Inquiry {
            texts: [a, 99].into(),
            atom_ids: ["urn:a".to_owned(), "urn:x".to_owned()].into(),
            gists: [a, 99].into(),
            ..Inquiry::default()
        };
        let around = look(store, asked);
        assert_eq!(around.texts, [(a, entry(store, a).unwrap().unwrap())].into());
        assert_eq!(around.atom_ids, ["urn:a".to_owned()].into());
        let title = Some("a".to_owned());
        let gist = Gist {
            number: a,
            source_id: "education".into(),
            date: hour(-1),
            title,
            has_page: false,
            telling_words: None,
        };
        assert_eq!(around.gists, [(a, gist)].into());
    });
}

fn paged(name: &str, date: Timestamp) -> Prepared {
    let mut prepared = published(name, Some(date));
    prepared.entry.url = format!("https://a.example/{name}").parse().ok();
    prepared
}

fn window(store: &mut dyn Store, places: &[Order]) -> Vec<i64> {
    let asked = [("numerique".to_owned(), places.iter().copied().collect())].into();
    let mut around = look(store, Inquiry { windows: asked, ..Inquiry::default() });
    around.windows.remove("numerique").unwrap().into_values().map(|gist| gist.number).collect()
}

#[test]
fn a_window_holds_the_stories_with_a_page_before_a_place() {
    check(|store| {
        let a = insert(store, "education", &paged("a", hour(-3)));
        let [b, c] = ["b", "c"].map(|name| insert(store, "education", &paged(name, hour(-2))));
        tell(store, "culture", &paged("d", hour(-1)), a);
        insert(store, "education", &prepared("e"));
        insert(store, "education", &Prepared { labels: labels(&["laicite"]), ..paged("f", hour(-3)) });
        let mut before = |place| window(store, &[place]);
        assert_eq!(before((hour(-2), c)), [a, b]);
        assert_eq!(before((hour(-2), b)), [a]);
        assert_eq!(before((hour(-3), a)), [] as [i64; 0]);
        assert_eq!(before((noon(), i64::MAX)), [a, b, c], "what has no page leads nowhere");
    });
}

#[test]
fn the_windows_of_several_places_hold_the_latest_before_each() {
    check(|store| {
        let (most, last) = (i64::try_from(WINDOW).unwrap(), 2 * i64::try_from(WINDOW).unwrap());
        let story =
            |number| insertion(number, "education", number, &numbered(number, paged("a", hour(number - 2000))), noon());
        apply(store, &(1..=last).map(story).collect::<Vec<_>>());
        let place = |number: i64| (hour(number - 2000), number);
        assert_eq!(window(store, &[place(last)]), (last - most..last).collect::<Vec<_>>());
        let apart: Vec<i64> = (1..10).chain(last - most..last).collect();
        assert_eq!(window(store, &[place(10), place(last)]), apart);
        let overlapping: Vec<i64> = (most - 300..last).collect();
        assert_eq!(window(store, &[place(last - 300), place(last)]), overlapping);
    });
}

#[test]
fn what_is_asked_and_not_there_is_told_as_empty() {
    check(|store| {
        let asked = Inquiry {
            keys: keys("x", &[EntryKey([1; 16])]).keys,
            listings: ["x".to_owned()].into(),
            spans: [("x".to_owned(), noon())].into(),
            recent: [(Period::of(noon()), 1)].into(),
            lasting: [1].into(),
            peers: [1].into(),
            texts: [1].into(),
            atom_ids: ["x".to_owned()].into(),
            windows: [("x".to_owned(), [(noon(), 1)].into())].into(),
            gists: [1].into(),
        };
        let expected = Surroundings {
            next_number: 1,
            asked: asked.clone(),
            known: [("x".to_owned(), BTreeMap::new())].into(),
            listings: [("x".to_owned(), Vec::new())].into(),
            spans: [("x".to_owned(), Vec::new())].into(),
            recent: [((Period::of(noon()), 1), Vec::new())].into(),
            lasting: [(1, Vec::new())].into(),
            windows: [("x".to_owned(), BTreeMap::new())].into(),
            ..Surroundings::default()
        };
        assert_eq!(look(store, asked), expected);
    });
}

#[test]
fn a_look_tells_its_moment_the_next_number_and_the_rules_in_force() {
    check(|store| {
        apply(store, &[insertion(6, "education", 6, &prepared("a"), noon())]);
        let around = look(store, Inquiry::default());
        assert_eq!((around.generation, around.next_number, &*around.rules), (generation(store), 7, RULES));
    });
}

#[test]
fn all_that_a_look_brings_is_of_one_moment() {
    check_kept(|file| {
        let place = file.place.clone();
        let writing = std::thread::spawn(move || {
            let mut store = place.open_within(sqlite::BUSY_TIMEOUT).unwrap();
            for number in 1..=60 {
                apply(&mut *store, &[insertion(number, "education", 1, &numbered(number, prepared("a")), noon())]);
            }
        });
        let asked = Inquiry { peers: [1].into(), texts: (1..=60).collect(), ..Inquiry::default() };
        loop {
            let around = look(&mut *file.store, asked.clone());
            let there = usize::try_from(around.next_number - 1).unwrap();
            assert_eq!((around.peers.len(), around.texts.len()), (there, there));
            if there == 60 {
                break;
            }
        }
        writing.join().unwrap();
    });
}

#[test]
fn a_second_look_adds_to_the_first() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        let asked = |number, name: &str| Inquiry {
            keys: keys("education", &[prepared(name).identity.key]).keys,
            listings: [name.to_owned()].into(),
            spans: [(name.to_owned(), noon())].into(),
            recent: [(Period::of(noon()), number)].into(),
            lasting: [number].into(),
            peers: [number].into(),
            texts: [number].into(),
            atom_ids: [format!("urn:{name}")].into(),
            windows: [("numerique".to_owned(), [(noon(), number)].into())].into(),
            gists: [number].into(),
        };
        let (one, other) = (look(store, asked(a, "a")), look(store, asked(b, "b")));
        let both = one.with(other).unwrap();
        assert_eq!(look(store, both.asked.clone()), both);
    });
}

#[test]
fn looks_at_two_generations_do_not_go_together() {
    check(|store| {
        let asked = || Inquiry { peers: [1].into(), ..Inquiry::default() };
        let before = look(store, asked());
        insert(store, "education", &prepared("a"));
        let after = look(store, asked());
        assert_eq!(before.with(after.clone()), None);
        assert_eq!(Surroundings::default().with(after.clone()), Some(after), "the first look adds to nothing");
    });
}
