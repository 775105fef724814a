//! Keeping what a document brought: decided on what the store knows at that moment, inside its transaction.

use super::grouping::Grouping;
use super::relating::relate;
use super::withdrawals::Listing;
use super::{Counts, keys};
use crate::dedup::{self, Decision, Member, Subject};
use crate::feed::Timestamp;
use crate::fetch;
use crate::store::{Store, StoreError};
use crate::story::{self, Prepared};

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

/// Keeps what a document brought; decided on what the store knows now, inside its transaction.
pub(super) fn keep(
    store: &mut dyn Store,
    source_id: &str,
    news: News,
    grouping: &Grouping,
    now: Timestamp,
) -> Result<Counts, StoreError> {
    let News { fresh, same: mut present, listing, share: _share } = news;
    let known = store.known(source_id, &keys(fresh.iter().map(|fresh| &fresh.prepared.identity)))?;
    let listed = listing.before(store, source_id)?;
    let mut decided: Vec<(Fresh, Decision)> = fresh
        .into_iter()
        .map(|fresh| {
            let decision = dedup::decide(&fresh.prepared.identity, &known);
            (fresh, decision)
        })
        .collect();
    // The earliest first, and of one date the last one of the document, which has its newest on top.
    decided.reverse();
    decided.sort_by_key(|(fresh, _)| story::date(&fresh.prepared.entry, now));
    present.extend(decided.iter().filter_map(|(_, decision)| match decision {
        Decision::Same(number) | Decision::Changed(number) => Some(*number),
        Decision::New => None,
    }));
    let mut counts = Counts::default();
    let mut touched: Vec<i64> = Vec::new();
    for (Fresh { mut prepared, subject }, decision) in decided {
        let edited = match decision {
            Decision::Same(_) => continue,
            Decision::Changed(number) => Some(number),
            Decision::New => None,
        };
        let candidates = match edited {
            Some(_) => Vec::new(),
            None => grouping.candidates(store, &subject, now)?,
        };
        let edited = edited.or_else(|| dedup::itself(&subject, &candidates, &present, &grouping.settings));
        if let Some(number) = edited {
            counts.changed += usize::from(replace(store, number, &prepared, grouping, now)?);
            present.push(number);
            touched.push(number);
            continue;
        }
        let new = Member { number: None, key: prepared.identity.key, subject };
        let head = grouping.place(store, new, candidates, now)?;
        if store.has_atom_id(&prepared.identity.atom_id)? {
            prepared.identity.atom_id = dedup::minted_id(source_id, prepared.identity.key);
        }
        let number = store.insert(source_id, &prepared, head, now)?;
        present.push(number);
        touched.push(number);
        counts.new += 1;
    }
    relate(store, touched)?;
    let is_back = listing.note(store, source_id, &listed, &present, counts.new, now)?;
    if counts != Counts::default() || is_back {
        store.raise_generation()?;
    }
    Ok(counts)
}

/// Replaces what a stored entry says; says whether a reader sees the difference.
///
/// It stays in its story, and may make another one part of it.
fn replace(
    store: &mut dyn Store,
    number: i64,
    prepared: &Prepared,
    grouping: &Grouping,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let before = store.entry(number)?;
    let differs = before.as_ref().is_none_or(|before| !before.entry.reads_like(&prepared.entry));
    let is_news = before.as_ref().is_none_or(|before| dedup::is_significant(&before.entry, &prepared.entry));
    if differs {
        store.keep_revision(number, grouping.settings.revisions, now)?;
    }
    store.update(number, prepared, (differs && is_news).then_some(now))?;
    if let (true, Some(before), Some(after)) = (differs, before, store.entry(number)?) {
        grouping.hold(store, &before, &after)?;
        grouping.regroup(store, number, now)?;
    }
    Ok(differs)
}
