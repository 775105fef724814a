//! Choosing related news, once for each story in each topic, inside the transaction that brought the story there.

use std::collections::BTreeSet;

use crate::dedup::{self, Plain};
use crate::feed::Timestamp;
use crate::store::{Order, Store, StoreError};
use crate::story::{Gist, Terms};

/// How many of a topic's stories before a story are looked at: what was related longer ago is history.
const WINDOW: usize = 500;

/// Before every story.
const EARLIEST: Order = (Timestamp::MIN_UTC, i64::MIN);

/// Chooses the related news of the stories that these entries tell, in each topic where none has been chosen yet.
///
/// The earliest story goes first, whatever their order: those that came together can be related.
pub(super) fn relate(store: &mut dyn Store, entries: impl IntoIterator<Item = i64>) -> Result<(), StoreError> {
    let mut unrelated: BTreeSet<(i64, String)> = BTreeSet::new();
    for number in entries {
        unrelated.extend(store.unrelated(number)?);
    }
    let mut waiting: Vec<(String, Gist)> = Vec::new();
    for (story, topic) in unrelated {
        waiting.extend(gist(store, story)?.map(|gist| (topic, gist)));
    }
    waiting.sort_by(|(topic, gist), (other_topic, other)| (topic, gist.order()).cmp(&(other_topic, other.order())));
    let mut window = Window::default();
    for (topic, gist) in waiting {
        window.move_to(store, &topic, gist.order())?;
        store.relate(&topic, gist.number, &dedup::related(&gist, &window.gists))?;
    }
    Ok(())
}

/// The stories of a topic before one of them, earliest first.
struct Window {
    topic: String,
    before: Order,
    gists: Vec<Gist>,
}

impl Default for Window {
    fn default() -> Self {
        Self { topic: String::new(), before: EARLIEST, gists: Vec::new() }
    }
}

impl Window {
    /// Moves to a later story, and reads only what lies between: ten thousand stories that a new rule brings into a
    /// topic cost one pass.
    fn move_to(&mut self, store: &mut dyn Store, topic: &str, before: Order) -> Result<(), StoreError> {
        if self.topic != topic {
            *self = Self { topic: topic.to_owned(), ..Self::default() };
        }
        let mut further = store.gists(topic, self.before, before, WINDOW)?;
        for gist in &mut further {
            find_terms(store, gist)?;
        }
        self.gists.extend(further.into_iter().rev());
        self.gists.drain(..self.gists.len().saturating_sub(WINDOW));
        self.before = before;
        Ok(())
    }
}

fn gist(store: &mut dyn Store, head: i64) -> Result<Option<Gist>, StoreError> {
    let Some(mut gist) = store.gist(head)? else { return Ok(None) };
    find_terms(store, &mut gist)?;
    Ok(Some(gist))
}

/// Looks for the telling words of a story that was in no topic when it came, or came before they were kept.
fn find_terms(store: &mut dyn Store, gist: &mut Gist) -> Result<(), StoreError> {
    if gist.terms.is_none() {
        let entry = store.entry(gist.number)?.map(|stored| stored.entry).unwrap_or_default();
        let terms: Terms = dedup::terms(&entry, &Plain::of(&entry));
        store.save_terms(gist.number, &terms)?;
        gist.terms = Some(terms);
    }
    Ok(())
}
