//! Plain data for tests of decisions: entries, and what is stored around them.

use std::collections::BTreeMap;

use chrono::{TimeDelta, TimeZone, Utc};

use super::*;
use crate::dedup::Subject;
use crate::feed::Entry;
use crate::story::{Clues, Peer, Plain};

pub(super) fn noon() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

pub(super) fn hour(hours: i64) -> Timestamp {
    noon() + TimeDelta::hours(hours)
}

fn grouping() -> Grouping {
    Grouping { settings: dedup::usual_settings(), apart: HashSet::from(["apart".to_owned()]) }
}

/// An entry of a source, published an hour ago; its path is its guid.
pub(super) fn prepared(source_id: &str, path: &str, text: &str) -> Prepared {
    let entry = Entry {
        id: Some(path.to_owned()),
        url: url::Url::parse(&format!("https://example.org/{path}")).ok(),
        title: Some("Un plan pour les écoles rurales".to_owned()),
        content: Some(text.to_owned()),
        published: Some(hour(-1)),
        ..Entry::default()
    };
    let (entry, identity) = dedup::identify(source_id, "rss20", vec![entry]).remove(0);
    let subject = Subject::new(source_id, &entry, &Plain::of(&entry), &identity);
    let clues = subject.clues();
    let sketch = dedup::sketch(&subject, &clues);
    let identity = Identity { clues, ..identity };
    Prepared { entry, identity, labels: Vec::new(), rules: "".into(), telling_words: None, sketch }
}

/// An entry with these clues and nothing else.
pub(super) fn clued(source_id: &str, recent: &[i64], lasting: &[i64]) -> Sketched {
    let subject = draft::sketched_of(source_id, &prepared(source_id, "x", "Rien.")).subject;
    Sketched { subject, clues: Clues { recent: recent.to_vec(), lasting: lasting.to_vec() } }
}

/// A stored entry that was first seen at noon and begins a story.
pub(super) fn peer(number: i64, source_id: &str, prepared: &Prepared) -> Peer {
    Peer {
        number,
        source_id: source_id.to_owned(),
        key: prepared.identity.key,
        story: number,
        joined: None,
        first_seen: noon(),
        date: hour(-1),
        changed: None,
        withdrawn: None,
        id: prepared.entry.id.clone(),
        canonical_link: prepared.identity.canonical_link.clone(),
        published: prepared.entry.published,
        topics: Vec::new(),
        sketch: Some(prepared.sketch.clone()),
    }
}

/// A store that holds these entries.
pub(super) fn around(peers: impl IntoIterator<Item = Peer>) -> Surroundings {
    let mut around = Surroundings { next_number: 1000, ..Surroundings::default() };
    for peer in peers {
        around.stories.entry(peer.story).or_default().push(peer.number);
        around.peers.insert(peer.number, peer);
    }
    around.stories.values_mut().for_each(|told| told.sort_unstable());
    // Else a second look would replace the first.
    around.asked.gists.insert(i64::MAX);
    around
}

/// Decides; whatever is asked and is not in `around` is not stored. Returns what was decided, and what is to be written.
pub(super) fn decided<T>(around: &Surroundings, mut decide: impl FnMut(&mut Draft<'_>) -> T) -> (T, Vec<Change>) {
    let (grouping, mut memo, mut around) = (grouping(), Memo::default(), around.clone());
    loop {
        let mut draft = Draft::new(&around, &grouping, &mut memo);
        let decided = decide(&mut draft);
        match draft.finish() {
            Ok(changes) => return (decided, changes),
            Err(lacking) => around = around.with(nothing(*lacking)).unwrap(),
        }
    }
}

fn nothing(asked: Inquiry) -> Surroundings {
    Surroundings {
        known: asked.keys.keys().map(|source_id| (source_id.clone(), BTreeMap::new())).collect(),
        listings: asked.listings.iter().map(|source_id| (source_id.clone(), Vec::new())).collect(),
        spans: asked.spans.keys().map(|source_id| (source_id.clone(), Vec::new())).collect(),
        recent: asked.recent.iter().map(|clue| (*clue, Vec::new())).collect(),
        lasting: asked.lasting.iter().map(|clue| (*clue, Vec::new())).collect(),
        asked,
        ..Surroundings::default()
    }
}

/// The changes of a poll of the source `a` at `now`, but its state.
pub(super) fn polled(around: &Surroundings, fresh: Vec<Prepared>, listing: Listing, now: Timestamp) -> Vec<Change> {
    let fresh = fresh.into_iter().map(|prepared| Fresh::new("a", prepared, Decision::New)).collect();
    let document = PreparedDocument { fresh, same: Vec::new(), listing, since: None, _share: fetch::Share::default() };
    let state = SourceState { source_id: "a".into(), last_success: Some(now), ..SourceState::default() };
    let poll = PollToKeep {
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
    };
    let (_, changes) = decided(around, |draft| take_in(draft, &poll));
    changes.into_iter().filter(|change| !matches!(change, Change::Source(_) | Change::Turn(_))).collect()
}
