//! Stories: which entries tell one, decided on a whole circle of entries.
//!
//! 1. [`candidates`] finds the stored entries that share clues with an entry.
//! 2. Those that are the same item form its circle. The candidates of each member, the other entries of its story and
//!    the entries bound to it join the circle in turn.
//! 3. [`dedup::partition`] parts the whole circle into stories anew. So the stories seldom depend on the order in which
//!    entries came: their heads do, and where a circle has reached its limit.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Draft, IfRead};
use crate::dedup::{self, Member, Sketched};
use crate::feed::Timestamp;
use crate::story::{Bond, COMMON_CLUE, EntryKey, Period};

/// Most entries in a circle. Each is compared with each, and no news was ever told so often.
const CIRCLE_MAX: usize = 64;

/// Most candidates by recent clues.
const CANDIDATES_MAX: usize = 64;

/// An entry with fewer phrases among its clues is too short to share two.
const PHRASES_FEW: usize = 4;

/// Finds the stored entries that may tell the story of an entry, with the heads of their stories, by number.
///
/// One shared name (link, guid, title) or lasting clue makes a candidate. Of phrases two must be shared, or one if the
/// entry has few. A phrase that more than [`COMMON_CLUE`] recent entries have is passed over.
pub(crate) fn candidates(draft: &mut Draft<'_>, sketched: &Sketched, now: Timestamp) -> IfRead<Vec<i64>> {
    let Sketched { subject, clues } = sketched;
    // A source that is new to us may tell news that others told long ago.
    let told = subject.published().map_or(now, |published| published.min(now));
    let since = told - draft.grouping.settings.window;
    let (first, mut is_known) = (Period::of(since), true);
    let is_name = |clue: &i64| clue & 1 == 1;
    let phrases = clues.recent.iter().filter(|clue| !is_name(clue)).count();
    let needed = if phrases < PHRASES_FEW { 1 } else { 2 };
    let mut shared: HashMap<i64, usize> = HashMap::new();
    for clue in &clues.recent {
        let Some(found) = draft.sharing(first, *clue) else {
            is_known = false;
            continue;
        };
        if is_name(clue) || found.len() <= COMMON_CLUE {
            for number in found {
                *shared.entry(number).or_default() += if is_name(clue) { 2 } else { 1 };
            }
        }
    }
    let mut lasting: BTreeSet<i64> = BTreeSet::new();
    for clue in &clues.lasting {
        match draft.sharing_lasting(*clue) {
            Some(found) => lasting.extend(found.into_iter().take(COMMON_CLUE)),
            None => is_known = false,
        }
    }
    if !is_known {
        return None;
    }
    shared.retain(|_, clues| *clues >= needed);
    let mut near: Vec<(usize, i64)> = Vec::with_capacity(shared.len());
    for (number, clues) in shared {
        match draft.peer(number) {
            Some(peer) if peer.first_seen >= since => near.push((clues, number)),
            Some(_) => {}
            None => is_known = false,
        }
    }
    near.sort_unstable_by_key(|(clues, number)| std::cmp::Reverse((*clues, *number)));
    let mut found: BTreeSet<i64> = near.into_iter().take(CANDIDATES_MAX).map(|(_, number)| number).collect();
    found.extend(lasting);
    let mut heads = BTreeSet::new();
    for number in &found {
        match draft.peer(*number) {
            Some(peer) => _ = heads.insert(peer.story),
            None => is_known = false,
        }
    }
    found.extend(heads);
    // An entry without a story (0) waits for one: the store is being rebuilt.
    let may_meet = |draft: &mut Draft<'_>, number: &i64| {
        let grouping = draft.grouping;
        draft
            .peer(*number)
            .is_some_and(|peer| peer.story != 0 && grouping.may_meet(subject.source_id(), &peer.source_id))
    };
    found.retain(|number| may_meet(draft, number));
    // Entries that were dropped meanwhile leave clues that lead to nothing.
    (is_known || draft.lacks_nothing()).then(|| found.into_iter().collect())
}

/// Finds the story of a new entry among its [`candidates`], and merges the stories that the entry links. `None` if it
/// begins a story.
pub(crate) fn place(
    draft: &mut Draft<'_>,
    key: EntryKey,
    new: &Arc<Sketched>,
    candidates: Vec<i64>,
    now: Timestamp,
) -> Option<i64> {
    let mut circle = Circle::around(Member { number: None, key, subject: Arc::clone(&new.subject) });
    circle.admit(0, candidates, draft);
    if circle.members.len() == 1 {
        return None;
    }
    if let Some(story) = circle.only_story(draft) {
        return Some(story);
    }
    circle.grow(1, draft, now);
    circle.part_into_stories(draft, now)
}

/// Decides again on the stories of a stored entry and its circle, after it was edited or bound.
pub(crate) fn regroup(draft: &mut Draft<'_>, number: i64, now: Timestamp) {
    let Some(first) = member(draft, number) else { return };
    let Some(story) = draft.peer(number).map(|peer| peer.story) else { return };
    let mut circle = Circle::around(first);
    circle.stories.insert(number, story);
    circle.grow(0, draft, now);
    circle.part_into_stories(draft, now);
}

/// Binds an edited entry to its story, even if it is not the same item any more: readers were told that it is.
pub(super) fn keep_together(draft: &mut Draft<'_>, number: i64, before: &Sketched, after: &Sketched) {
    let Some(story) = draft.peer(number).map(|peer| peer.story) else { return };
    for mate in draft.told(story).into_iter().filter(|mate| *mate != number) {
        let Some(other) = draft.sketched(mate) else { continue };
        let settings = &draft.grouping.settings;
        let is_same = |entry: &Sketched| dedup::compare(&entry.subject, &other.subject, settings).verdict.is_ok();
        if is_same(before) && !is_same(after) {
            draft.bind(Bond::new(number, mate, true));
        }
    }
}

fn member(draft: &mut Draft<'_>, number: i64) -> IfRead<Member> {
    let sketched = draft.sketched(number)?;
    let key = draft.peer(number)?.key;
    Some(Member { number: Some(number), key, subject: Arc::clone(&sketched.subject) })
}

struct Circle {
    members: Vec<Member>,
    /// The present story of each stored member.
    stories: HashMap<i64, i64>,
    bonds: Vec<Bond>,
}

impl Circle {
    fn around(first: Member) -> Self {
        Self { members: vec![first], stories: HashMap::new(), bonds: Vec::new() }
    }

    fn has(&self, number: i64) -> bool {
        self.stories.contains_key(&number)
    }

    fn add(&mut self, draft: &mut Draft<'_>, member: Member) {
        let Some(number) = member.number else { return };
        let Some(story) = draft.peer(number).map(|peer| peer.story) else { return };
        if self.members.len() < CIRCLE_MAX && self.stories.insert(number, story).is_none() {
            self.members.push(member);
        }
    }

    /// Adds the candidates that are the same item as the member at `place`.
    fn admit(&mut self, place: usize, candidates: Vec<i64>, draft: &mut Draft<'_>) {
        for number in candidates {
            let Some(one) = self.members.get(place).map(|one| Arc::clone(&one.subject)) else { return };
            if self.has(number) || !draft.peer(number).is_some_and(|peer| dedup::may_be_same(&one, peer)) {
                continue;
            }
            let Some(other) = member(draft, number) else { continue };
            if dedup::compare(&one, &other.subject, &draft.grouping.settings).verdict.is_ok() {
                self.add(draft, other);
            }
        }
    }

    /// Fast path: all candidates belong to one story, and no guard refuses the new entry beside its other entries. The
    /// partition would change nothing.
    ///
    /// Entries that an earlier partition kept out of that story stay out.
    fn only_story(&self, draft: &mut Draft<'_>) -> Option<i64> {
        let found: HashSet<i64> = self.stories.values().copied().collect();
        let (Some(new), Some(head), 1) = (self.members.first(), found.iter().next(), found.len()) else {
            return None;
        };
        for mate in draft.told(*head).into_iter().filter(|mate| !self.has(*mate)).take(CIRCLE_MAX) {
            let Some(mate) = draft.sketched(mate) else { continue };
            let refusal = dedup::compare(&new.subject, &mate.subject, &draft.grouping.settings).verdict.err();
            if refusal.is_some_and(dedup::Refusal::is_guard) {
                return None;
            }
        }
        Some(*head)
    }

    /// Adds the candidates, story mates and bound entries of the members from `place` on, and of those that join.
    fn grow(&mut self, place: usize, draft: &mut Draft<'_>, now: Timestamp) {
        let mut place = place;
        while let Some(number) = self.members.get(place).map(|member| member.number) {
            if let Some(number) = number
                && let Some(sketched) = draft.sketched(number)
            {
                if let Some(candidates) = candidates(draft, &sketched, now) {
                    self.admit(place, candidates, draft);
                }
                self.add_bound(number, draft);
            }
            place += 1;
        }
    }

    /// Adds the entries of a member's story and the entries bound to it.
    fn add_bound(&mut self, number: i64, draft: &mut Draft<'_>) {
        let mates = self.stories.get(&number).map(|head| draft.told(*head)).unwrap_or_default();
        for mate in mates {
            self.add_number(mate, draft);
        }
        for bond in draft.bonds(number) {
            let other = if bond.one == number { bond.other } else { bond.one };
            if bond.together {
                self.add_number(other, draft);
            }
            self.bonds.push(bond);
        }
    }

    fn add_number(&mut self, number: i64, draft: &mut Draft<'_>) {
        if !self.has(number)
            && let Some(member) = member(draft, number)
        {
            self.add(draft, member);
        }
    }

    /// Parts the circle into stories and moves the entries whose story changes. Returns the story of the first member;
    /// `None` if that is new and alone.
    fn part_into_stories(&self, draft: &mut Draft<'_>, now: Timestamp) -> Option<i64> {
        let parts = dedup::partition(&self.members, &self.bonds, &draft.grouping.settings);
        let mut heads: BTreeMap<usize, i64> = BTreeMap::new();
        for (part, member) in parts.iter().zip(&self.members) {
            if let Some(number) = member.number {
                let head = heads.entry(*part).or_insert(number);
                *head = number.min(*head);
            }
        }
        for (part, member) in parts.iter().zip(&self.members) {
            if let (Some(number), Some(head)) = (member.number, heads.get(part))
                && self.stories.get(&number) != Some(head)
            {
                draft.assign(number, *head, now);
            }
        }
        parts.first().and_then(|part| heads.get(part)).copied()
    }
}
