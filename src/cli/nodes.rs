//! `veille nodes`: the machines that share a store.

use serde::Serialize;

use super::{Failure, open, output};
use crate::config::Config;
use crate::state::NodeState;
use crate::state::lease::rules_to_follow;
use crate::text::{count, rough_duration};

#[derive(Debug, clap::Args)]
pub(super) struct NodesOptions {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// A node in a line of JSON. The keys are a contract.
#[derive(Serialize)]
struct NodeLine<'a> {
    node: &'a str,
    id: &'a str,
    is_alive: bool,
    silent_seconds: u64,
    began: crate::feed::Timestamp,
    version: &'a str,
    hosts: u64,
    has_jobs: bool,
    follows_rules: bool,
    is_current: bool,
    lag_seconds: u64,
    reasons: &'a [String],
}

pub(super) fn run(config: &Config, options: &NodesOptions) -> Result<(), Failure> {
    let mut store = open::store_to_read(config)?;
    let (nodes, generation) = (store.nodes()?, store.pulse()?.generation);
    if options.json {
        for node in &nodes {
            let line = line(node, rules_to_follow(&nodes), generation);
            output::print(&format!("{}\n", serde_json::to_string(&line)?))?;
        }
        return Ok(());
    }
    Ok(output::print(&for_people(&nodes, generation))?)
}

fn line<'a>(node: &'a NodeState, followed: Option<&str>, generation: i64) -> NodeLine<'a> {
    let sign = &node.sign;
    NodeLine {
        node: &sign.name,
        id: &sign.id,
        is_alive: node.is_alive(),
        silent_seconds: node.silent_seconds,
        began: node.began,
        version: &sign.version,
        hosts: sign.hosts,
        has_jobs: node.has_jobs,
        follows_rules: followed.is_none_or(|followed| followed == sign.rules),
        is_current: sign.published == generation,
        lag_seconds: sign.lag_seconds,
        reasons: &sign.reasons,
    }
}

/// Tells each node in a line, and its troubles below it.
fn for_people(nodes: &[NodeState], generation: i64) -> String {
    if nodes.is_empty() {
        return "no node: nothing runs on this store (a store in a file, `store.path`, has one node at most)\n"
            .to_owned();
    }
    let followed = rules_to_follow(nodes);
    let mut text = String::new();
    for node in nodes {
        let NodeLine { node: name, hosts, follows_rules, is_current, lag_seconds, .. } =
            line(node, followed, generation);
        let seconds = |seconds: u64| chrono::TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        let mut parts = Vec::new();
        if node.is_alive() {
            parts.push(format!("asks {}", count(usize::try_from(hosts).unwrap_or(usize::MAX), "host")));
            if node.has_jobs {
                parts.push("does what is done once for all".to_owned());
            }
            parts.push(if is_current { "serves the latest" } else { "serves what was before" }.to_owned());
            if lag_seconds > 60 {
                parts.push(format!("polls are late by {}", rough_duration(seconds(lag_seconds))));
            }
            if !follows_rules {
                parts.push("RUNS OTHER RULES".to_owned());
            }
        } else {
            parts.push(format!("gone for {}", rough_duration(seconds(node.silent_seconds))));
        }
        text +=
            &format!("{}  {}  {}\n", output::harmless(name), output::harmless(&node.sign.version), parts.join(", "));
        for reason in node.sign.reasons.iter().filter(|_| node.is_alive()) {
            text += &format!("    {}\n", output::harmless(reason));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Timestamp;
    use crate::state::NodeSign;

    fn node(name: &str, rules: &str, met: i64, silent_seconds: u64) -> NodeState {
        NodeState {
            sign: NodeSign {
                name: name.into(),
                version: "0.1.0".into(),
                rules: rules.into(),
                published: 7,
                hosts: 3,
                ..NodeSign::default()
            },
            began: Timestamp::UNIX_EPOCH,
            silent_seconds,
            has_jobs: name == "a",
            rules_met: Timestamp::UNIX_EPOCH + chrono::TimeDelta::minutes(met),
        }
    }

    #[test]
    fn nodes_are_told_with_what_they_do_and_what_is_wrong() {
        let mut behind = node("b", "old", 0, 1);
        (behind.sign.published, behind.sign.reasons) = (5, vec!["the disk is full".into()]);
        let expected = "a  0.1.0  asks 3 hosts, does what is done once for all, serves the latest\n\
                        b  0.1.0  asks 3 hosts, serves what was before, RUNS OTHER RULES\n    the disk is full\n\
                        c  0.1.0  gone for 5 min\n";
        assert_eq!(for_people(&[node("a", "new", 1, 1), behind, node("c", "new", 1, 300)], 7), expected);
    }
}
