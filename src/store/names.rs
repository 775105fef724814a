//! The texts under which health, and what has it, is kept.

use std::borrow::Cow;

use crate::outage::Lack;
use crate::state::{Health, Monitored};

/// Returns the word for a state of health.
pub(super) fn word(health: Health) -> &'static str {
    match health {
        Health::Recovered => "recovered",
        Health::Silent => "silent",
        Health::Unreachable => "unreachable",
        Health::Unreadable => "unreadable",
        Health::Gone => "gone",
        Health::Moved => "moved",
        Health::Invalid => "invalid",
        Health::Lacking => "lacking",
        Health::Refused => "refused",
    }
}

/// Reads a word that [`word`] gave.
pub(super) fn health(text: &str) -> Health {
    use Health::{Gone, Invalid, Lacking, Moved, Refused, Silent, Unreachable, Unreadable};
    let all = [Silent, Unreachable, Unreadable, Gone, Moved, Invalid, Lacking, Refused];
    all.into_iter().find(|health| word(*health) == text).unwrap_or(Health::Recovered)
}

/// Begins the text for a post. No address of a hub does.
const POST: &str = "post:";

/// Returns the text in the column `source_id`: a source's id, a hub's address, a post's id after `post:`, nothing for the config,
/// a word after a colon for this machine.
pub(super) fn id(of: &Monitored) -> Cow<'_, str> {
    match of {
        Monitored::Source(id) | Monitored::Hub(id) => Cow::Borrowed(id),
        Monitored::Post(id) => Cow::Owned(format!("{POST}{id}")),
        Monitored::Config => Cow::Borrowed(""),
        Monitored::Machine(lack) => Cow::Borrowed(lack.id()),
    }
}

/// Reads a text that [`id`] gave. Ids of sources have no colon.
pub(super) fn monitored(id: String) -> Monitored {
    if let Some(lack) = Lack::ALL.into_iter().find(|lack| lack.id() == id) {
        return Monitored::Machine(lack);
    }
    if let Some(id) = id.strip_prefix(POST) {
        return Monitored::Post(id.to_owned());
    }
    match id {
        id if id.is_empty() => Monitored::Config,
        id if id.contains(':') => Monitored::Hub(id),
        id => Monitored::Source(id),
    }
}
