//! Edits and moves keep whatever they do not concern.

use super::*;
use crate::dedup::Decision;
use crate::feed::Entry;
use crate::pipeline::deciding::Listing;
use crate::pipeline::deciding::literals::{around, decided, hour, noon, peer, polled, prepared};
use crate::topic::Label;

const TEXT: &str = "La ministre a présenté ce matin devant les recteurs le plan qui doit équiper chaque école rurale.";

/// A store that holds this entry of the source `a` as number 1, dated `date`.
fn holding(stored: &Prepared, date: Timestamp) -> Surroundings {
    let held = Peer { date, changed: Some(hour(-2)), ..peer(1, "a", stored) };
    let identity = &stored.identity;
    let (key, guid_key, fingerprint) = (identity.key, identity.guid_key, identity.fingerprint);
    let whole = StoredEntry {
        number: 1,
        source_id: "a".into(),
        key,
        atom_id: identity.atom_id.clone(),
        story: 1,
        canonical_link: identity.canonical_link.clone(),
        owns_guid: identity.owns_guid,
        first_seen: noon(),
        date,
        changed: held.changed,
        entry: stored.entry.clone(),
    };
    let known = BTreeMap::from([(1, Known { number: 1, key, guid_key, fingerprint })]);
    let (texts, known) = ([(1, whole)].into(), [("a".to_owned(), known)].into());
    Surroundings { known, texts, ..around([held]) }
}

/// Date, publication, last change and revision of an edit that another text brings at 14:00.
fn edited(
    stored: &Prepared,
    text: &str,
    dates: impl Fn(&mut Entry),
) -> (Timestamp, Option<Timestamp>, Option<Timestamp>, bool) {
    let mut edited = prepared("a", "1", text);
    dates(&mut edited.entry);
    edited.identity.fingerprint = crate::story::Fingerprint([1; 16]);
    let changes = polled(&holding(stored, hour(-1)), vec![edited], Listing::Delta, hour(2));
    let updates = changes.into_iter().filter_map(|change| match change {
        Change::Update { number: 1, date, published, changed, revision, .. } => {
            Some((date, published, changed, revision == Some((hour(2), 20))))
        }
        _ => None,
    });
    updates.collect::<Vec<_>>().pop().unwrap()
}

#[test]
fn an_edit_that_leaves_out_the_publication_keeps_it_and_the_date() {
    let (date, published, ..) = edited(&prepared("a", "1", TEXT), "Un autre texte.", |entry| entry.published = None);
    assert_eq!((date, published), (hour(-1), Some(hour(-1))));
}

#[test]
fn a_corrected_publication_moves_the_date() {
    let (date, published, ..) =
        edited(&prepared("a", "1", TEXT), "Un autre texte.", |entry| entry.published = Some(hour(-48)));
    assert_eq!((date, published), (hour(-48), Some(hour(-48))));
}

#[test]
fn no_correction_makes_an_entry_later_than_its_first_sight() {
    let (date, ..) = edited(&prepared("a", "1", TEXT), "Un autre texte.", |entry| entry.published = Some(hour(1)));
    assert_eq!(date, noon());
}

#[test]
fn an_entry_that_was_only_updated_keeps_the_date_of_the_first_sight() {
    let mut stored = prepared("a", "1", TEXT);
    (stored.entry.published, stored.entry.updated) = (None, Some(hour(-1)));
    let (date, published, ..) = edited(&stored, "Un autre texte.", |entry| {
        (entry.published, entry.updated) = (None, Some(hour(1)));
    });
    assert_eq!((date, published), (hour(-1), None));
}

#[test]
fn an_edit_that_reads_otherwise_is_a_change_and_keeps_the_old_text() {
    let (_, _, changed, is_kept) = edited(&prepared("a", "1", TEXT), "Tout autre chose est dit ici.", |_| ());
    assert_eq!((changed, is_kept), (Some(hour(2)), true));
}

#[test]
fn an_edit_that_reads_alike_is_no_change() {
    let (_, _, changed, is_kept) = edited(&prepared("a", "1", TEXT), TEXT, |entry| entry.language = Some("fr".into()));
    assert_eq!((changed, is_kept), (Some(hour(-2)), false));
}

#[test]
fn labels_under_other_rules_leave_the_topics_of_an_edited_entry() {
    let stored = prepared("a", "1", TEXT);
    let mut around = holding(&stored, hour(-1));
    around.peers.get_mut(&1).unwrap().topics = vec!["numerique".into()];
    let topics = |rules: &str| {
        let label = Label { topic: "laicite".into(), score: 6.0, reasons: Vec::new() };
        let edited = Prepared { rules: rules.into(), labels: vec![label], ..stored.clone() };
        let fresh = Fresh::new("a", edited, Decision::Changed(1));
        decided(&around, |draft| {
            draft.update(1, &fresh, noon(), None, None);
            draft.topics(1)
        })
        .0
    };
    assert_eq!(topics("rules to come"), ["numerique".to_owned()].into());
    assert_eq!(topics(""), ["laicite".to_owned()].into());
}

/// When the entry 2, which tells `story`, is said to have joined after it was moved to another one.
fn joined(story: i64, before: Option<Timestamp>, to: i64) -> Option<Timestamp> {
    let stored = |number, story| Peer { story, joined: before, ..peer(number, "a", &prepared("a", "1", TEXT)) };
    let around = around([stored(1, 1), stored(2, story), stored(3, 3)]);
    let ((), changes) = decided(&around, |draft| draft.assign(2, to, noon()));
    let [Change::Move { number: 2, story, joined }] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(*story, to);
    *joined
}

#[test]
fn a_head_that_becomes_part_of_another_story_has_joined_it() {
    assert_eq!(joined(2, None, 1), Some(noon()));
}

#[test]
fn an_entry_that_headed_none_keeps_when_it_joined() {
    assert_eq!(joined(3, None, 1), None);
    assert_eq!(joined(3, Some(hour(-9)), 1), Some(hour(-9)));
}

#[test]
fn an_entry_that_heads_its_own_story_again_has_joined_none() {
    assert_eq!(joined(1, Some(hour(-9)), 2), None);
}

#[test]
fn an_id_that_is_taken_is_replaced_by_one_of_our_own() {
    let new = prepared("a", "urn:x", TEXT);
    let id = |taken: bool| {
        let mut around = around([]);
        around.atom_ids.extend(taken.then(|| new.identity.atom_id.clone()));
        let changes = polled(&around, vec![new.clone()], Listing::Delta, noon());
        let [Change::Insert { atom_id, number: 1000, story: 1000, .. }] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        atom_id.clone()
    };
    assert_eq!(id(false), new.identity.atom_id);
    assert_eq!(id(true), dedup::minted_id("a", new.identity.key));
}

#[test]
fn an_edited_entry_is_from_then_on_what_it_says_now() {
    let around = holding(&prepared("a", "1", TEXT), hour(-1));
    let mut edited = prepared("a", "2", "Un autre texte.");
    edited.entry.published = Some(hour(-3));
    let fresh = Fresh::new("a", edited.clone(), Decision::Changed(1));
    let (now, _) = decided(&around, |draft| {
        draft.update(1, &fresh, hour(-3), Some(noon()), None);
        (draft.peer(1).cloned(), draft.text(1), draft.sketched(1).map(|sketched| sketched.clues.clone()))
    });
    let identity = edited.identity.clone();
    let expected = Peer { date: hour(-3), changed: Some(noon()), ..peer(1, "a", &edited) };
    let found = now.0.map(|found| Peer { sketch: expected.sketch.clone(), ..found });
    assert_eq!(found, Some(expected));
    assert_eq!((now.1, now.2), (Some(edited.entry), Some(identity.clues)));
}

#[test]
fn what_is_listed_again_is_withdrawn_no_more() {
    let gone = Peer { withdrawn: Some(hour(-1)), ..peer(1, "a", &prepared("a", "1", TEXT)) };
    let (withdrawn, _) = decided(&around([gone]), |draft| {
        let before = draft.peer(1).and_then(|peer| peer.withdrawn);
        draft.relist(1, noon());
        (before, draft.peer(1).and_then(|peer| peer.withdrawn))
    });
    assert_eq!(withdrawn, (Some(hour(-1)), None));
}

#[test]
fn the_bonds_of_an_entry_are_its_own_and_the_last_word_counts() {
    let mut around = around([]);
    around.bonds.extend([Bond::new(1, 2, true), Bond::new(2, 3, true), Bond::new(3, 4, true)]);
    let (bonds, _) = decided(&around, |draft| {
        draft.bind(Bond::new(2, 1, false));
        draft.bind(Bond::new(4, 5, true));
        draft.bonds(2)
    });
    assert_eq!(bonds, [Bond::new(2, 3, true), Bond::new(1, 2, false)]);
}

#[test]
fn a_story_that_comes_into_a_topic_waits_for_its_related_news() {
    let labelled = |topics: &[&str]| {
        let label = |topic: &&str| Label { topic: (*topic).into(), score: 6.0, reasons: Vec::new() };
        Prepared { labels: topics.iter().map(label).collect(), ..prepared("a", "new", "Rien de tel.") }
    };
    let waits = |prepared: Prepared| {
        let changes = polled(&around([]), vec![prepared], Listing::Delta, noon());
        changes.contains(&Change::Unrelated(vec![1000]))
    };
    assert!(waits(labelled(&["ecole", "sante"])));
    assert!(!waits(labelled(&[])));
    assert!(
        !waits(Prepared { rules: "others".into(), ..labelled(&["ecole"]) }),
        "it is published under these rules later"
    );
}
