//! The texts under which health, and what has it, is kept.

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
    }
}

/// Reads a word that [`word`] gave.
pub(super) fn health(text: &str) -> Health {
    use Health::{Gone, Invalid, Lacking, Moved, Silent, Unreachable, Unreadable};
    let all = [Silent, Unreachable, Unreadable, Gone, Moved, Invalid, Lacking];
    all.into_iter().find(|health| word(*health) == text).unwrap_or(Health::Recovered)
}

/// Returns the text in the column `source_id`: a source's id, a hub's address, nothing for the config, a word after a colon
/// for this machine.
pub(super) fn id(of: &Monitored) -> &str {
    match of {
        Monitored::Source(id) | Monitored::Hub(id) => id,
        Monitored::Config => "",
        Monitored::Machine(lack) => lack.id(),
    }
}

/// Reads a text that [`id`] gave. Ids of sources have no colon.
pub(super) fn monitored(id: String) -> Monitored {
    if let Some(lack) = Lack::ALL.into_iter().find(|lack| lack.id() == id) {
        return Monitored::Machine(lack);
    }
    match id {
        id if id.is_empty() => Monitored::Config,
        id if id.contains(':') => Monitored::Hub(id),
        id => Monitored::Source(id),
    }
}
