//! Outages: faults of this machine for as long as they last. None is ever held against a publisher.
//!
//! An [`Outage`] is plain data, the same wherever it is told: in the log, on `/healthz`, by `veille feeds`, on pages. How
//! a loss of the network is told from hosts that are dead is decided in [`Network`].
//!
//! An outage is kept as a change of health under an id of its own (`:network`): so other processes learn of it, and pages change
//! with the generation. It stays out of `sources.atom`.

mod network;

use crate::feed::Timestamp;
use crate::state::{Health, Monitored, Turn};

pub use network::{Finding, Hearing, Network, Reply, judge};

/// A fault of this machine that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The thing that this machine lacks.
    pub lack: Lack,
    /// When it was noticed.
    pub since: Timestamp,
    /// Why, in one line for people.
    pub reason: String,
}

/// A thing that this machine can lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lack {
    /// A way to the hosts of all sources.
    Network,
    /// File descriptors, memory of the system, or free ports.
    Resources,
    /// A store that can be written. It is never kept there, for that cannot be done.
    Store,
    /// A published folder that can be written.
    Folder,
}

impl Lack {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Network, Self::Resources, Self::Store, Self::Folder];

    /// Returns the id under which it is kept among the changes of sources. It begins with a colon, as that of no
    /// source and no hub does.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Network => ":network",
            Self::Resources => ":resources",
            Self::Store => ":store",
            Self::Folder => ":folder",
        }
    }

    /// Returns what the operator can do, or need not do. Of the store and the folder the reason says more.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Network => {
                "check this machine's connection, DNS and `poll.proxy`; feeds stay due, and go on by themselves"
            }
            Self::Resources => {
                "raise the limits of this service (`LimitNOFILE=`, `TasksMax=`, memory); feeds stay due, and go on by \
                 themselves"
            }
            Self::Store => "what was published is served, no feed is asked, and all goes on by itself",
            Self::Folder => "documents are served from memory meanwhile, and files are tried again each minute",
        }
    }
}

impl Outage {
    /// Reads back what is kept of a lack; `None` if it is over.
    #[must_use]
    pub fn of(turn: &Turn) -> Option<Self> {
        let Monitored::Machine(lack) = turn.of else { return None };
        let is_over = turn.health == Health::Recovered;
        (!is_over).then(|| Self { lack, since: turn.date, reason: turn.detail.clone().unwrap_or_default() })
    }
}
