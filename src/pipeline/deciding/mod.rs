//! The decision on polls: a pure function from prepared documents and their surroundings to changes.
//!
//! Polls that came together are decided one after the other; each sees the changes of those before it ([`Draft`]). A
//! decision that lacks something stored collects an [`Inquiry`], and is made again with the answer ([`IfRead`]).
//!
//! | file | decides |
//! | --- | --- |
//! | `mod.rs` | the order: entries of the document, withdrawals, source state |
//! | `circle.rs` | which entries tell one story |
//! | `relating.rs` | the related news of stories |
//! | `withdrawal.rs` | which entries are missed and withdrawn |
//! | `draft.rs` | nothing: the surroundings with the changes made so far |

mod circle;
mod draft;
#[cfg(test)]
mod literals;
mod relating;
#[cfg(test)]
mod tests;
mod withdrawal;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;

use super::Counts;
use crate::config::{Config, DedupSettings};
use crate::dedup::{self, Decision, Listing, Sketched};
use crate::feed::Timestamp;
use crate::fetch;
use crate::outbox::TOO_OLD_MAX;
use crate::state::{Health, Hold, Monitored, SourceState, Throttle, Turn};
use crate::store::{Change, Inquiry, Surroundings};
use crate::story::{self, Identity, Prepared};
use crate::websub::{PushTrust, WebSubChange};

pub(super) use circle::{candidates, place, regroup};
pub(super) use draft::{Draft, of_text};
pub(super) use relating::{choose_related, note_waiting};

/// Settings of grouping entries into stories.
#[derive(Debug)]
pub(super) struct Grouping {
    pub(super) settings: DedupSettings,
    /// The sources whose entries are never grouped with others' (`dedup = false`).
    apart: HashSet<String>,
}

impl Grouping {
    pub(super) fn of(config: &Config) -> Self {
        let apart = config.sources.iter().filter(|source| !source.dedup).map(|source| source.id.clone()).collect();
        Self { settings: config.dedup.clone(), apart }
    }

    fn may_meet(&self, one: &str, other: &str) -> bool {
        one == other || !self.apart.contains(one) && !self.apart.contains(other)
    }
}

/// A poll that has ended and is not kept yet.
#[derive(Debug)]
pub(super) struct PollToKeep {
    /// The lease under which it was polled, where several nodes share the store.
    pub(super) hold: Option<Hold>,
    /// The new state of the source.
    pub(super) state: SourceState,
    /// The last health of the source that was noted.
    pub(super) health: Option<Health>,
    /// The address that the source had adopted before.
    pub(super) moved_to: Option<url::Url>,
    pub(super) throttle: Option<Throttle>,
    /// The server answered, so that missed entries are still missing.
    pub(super) is_answered: bool,
    /// The new document, if there is one.
    pub(super) document: Option<PreparedDocument>,
    /// The new trust in the hub of the source, if there is one to keep.
    pub(super) trust: Option<PushTrust>,
    /// Its hub pushed the document: no poll was made, and the state of the source stays as it is.
    pub(super) is_pushed: bool,
    /// When it was polled.
    pub(super) now: Timestamp,
}

/// A document, ready for the store.
#[derive(Debug)]
pub(super) struct PreparedDocument {
    /// Entries that were new or changed when they were prepared.
    pub(super) fresh: Vec<Fresh>,
    pub(super) same: Vec<i64>,
    /// The meaning of the document for the stored entries that it does not hold.
    pub(super) listing: Listing,
    /// When the document before it was read; `None` if this is the first of its address.
    pub(super) since: Option<Timestamp>,
    /// Given back when the document is kept: else documents would pile up before the store.
    pub(super) _share: fetch::Share,
}

impl PreparedDocument {
    /// Whether it holds entries that were not known when it was prepared.
    pub(super) fn has_news(&self) -> bool {
        self.fresh.iter().any(|fresh| matches!(fresh.decision, Decision::New))
    }
}

/// An entry ready for the store, and its sketch read back.
#[derive(Debug)]
pub(super) struct Fresh {
    pub(super) prepared: Arc<Prepared>,
    pub(super) sketched: Arc<Sketched>,
    /// The decision when it was prepared; made anew with what is stored now.
    pub(super) decision: Decision,
}

impl Fresh {
    pub(super) fn new(source_id: &str, prepared: Prepared, decision: Decision) -> Self {
        let sketched = Arc::new(draft::sketched_of(source_id, &prepared));
        Self { prepared: Arc::new(prepared), sketched, decision }
    }

    fn identity(&self) -> &Identity {
        &self.prepared.identity
    }
}

/// The decision on some polls.
#[derive(Debug, PartialEq)]
pub(super) struct Decided {
    pub(super) changes: Vec<Change>,
    pub(super) counts: Vec<Counts>,
}

/// The answer to a question about stored data. `None` does not say "there is none": it says "not read yet", and the draft
/// has noted the question. The caller then skips the entry or story in question: its decision is thrown away, and made
/// again with the answer.
///
/// Of an entry that was dropped meanwhile the answer stays `None`, and the decision goes on without it.
pub(super) type IfRead<T> = Option<T>;

/// Sketches that were read, by number: they serve all attempts at a decision, as long as the store stays as it was.
#[derive(Debug, Default)]
pub(super) struct Memo {
    generation: i64,
    sketched: HashMap<i64, Arc<Sketched>>,
}

impl Memo {
    /// Forgets all sketches if they were read under another generation: an entry may have been edited since.
    fn turn_to(&mut self, generation: i64) {
        if self.generation != generation {
            *self = Self { generation, sketched: HashMap::new() };
        }
    }
}

/// Decides on polls, in their order. The error is the inquiry that the decision lacks.
pub(super) fn decide(
    polls: &[PollToKeep],
    around: &Surroundings,
    grouping: &Grouping,
    memo: &mut Memo,
) -> Result<Decided, Box<Inquiry>> {
    let mut draft = Draft::new(around, grouping, memo);
    let counts = polls.iter().map(|poll| take_in(&mut draft, poll)).collect();
    let changes = draft.finish()?;
    Ok(Decided { changes, counts })
}

fn take_in(draft: &mut Draft<'_>, poll: &PollToKeep) -> Counts {
    let source_id = &poll.state.source_id;
    let counts = match &poll.document {
        Some(document) => decide_document(draft, source_id, document, poll.now),
        None => Counts::default(),
    };
    if poll.is_answered {
        withdrawal::conclude(draft, source_id, draft.grouping.settings.withdrawn_after, poll.now);
    }
    note_state(draft, poll, counts.new > 0);
    counts
}

/// Keeps the state of a source, and its change of health, if any.
fn note_state(draft: &mut Draft<'_>, poll: &PollToKeep, spoke: bool) {
    let PollToKeep { hold, state, health, moved_to, throttle, trust, is_pushed, now, .. } = poll;
    if *is_pushed {
        return;
    }
    draft.changes.extend(hold.clone().map(Change::Held));
    if let Some(throttle) = throttle {
        draft.changes.push(Change::Throttle { throttle: throttle.clone(), now: *now });
    }
    draft.changes.push(Change::Source(Box::new(state.clone())));
    if let Some(trust) = trust {
        let source_id = state.source_id.clone();
        draft.changes.push(Change::WebSub(WebSubChange::Trust { source_id, trust: trust.clone() }));
    }
    let why = || state.last_error.as_ref().map(|error| error.message.clone());
    let turn = state.turn(*health, spoke).map(|health| (health, why()));
    let moved = state.moved_to.as_ref().filter(|to| moved_to.as_ref() != Some(to));
    let moved = moved.map(|to| (Health::Moved, Some(to.to_string())));
    for (health, detail) in turn.into_iter().chain(moved) {
        draft.changes.push(Change::Turn(Turn {
            of: Monitored::Source(state.source_id.clone()),
            date: *now,
            health,
            detail,
        }));
    }
}

/// Decides on a document. Its entries are taken in the order of their dates.
fn decide_document(draft: &mut Draft<'_>, source_id: &str, document: &PreparedDocument, now: Timestamp) -> Counts {
    let keys = document.fresh.iter().flat_map(|fresh| fresh.identity().keys());
    let Some(known) = draft.known(source_id, keys) else { return Counts::default() };
    let mut decided: Vec<(&Fresh, Decision)> =
        document.fresh.iter().map(|fresh| (fresh, dedup::recognise(fresh.identity(), &known))).collect();
    // The earliest first. Of one date the last of the document comes first, since documents have the newest on top. So
    // an earlier story is there when a later one is related to it, and numbers follow time.
    decided.reverse();
    decided.sort_by_key(|(fresh, _)| story::date(&fresh.prepared.entry, now));
    let mut present: HashSet<i64> = document.same.iter().copied().collect();
    present.extend(decided.iter().filter_map(|(_, decision)| match decision {
        Decision::Same(number) | Decision::Changed(number) => Some(*number),
        Decision::New => None,
    }));
    let mut counts = Counts::default();
    let mut touched: Vec<i64> = Vec::new();
    let mut new: HashSet<i64> = HashSet::new();
    let novelty = Novelty::of(document, present.len(), decided.len());
    let mut brought: Vec<i64> = Vec::new();
    for (fresh, decision) in decided {
        let number = match decision {
            Decision::Same(_) => continue,
            Decision::Changed(number) => Some(number),
            Decision::New => None,
        };
        // A new entry may be a stored one of the same source under another name.
        let candidates = if number.is_none() {
            let Some(candidates) = candidates(draft, &fresh.sketched, now) else { continue };
            candidates
        } else {
            Vec::new()
        };
        let number = number.or_else(|| itself(draft, &fresh.sketched, &candidates, &present));
        if let Some(number) = number {
            counts.changed += usize::from(replace(draft, number, fresh, now));
            if draft.gained(number) && novelty.holds(fresh, now) {
                brought.push(number);
            }
            present.insert(number);
            touched.push(number);
            continue;
        }
        let key = fresh.identity().key;
        let head = circle::place(draft, key, &fresh.sketched, candidates, now);
        let number = draft.insert(source_id, fresh, head, now);
        if !fresh.prepared.labels.is_empty() && novelty.holds(fresh, now) {
            brought.push(number);
        }
        present.insert(number);
        new.insert(number);
        touched.push(number);
        counts.new += 1;
    }
    note_waiting(draft, &touched);
    draft.bring(brought, now);
    withdrawal::note_document(draft, source_id, &document.listing, &present, &new, now);
    counts
}

/// Which new entries of a document are news, and not what its source had before we knew it.
#[derive(Debug, Clone, Copy)]
enum Novelty {
    /// None: it is the first document of its address, or of a store that was put back.
    Nothing,
    /// Only the entries that are dated later. The document shares no entry with the one before, as if its source had been set up anew.
    Dated(Timestamp),
    /// All.
    All,
}

/// New entries without a known one from which a document counts as issued anew.
const REISSUED_MIN: usize = 4;

/// A date may be a day without a time, and a publisher may take its time.
const DATES_SLACK: TimeDelta = TimeDelta::days(1);

impl Novelty {
    /// Judges a document that holds so many known entries, and so many that are new or changed.
    fn of(document: &PreparedDocument, known: usize, fresh: usize) -> Self {
        match (document.since, &document.listing) {
            (None, _) => Self::Nothing,
            (Some(_), Listing::Delta) => Self::All,
            (Some(since), _) if known == 0 && fresh >= REISSUED_MIN => Self::Dated(since - DATES_SLACK),
            (Some(_), _) => Self::All,
        }
    }

    /// Tells whether an entry is news.
    fn holds(self, fresh: &Fresh, now: Timestamp) -> bool {
        let entry = &fresh.prepared.entry;
        let is_young = story::date(entry, now) > now - TOO_OLD_MAX;
        is_young
            && match self {
                Self::Nothing => false,
                Self::Dated(since) => story::claimed(entry.published, entry.updated).is_some_and(|date| date > since),
                Self::All => true,
            }
    }
}

/// Finds the stored entry of the same source that a new entry continues; `None` if there is none.
fn itself(draft: &mut Draft<'_>, new: &Sketched, candidates: &[i64], present: &HashSet<i64>) -> Option<i64> {
    let own: Vec<i64> = candidates
        .iter()
        .filter(|number| draft.peer(**number).is_some_and(|peer| peer.source_id == new.subject.source_id()))
        .copied()
        .collect();
    let own: Vec<(i64, Arc<Sketched>)> =
        own.into_iter().filter_map(|number| Some((number, draft.sketched(number)?))).collect();
    let own = own.iter().map(|(number, sketched)| (*number, &*sketched.subject));
    dedup::itself(&new.subject, own, present, &draft.grouping.settings)
}

/// Replaces the text of a stored entry; returns whether a reader sees the difference.
///
/// The entry stays in its story, and may make another story part of it.
fn replace(draft: &mut Draft<'_>, number: i64, fresh: &Fresh, now: Timestamp) -> bool {
    let (Some(before), Some(peer)) = (draft.text(number), draft.peer(number).cloned()) else { return false };
    let entry = &fresh.prepared.entry;
    let differs = !before.reads_like(entry);
    let is_news = dedup::is_significant(&before, entry);
    let was = draft.sketched(number);
    // A publication date may be corrected, and a missing one keeps the date before. An update is a change, not another
    // date.
    let date = entry.published.map_or(peer.date, |_| story::date(entry, peer.first_seen));
    let changed = if differs && is_news { Some(now) } else { peer.changed };
    let revision = differs.then_some((now, draft.grouping.settings.revisions));
    draft.update(number, fresh, date, changed, revision);
    if differs && is_news {
        draft.revise(number, now);
    }
    if let (true, Some(was)) = (differs, was) {
        circle::keep_together(draft, number, &was, &fresh.sketched);
        circle::regroup(draft, number, now);
    }
    differs
}
