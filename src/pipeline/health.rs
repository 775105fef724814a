//! What became of the config and of hubs, kept for those who follow the health of sources.

use super::Context;
use crate::feed::Timestamp;
use crate::state::{Health, Turn};
use crate::store::{Change, Store, StoreError};

/// Notes that the config has mistakes, the first of them told in one line, or (`None`) that it has none, if that is news.
///
/// # Errors
/// When the store fails.
pub async fn note_config(context: &Context, mistake: Option<String>, now: Timestamp) -> Result<(), StoreError> {
    let trouble = mistake.map(|mistake| (Health::Invalid, mistake));
    context.store.call(move |store| note_turn(store, "", trouble, now)).await
}

/// Notes the trouble that the config (an empty `id`) or a hub is in, or the end of it, if that is news.
pub(super) fn note_turn(
    store: &mut dyn Store,
    id: &str,
    trouble: Option<(Health, String)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let last = store.health(Some(id))?.pop().filter(|last| last.health != Health::Recovered);
    let (health, detail) = match (trouble, last) {
        (None, None) => return Ok(()),
        (None, Some(_)) => (Health::Recovered, None),
        // Another mistake in the config is news, another way in which a hub fails is not.
        (Some((health, detail)), Some(last))
            if last.health == health && (health != Health::Invalid || last.detail.as_ref() == Some(&detail)) =>
        {
            return Ok(());
        }
        (Some((health, detail)), _) => (health, Some(detail)),
    };
    let turn = Turn { source_id: id.to_owned(), date: now, health, detail };
    store.apply(&[Change::Turn(turn)], None).map(|_| ())
}
