//! Keeping what a document brought: decided on what the store knows at that moment, inside its transaction.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::withdrawals::Listing;
use super::{Counts, keys};
use crate::config::{Config, Source};
use crate::dedup::{self, Decision, Place, Subject};
use crate::feed::Timestamp;
use crate::fetch;
use crate::store::{Store, StoreError};
use crate::story::{Prepared, StoredEntry};

/// How far back an entry can join a story.
const STORY_WINDOW: TimeDelta = TimeDelta::days(90);

/// What a document brings, ready for the store.
pub(super) struct News {
    /// Entries that are new or say something else, as far as the store knew before the transaction.
    pub(super) fresh: Vec<Fresh>,
    /// Entries that are as they were.
    pub(super) same: Vec<i64>,
    /// What the document tells of entries that it does not hold.
    pub(super) listing: Listing,
    /// Given back when it is kept: else what was read would pile up before the store.
    pub(super) share: fetch::Share,
}

/// An entry that is ready for the store, and as it is compared with others.
pub(super) struct Fresh {
    pub(super) prepared: Prepared,
    pub(super) subject: Subject,
}

/// Which entries may tell the same story, and what is kept of them.
pub(super) struct Stories {
    /// Whether those of this source may join others (`dedup`).
    joins: bool,
    /// The sources whose entries nobody joins.
    apart: HashSet<String>,
    /// Earlier texts that are kept of an edited entry.
    revisions: usize,
}

impl Stories {
    pub(super) fn of(config: &Config, source: &Source) -> Self {
        let apart = config.sources.iter().filter(|other| !other.dedup).map(|other| other.id.clone()).collect();
        Self { joins: source.dedup, apart, revisions: config.dedup.revisions }
    }
}

/// Keeps what a document brought; decided on what the store knows now, inside its transaction.
pub(super) fn keep(
    store: &mut dyn Store,
    source_id: &str,
    news: News,
    stories: &Stories,
    now: Timestamp,
) -> Result<Counts, StoreError> {
    let News { fresh, same: mut present, listing, share: _share } = news;
    let known = store.known(source_id, &keys(fresh.iter().map(|fresh| &fresh.prepared.identity)))?;
    let listed = listing.before(store, source_id)?;
    let decided: Vec<(Fresh, Decision)> = fresh
        .into_iter()
        .map(|fresh| {
            let decision = dedup::decide(&fresh.prepared.identity, &known);
            (fresh, decision)
        })
        .collect();
    present.extend(decided.iter().filter_map(|(_, decision)| match decision {
        Decision::Same(number) | Decision::Changed(number) => Some(*number),
        Decision::New => None,
    }));
    let mut counts = Counts::default();
    for (Fresh { mut prepared, subject }, decision) in decided {
        let place = match decision {
            Decision::Same(_) => continue,
            Decision::Changed(number) => Place::Entry(number),
            Decision::New => place(store, source_id, &subject, &prepared, &present, stories, now)?,
        };
        let story = match place {
            Place::Entry(number) => {
                counts.changed += usize::from(replace(store, number, &prepared, stories.revisions, now)?);
                present.push(number);
                continue;
            }
            Place::Story(story, _) => Some(story),
            Place::New => None,
        };
        if store.has_atom_id(&prepared.identity.atom_id)? {
            prepared.identity.atom_id = dedup::minted_id(source_id, prepared.identity.key);
        }
        present.push(store.insert(source_id, &prepared, story, now)?);
        counts.new += 1;
    }
    let is_back = listing.note(store, source_id, &listed, &present, counts.new, now)?;
    if counts != Counts::default() || is_back {
        store.raise_generation()?;
    }
    Ok(counts)
}

/// Where a new entry belongs: in a story that is told already, in one of its own, or in place of an entry whose guid
/// its source has changed.
fn place(
    store: &mut dyn Store,
    source_id: &str,
    subject: &Subject,
    prepared: &Prepared,
    present: &[i64],
    stories: &Stories,
    now: Timestamp,
) -> Result<Place, StoreError> {
    let mut candidates = store.candidates(&prepared.identity.clues, source_id, now - STORY_WINDOW)?;
    let own = |candidate: &StoredEntry| candidate.source_id == source_id;
    candidates.retain(|candidate| own(candidate) || stories.joins && !stories.apart.contains(&candidate.source_id));
    Ok(dedup::place(subject, &candidates, present))
}

/// Replaces what a stored entry says; says whether a reader sees the difference.
fn replace(
    store: &mut dyn Store,
    number: i64,
    prepared: &Prepared,
    revisions: usize,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let before = store.entry(number)?;
    let differs = before.as_ref().is_none_or(|before| !before.entry.reads_like(&prepared.entry));
    if differs {
        store.keep_revision(number, revisions, now)?;
    }
    let is_news = before.is_none_or(|before| dedup::is_significant(&before.entry, &prepared.entry));
    store.update(number, prepared, (differs && is_news).then_some(now))?;
    Ok(differs)
}
