//! Entries, one by one.

use super::*;

#[test]
fn an_entry_comes_back_as_it_was_kept() {
    check(|store| {
        let mut prepared = prepared("a");
        prepared.identity.canonical_link = Some("example.org/12".into());
        apply(store, &[insertion(7, "education", 7, &prepared, hour(2))]);
        let expected = StoredEntry {
            number: 7,
            source_id: "education".into(),
            key: prepared.identity.key,
            atom_id: "urn:a".into(),
            story: 7,
            canonical_link: Some("example.org/12".into()),
            owns_guid: true,
            first_seen: hour(2),
            date: hour(-1),
            changed: None,
            entry: prepared.entry.clone(),
        };
        assert_eq!(entry(store, 7).unwrap(), Some(expected.clone()));
        let held = held(store, Which::Newest).remove(0);
        assert_eq!(held, Held { stored: expected, fingerprint: fingerprint("a"), labels: prepared.labels });
    });
}

#[test]
fn whatever_an_entry_says_comes_back() {
    use crate::feed::{Category, Comments, Enclosure, Origin, Person};
    check(|store| {
        let url = |path: &str| Some(format!("https://a.example/{path}").parse().unwrap());
        let said = Entry {
            url: url("12"),
            content: Some("<p>Tout.</p>".into()),
            base: url("base"),
            updated: Some(hour(1)),
            authors: vec![Person { name: Some("Ada".into()), email: Some("a@a.example".into()), uri: None }],
            categories: vec![Category { term: "ecole".into(), scheme: None, label: Some("École".into()) }],
            enclosures: vec![Enclosure {
                url: "https://a.example/1.mp3".parse().unwrap(),
                media_type: Some("audio/mpeg".into()),
                length: Some(7),
                title: Some("Le son".into()),
            }],
            image: url("12.jpg").map(Image::from),
            language: Some("fr".into()),
            rights: Some("Licence ouverte".into()),
            comments: Comments { url: url("12#c"), feed: url("12/c"), count: Some(3), updated: Some(hour(2)) },
            origin: Some(Origin { title: Some("B".into()), url: url("b") }),
            ..prepared("a").entry
        };
        let number = insert(store, "education", &Prepared { entry: said.clone(), ..prepared("a") });
        assert_eq!(entry(store, number).unwrap().unwrap().entry, said);
        let edited = Entry { rights: None, comments: Comments { count: Some(4), ..Comments::default() }, ..said };
        apply(store, &[update(number, &Prepared { entry: edited.clone(), ..prepared("b") })]);
        assert_eq!(entry(store, number).unwrap().unwrap().entry, edited);
    });
}

#[test]
fn an_entry_is_published_under_the_id_that_was_decided() {
    check(|store| {
        let Change::Insert { number, source_id, story, first_seen, date, prepared, .. } =
            insertion(1, "education", 1, &prepared("a"), noon())
        else {
            unreachable!()
        };
        apply(
            store,
            &[Change::Insert { number, source_id, story, first_seen, date, atom_id: "urn:x".into(), prepared }],
        );
        let stored = entry(store, 1).unwrap().unwrap();
        assert_eq!((&*stored.atom_id, stored.entry.id.as_deref()), ("urn:x", Some("urn:a")));
    });
}

#[test]
fn an_edit_replaces_what_is_said_and_leaves_who_says_it() {
    check(|store| {
        let a = insert(store, "education", &prepared("a"));
        let before = entry(store, a).unwrap().unwrap();
        let mut edited = prepared("b");
        edited.entry.published = None;
        edited.identity.owns_guid = false;
        edited.identity.canonical_link = Some("example.org/b".into());
        let (date, changed) = (hour(-3), Some(hour(5)));
        let prepared = Arc::new(edited.clone());
        let said = before.entry.published;
        apply(store, &[Change::Update { number: a, prepared, date, published: said, changed, revision: None }]);
        let expected = StoredEntry {
            key: edited.identity.key,
            canonical_link: edited.identity.canonical_link,
            owns_guid: false,
            date,
            changed,
            entry: Entry { published: said, ..edited.entry },
            ..before
        };
        assert_eq!(entry(store, a).unwrap(), Some(expected));
        let asked = Inquiry {
            keys: BTreeMap::from([("education".into(), BTreeSet::from([EntryKey([b'b'; 16]), EntryKey([b'a'; 16])]))]),
            ..Inquiry::default()
        };
        let known = look(store, asked).known.remove("education").unwrap();
        assert_eq!(known[&a].fingerprint, fingerprint("b"));
    });
}

#[test]
fn an_edit_leaves_no_clue_of_the_old_text() {
    check_kept(|file| {
        let a = insert(&mut *file.store, "education", &prepared("a"));
        let clues = Clues { recent: vec![1, 3], lasting: vec![5] };
        let mut edited = prepared("a");
        edited.identity.clues = clues;
        apply(&mut *file.store, &[update(a, &edited)]);
        assert_eq!(file.numbers("SELECT hash FROM clue ORDER BY hash"), [1, 3, 5]);
    });
}

#[test]
fn a_sketch_made_again_replaces_the_clues_and_itself() {
    check_kept(|file| {
        let [a, b] = insert_all(&mut *file.store, ["a", "b"]);
        let clues = Clues { recent: vec![1], lasting: vec![3] };
        apply(&mut *file.store, &[Change::Sketch { number: a, clues, sketch: b"new".into() }]);
        assert_eq!(file.numbers(&format!("SELECT hash FROM clue WHERE entry = {a} ORDER BY hash")), [1, 3]);
        assert_eq!(file.numbers(&format!("SELECT count(*) FROM clue WHERE entry = {b}")), [2]);
        let asked = Inquiry { peers: [a].into(), ..Inquiry::default() };
        assert_eq!(look(&mut *file.store, asked).peers[&a].sketch.as_deref(), Some(&b"new"[..]));
    });
}

#[test]
fn nothing_is_made_of_changes_to_entries_that_are_gone() {
    check(|store| {
        apply(
            store,
            &[
                update(9, &prepared("a")),
                Change::Move { number: 9, story: 9, joined: None },
                Change::Sketch { number: 9, clues: Clues::default(), sketch: Vec::new() },
                Change::Relist { number: 9, changed: None },
                Change::Withdraw { numbers: vec![9], now: noon() },
                label(9, "a", &["numerique"]),
            ],
        );
        assert_eq!((held(store, Which::Newest), shown(store, "numerique")), (Vec::new(), Vec::new()));
    });
}

#[test]
fn days_with_entries_are_counted_by_source() {
    check(|store| {
        let told = [("a", "education", 0), ("b", "education", 1), ("c", "education", 48), ("d", "x", 0)];
        for (number, (name, source_id, hours)) in (1..).zip(told) {
            apply(store, &[insertion(number, source_id, number, &undated(name), hour(hours))]);
        }
        let days = store.entry_days(noon()).unwrap();
        let each = days.iter().flat_map(|(source_id, days)| days.iter().map(move |day| (&**source_id, day)));
        let found: Vec<_> =
            each.map(|(source_id, day)| (source_id, (day.last - noon()).num_hours(), day.entries)).collect();
        assert_eq!(found, [("education", 1, 2), ("education", 48, 1), ("x", 0, 1)]);
        assert_eq!(store.entry_days(hour(2)).unwrap().len(), 1);
    });
}

#[test]
fn an_entry_is_found_by_what_people_call_it() {
    check(|store| {
        let mut prepared = prepared("a");
        prepared.entry.id = Some("news-12".into());
        prepared.entry.url = url::Url::parse("https://www.example.org/12?utm_source=x").ok();
        prepared.identity.canonical_link = Some("example.org/12".into());
        let number = insert(store, "education", &prepared);
        let url = prepared.entry.url.as_ref().unwrap().as_str();
        let found = |store: &mut dyn Store, name: &str, link: Option<&str>| {
            numbers(&held(store, Which::Named { name: name.into(), link: link.map(str::to_owned) }))
        };
        for (name, link) in [("news-12", None), ("urn:a", None), (url, None), ("", Some("example.org/12"))] {
            assert_eq!(found(store, name, link), [number], "{name}");
        }
        assert_eq!(found(store, "news-13", None), [] as [i64; 0]);
    });
}

#[test]
fn entries_are_listed_newest_first_or_by_number_as_many_as_are_wanted() {
    check(|store| {
        let old = insert(store, "education", &published("a", Some(hour(-1))));
        let older = insert(store, "education", &published("b", Some(hour(-2))));
        let newest = insert(store, "education", &published("c", Some(hour(0))));
        assert_eq!(numbers(&held(store, Which::Newest)), [newest, old, older]);
        assert_eq!(numbers(&held(store, Which::After(old))), [older, newest]);
        assert_eq!(numbers(&held(store, Which::Number(older))), [older]);
        let one = Filter { limit: 1, ..Filter::default() };
        assert_eq!(numbers(&store.entries(&one).unwrap()), [newest]);
        let recent = Filter { since: Some(hour(-1)), limit: 9, ..Filter::default() };
        assert_eq!(numbers(&store.entries(&recent).unwrap()), [newest, old]);
    });
}

#[test]
fn entries_are_listed_by_source() {
    check(|store| {
        insert(store, "education", &prepared("a"));
        let b = insert(store, "culture", &prepared("b"));
        let of = |source_id: &str| Filter { source_id: Some(source_id.into()), limit: 9, ..Filter::default() };
        assert_eq!(numbers(&store.entries(&of("culture")).unwrap()), [b]);
        assert!(store.entries(&of("sport")).unwrap().is_empty());
    });
}

/// Says how many entries a search finds beside one that says this in French.
fn count_found(text: &str, words: &str) -> usize {
    let found = std::cell::Cell::new(0);
    check(|store| {
        let mut said = prepared("a");
        said.entry.summary = Some(text.to_owned());
        said.entry.language = Some("fr".into());
        insert(store, "education", &said);
        let search = Filter { search: Some(words.into()), limit: 10, ..Filter::default() };
        found.set(store.entries(&search).unwrap().len());
    });
    found.get()
}

#[test]
fn search_reads_words_as_topics_do() {
    for (text, words) in [
        ("Un hors-d’œuvre", "hors d'oeuvre"),
        ("Un hors-d’œuvre", "\"hors d'œuvre\""),
        ("Les conseils départementaux", "départemental"),
        ("Une visio-conférence scolaire", "visioconférence"),
        ("Une visio-conférence scolaire", "\"une visioconférence scolaire\""),
        ("Une visioconférence", "visio-conférence"),
        ("كِتَابٌ", "كتاب"),
        ("教育部发布指南", "教育"),
        ("Un accord R&amp;D", "R&D"),
    ] {
        assert_eq!(count_found(text, words), 1, "{words} in {text}");
    }
    assert_eq!(count_found("教育部发布指南", "育教"), 0);
    assert_eq!(count_found("Un texte. L’article A est apparu en premier sur Mairie.", "mairie"), 0);
}

#[test]
fn a_search_in_quotes_is_for_a_phrase() {
    let text = "Le plan de la ville pour le vélo et le train";
    assert_eq!((count_found(text, "\"plan de la ville\" train"), count_found(text, "\"plan vélo\"")), (1, 0));
    assert_eq!((count_found(text, "vélo plan"), count_found(text, "vélo avion")), (1, 0));
    assert_eq!(count_found(text, &"a-b-c-d-e ".repeat(500)), 0, "a long search is a search");
}

#[test]
fn entries_are_listed_by_topic() {
    check(|store| {
        insert(store, "education", &prepared("a"));
        let b = insert(store, "education", &labelled("b", RULES, &["laicite", "numerique"]));
        let filter = Filter { topic: Some("laicite".into()), limit: 9, ..Filter::default() };
        let found = store.entries(&filter).unwrap();
        assert_eq!((numbers(&found), &found[0].labels), (vec![b], &labels(&["laicite", "numerique"])));
    });
}

#[test]
fn search_finds_words_without_accents_also_after_an_edit() {
    check(|store| {
        let number = insert(store, "education", &prepared("a"));
        let search = |store: &mut dyn Store, words: &str| {
            store.entries(&Filter { search: Some(words.into()), limit: 10, ..Filter::default() }).unwrap().len()
        };
        assert_eq!(search(store, "TEXTE"), 1);
        let mut edited = prepared("a");
        edited.entry.summary = Some("<b>Élèves</b> et « professeurs »".into());
        apply(store, &[update(number, &edited)]);
        assert_eq!(search(store, "eleves professeurs"), 1);
        assert_eq!(search(store, "texte"), 0);
        assert_eq!(search(store, "\" ( * -"), 1, "no word: no condition");
    });
}

#[test]
fn only_old_stories_that_left_their_feed_are_dropped() {
    check(|store| {
        let [gone, kept] = insert_all(store, ["a", "b"]);
        apply(store, &[Change::Leave { numbers: vec![gone], now: noon() }]);
        let sources = ["education".to_owned()];
        assert_eq!(store.drop_before(hour(-24), &sources, 9).unwrap(), 0);
        assert_eq!(store.drop_before(hour(24), &sources, 9).unwrap(), 1);
        assert_eq!(numbers(&held(store, Which::Newest)), [kept]);
        assert_eq!(store.drop_before(hour(24), &[], 9).unwrap(), 1, "its feed is no more");
    });
}

#[test]
fn a_story_is_dropped_whole_or_not_at_all() {
    check(|store| {
        let a = insert(store, "education", &of_october("a"));
        let told = tell(store, "culture", &prepared("b"), a);
        apply(store, &[Change::Leave { numbers: vec![a, told], now: noon() }]);
        assert_eq!(store.drop_before(hour(-24), &[], 9).unwrap(), 0);
        assert_eq!(store.drop_before(hour(24), &[], 9).unwrap(), 2);
    });
}

#[test]
fn stories_are_dropped_a_few_at_a_time() {
    check(|store| {
        insert_all(store, ["a", "b", "c"]);
        let dropped = [2, 2, 2].map(|limit| store.drop_before(hour(24), &[], limit).unwrap());
        assert_eq!(dropped, [2, 1, 0]);
    });
}

#[test]
fn nothing_derived_is_left_of_what_is_dropped() {
    check_kept(|file| {
        let store = &mut *file.store;
        let [a, b] = insert_all(store, ["a", "b"]);
        let c = tell(store, "x", &labelled("c", "rules 2", &["numerique"]), a);
        let mut edited = prepared("d");
        edited.telling_words = Some(TellingWords::default());
        let revision = Some((noon(), 9));
        let (prepared, date) = (Arc::new(edited), noon());
        apply(
            store,
            &[
                Change::Update { number: a, prepared, date, published: None, changed: None, revision },
                Change::Bind(Bond::new(a, c, true)),
                Change::Bind(Bond::new(a, b, false)),
                Change::Relate { topic: "numerique".into(), story: a, others: vec![b] },
                Change::Relate { topic: "numerique".into(), story: b, others: vec![a] },
            ],
        );
        held(store, Which::Newest);
        assert_eq!(store.drop_before(hour(24), &[], 1).unwrap(), 2);
        for (table, column) in [
            ("labelled", "entry"),
            ("unlabelled", "entry"),
            ("clue", "entry"),
            ("sketch", "entry"),
            ("terms", "entry"),
            ("revision", "entry"),
            ("bond", "one"),
            ("bond", "other"),
            ("related", "story"),
            ("related", "other"),
        ] {
            let left = file.numbers(&format!("SELECT {column} FROM {table} WHERE {column} IN ({a}, {c})"));
            assert_eq!(left, [] as [i64; 0], "{table}.{column}");
        }
        assert_eq!(file.numbers("SELECT count(*) FROM sketch"), [1]);
    });
}

#[test]
fn what_was_dropped_is_not_found_by_search() {
    check(|store| {
        insert(store, "education", &prepared("a"));
        let search = Filter { search: Some("texte".into()), limit: 9, ..Filter::default() };
        assert_eq!(store.entries(&search).unwrap().len(), 1);
        store.drop_before(hour(24), &[], 9).unwrap();
        assert_eq!(store.entries(&search).unwrap(), []);
    });
}

#[test]
fn numbers_are_never_given_twice() {
    check(|store| {
        let first = insert(store, "education", &prepared("a"));
        store.drop_before(hour(24), &[], 9).unwrap();
        assert!(look(store, Inquiry::default()).next_number > first);
    });
}

#[test]
fn the_latest_texts_of_an_edited_entry_are_kept_as_long_as_it_is() {
    check(|store| {
        let number = insert(store, "education", &prepared("a"));
        for (hours, title) in [(1, "b"), (2, "c"), (3, "d")] {
            let mut edited = prepared("a");
            edited.entry.title = Some(title.into());
            let (prepared, revision) = (Arc::new(edited), Some((hour(hours), 2)));
            let (date, published, changed) = (noon(), None, None);
            apply(store, &[Change::Update { number, prepared, date, published, changed, revision }]);
        }
        let revisions = store.revisions(number).unwrap();
        let told: Vec<_> = revisions.iter().map(|revision| (revision.replaced, revision.title.as_deref())).collect();
        assert_eq!(told, [(hour(3), Some("c")), (hour(2), Some("b"))]);
        assert_eq!(revisions[0].summary, prepared("a").entry.summary);
        store.drop_before(hour(24), &[], 9).unwrap();
        assert_eq!(store.revisions(number).unwrap(), []);
    });
}
