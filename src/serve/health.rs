//! The daemon's health, as `/healthz` tells it. The keys are a contract.

use std::collections::BTreeMap;

use chrono::SubsecRound;
use serde::Serialize;

use crate::feed::Timestamp;
use crate::outage::Outage;
use crate::state::NodeState;
use crate::state::lease::rules_to_follow;

/// The daemon's health: good, unless there are reasons.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DaemonHealth {
    /// The problems, one line each, for people.
    pub reasons: Vec<String>,
    /// The things that this machine lacks.
    pub outages: Vec<OutageTold>,
    /// The nodes that share the store; none where there can only be one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeTold>,
    /// Its figures; none before the first look at the store.
    #[serde(flatten)]
    pub figures: Option<DaemonFigures>,
}

/// An outage, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutageTold {
    /// The thing that this machine lacks, in one word.
    pub lack: &'static str,
    /// When it was noticed.
    pub since: Timestamp,
    /// Why, in one line for people.
    pub reason: String,
}

/// A node that shares the store, for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeTold {
    /// Its name.
    pub name: String,
    /// Whether it gave a sign of life lately.
    pub is_alive: bool,
    /// Seconds since its last sign of life.
    pub silent_seconds: u64,
    /// Its version.
    pub version: String,
    /// Whether its rules are those that are followed.
    pub follows_rules: bool,
    /// Whether it serves the store's latest generation.
    pub is_current: bool,
    /// Hosts that it holds.
    pub hosts: u64,
    /// Whether it does what is done once for all.
    pub has_jobs: bool,
    /// Delay of its poll that has been due for longest, in seconds.
    pub lag_seconds: u64,
    /// Its troubles, one line each.
    pub reasons: Vec<String>,
}

impl NodeTold {
    /// Tells of nodes in a store of this generation.
    #[must_use]
    pub fn all(nodes: &[NodeState], generation: i64) -> Vec<Self> {
        let followed = rules_to_follow(nodes);
        let told = |node: &NodeState| Self {
            name: node.sign.name.clone(),
            is_alive: node.is_alive(),
            silent_seconds: node.silent_seconds,
            version: node.sign.version.clone(),
            follows_rules: followed.is_none_or(|followed| followed == node.sign.rules),
            is_current: node.sign.published == generation,
            hosts: node.sign.hosts,
            has_jobs: node.has_jobs,
            lag_seconds: node.sign.lag_seconds,
            reasons: node.sign.reasons.clone(),
        };
        nodes.iter().map(told).collect()
    }
}

/// Figures of the daemon at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DaemonFigures {
    /// Number of sources in each standing; every standing is listed.
    pub sources: BTreeMap<&'static str, usize>,
    /// Number of published topics.
    pub topics: usize,
    /// When a source answered last.
    pub last_success: Option<Timestamp>,
    /// When the next poll is due.
    pub next_poll: Option<Timestamp>,
    /// Delay of the poll that has been due for longest, in seconds.
    pub lag_seconds: u64,
    /// When the last publication was made.
    pub published: Option<Timestamp>,
    /// The size of the store.
    pub store_bytes: u64,
    /// Subscriptions at hubs, by stage; `trusted` of those whose feeds are polled less.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub subscriptions: BTreeMap<&'static str, usize>,
    /// Subscribers of our hub; none if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscribers: Option<usize>,
    /// Room on the disk of the store; none if the system does not tell.
    pub free_bytes: Option<u64>,
}

impl From<&Outage> for OutageTold {
    fn from(outage: &Outage) -> Self {
        let Outage { lack, since, reason } = outage;
        Self { lack: lack.id().trim_start_matches(':'), since: since.trunc_subsecs(0), reason: reason.clone() }
    }
}

impl DaemonHealth {
    /// Whether something is wrong.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        !self.reasons.is_empty()
    }

    /// Returns the JSON of `/healthz`.
    pub(super) fn text(&self) -> String {
        #[derive(Serialize)]
        struct HealthBody<'a> {
            status: &'static str,
            #[serde(flatten)]
            health: &'a DaemonHealth,
        }
        let status = if self.is_degraded() { "degraded" } else { "ok" };
        // Text and numbers only, so the alternative is never taken.
        serde_json::to_string(&HealthBody { status, health: self }).unwrap_or_default()
    }
}

/// Whether a query asks for an error when something is wrong: `?strict`.
pub(super) fn is_strict(query: Option<&str>) -> bool {
    query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .any(|part| matches!(part, "strict" | "strict=1" | "strict=true"))
}
