//! Leases of several nodes on one store: which node may ask a host, or does a job that is done once for all.
//!
//! The store's clock decides when a lease runs out, so nodes need not agree on the time.

use std::time::Duration;

use url::Url;

use crate::feed::Timestamp;

/// Time until a lease runs out that its node does not renew.
pub const LEASE: Duration = Duration::from_mins(1);

/// A node that gave no sign of life for so long counts as gone.
pub const NODE_GONE: Duration = Duration::from_secs(90);

/// The name of the lease of what one node does for all: relabelling, upkeep, announcements. No host has a colon in front.
pub const JOBS: &str = ":jobs";

/// A lease as its node proves it.
///
/// A write that carries it is refused once another node has taken the lease over, however late the write comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The host, or the name of a job.
    pub name: String,
    /// The number of this taking: each taking of any lease has a higher one.
    pub fence: i64,
}

/// A sign of life of a node, and the leases that it asks for, keeps and gives back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The node.
    pub node: NodeSign,
    /// The leases that it would like, the most urgent first.
    pub wanted: Vec<String>,
    /// Most of them that it can use now.
    pub most: usize,
    /// Those among them that somebody waits for already: their holder is asked to give them back soon.
    pub urgent: Vec<String>,
    /// The leases that it holds, to be renewed.
    pub kept: Vec<Hold>,
    /// The leases that it gives back, each with the time that must pass before the host's next request.
    pub returned: Vec<(Hold, Duration)>,
    /// Pause between two requests to one host: it follows the end of a lease that nobody has given back.
    pub gap: Duration,
    /// The node ends: nobody need wait for it.
    pub is_leaving: bool,
    /// Sources of wanted hosts that are due as far as the node knows: another one may have polled them.
    pub due: Vec<String>,
    /// Nodes that are dead for certain: what they held is free at once.
    pub dead: Vec<String>,
}

/// The store's answer to a [`LeaseRequest`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeaseAnswer {
    /// The leases that the node has from now on.
    pub granted: Vec<Granted>,
    /// Those of the kept ones that it still has.
    pub renewed: Vec<Hold>,
    /// Those of the renewed ones that another node waits for.
    pub awaited: Vec<String>,
    /// The plans of the sources that the node takes to be due, as far as they were ever polled.
    pub planned: Vec<Planned>,
    /// All nodes that have given a sign of life lately, by their start.
    pub nodes: Vec<NodeState>,
    /// The store's generation.
    pub generation: i64,
    /// Entries without labels under the rules to come, else those in force.
    pub is_unlabelled: bool,
    /// The store's clock.
    pub now: Timestamp,
}

/// A lease that a node has got.
#[derive(Debug, Clone, PartialEq)]
pub struct Granted {
    /// The lease.
    pub hold: Hold,
    /// Time that must pass before the next request to the host.
    pub free_in: Duration,
    /// Until when the host asked to be left alone.
    pub throttled_until: Option<Timestamp>,
}

/// When a source is polled next, as the last poll planned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The source.
    pub source_id: String,
    /// Its address when it was polled last.
    pub url: Option<Url>,
    /// When it was polled last.
    pub last_poll: Option<Timestamp>,
    /// When it is polled next.
    pub next_poll: Option<Timestamp>,
    /// It is gone for good.
    pub retired: bool,
}

/// A node as it tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSign {
    /// The name of this process among all that ever were.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The version of its program.
    pub version: String,
    /// A hash of the rules by which it labels entries.
    pub rules: String,
    /// It is a command that ends soon: others do not follow its rules.
    pub is_passing: bool,
    /// The store's generation that it serves.
    pub published: i64,
    /// Delay of its poll that has been due for longest, in seconds.
    pub lag_seconds: u64,
    /// Hosts that it holds.
    pub hosts: u64,
    /// Its troubles, one line each.
    pub reasons: Vec<String>,
}

/// A node as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its own words.
    pub sign: NodeSign,
    /// When it started.
    pub began: Timestamp,
    /// Seconds since its last sign of life.
    pub silent_seconds: u64,
    /// Whether it does what is done once for all.
    pub has_jobs: bool,
    /// When its rules were first met.
    pub rules_met: Timestamp,
}

impl NodeState {
    /// Whether it gave a sign of life lately.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.silent_seconds < NODE_GONE.as_secs()
    }
}

/// Returns the rules that are to be in force: of those that living nodes have, the ones that the store met last.
///
/// Refused: the rules of the node that started last. A node that crashes and comes back with an old config would turn all
/// labels back, and its neighbour's restart forth again.
#[must_use]
pub fn rules_to_follow(nodes: &[NodeState]) -> Option<&str> {
    let weight = |node: &&NodeState| (!node.sign.is_passing, node.rules_met, node.sign.rules.clone());
    let last = nodes.iter().filter(|node| node.is_alive()).max_by_key(weight);
    last.map(|node| node.sign.rules.as_str())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// A node whose rules were met at this minute, silent for so many seconds.
    fn node(rules: &str, met: i64, silent_seconds: u64) -> NodeState {
        NodeState {
            sign: NodeSign { rules: rules.into(), ..NodeSign::default() },
            began: Timestamp::UNIX_EPOCH,
            silent_seconds,
            has_jobs: false,
            rules_met: Timestamp::UNIX_EPOCH + TimeDelta::minutes(met),
        }
    }

    #[test]
    fn the_rules_that_were_met_last_are_followed_as_long_as_a_node_that_has_them_lives() {
        let check = |nodes: &[NodeState], expected| assert_eq!(rules_to_follow(nodes), expected);
        check(&[], None);
        check(&[node("old", 1, 0), node("new", 5, 2), node("old", 1, 1)], Some("new"));
        check(&[node("old", 1, 0), node("new", 5, 90)], Some("old"));
        check(&[node("a", 5, 0), node("b", 5, 0)], Some("b"));
    }

    #[test]
    fn the_rules_of_a_command_are_followed_only_where_no_daemon_lives() {
        let mut command = node("new", 5, 0);
        command.sign.is_passing = true;
        assert_eq!(rules_to_follow(&[node("old", 1, 0), command.clone()]), Some("old"));
        assert_eq!(rules_to_follow(&[command]), Some("new"));
    }
}
