//! `veille feeds`: the health of every source.

use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::{TimeDelta, Utc};
use serde::Serialize;

use super::{Failure, open, output};
use crate::config::{Config, Source};
use crate::feed::Timestamp;
use crate::state::SourceState;
use crate::store::{Store, StoreError};

/// How far back the usual number of entries is counted.
const WEEKS: i32 = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// What a line tells of a source; the keys are a contract.
#[derive(Debug, Serialize)]
struct Health<'a> {
    id: &'a str,
    url: &'a str,
    title: Option<&'a str>,
    status: Status,
    last_success: Option<Timestamp>,
    next_poll: Option<Timestamp>,
    next_poll_why: &'a str,
    failures: u32,
    last_error: Option<&'a str>,
    entries_per_week: f64,
    moved_to: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Failing,
    Gone,
    NeverPolled,
    Disabled,
}

pub(super) fn run(config: &Config, options: &Options) -> Result<(), Failure> {
    let now = Utc::now();
    let (states, counts) = match open::store_to_read(config) {
        Ok(mut store) => {
            let since = now - TimeDelta::weeks(i64::from(WEEKS));
            (store.sources()?, store.entry_counts(since)?)
        }
        // Before the first poll every feed is "never polled", which is an answer.
        Err(Failure::Running(error)) if matches!(error.downcast_ref(), Some(StoreError::Missing { .. })) => {
            (Vec::new(), Vec::new())
        }
        Err(failure) => return Err(failure),
    };
    let states: HashMap<&str, &SourceState> = states.iter().map(|state| (state.source_id.as_str(), state)).collect();
    let counts: HashMap<&str, u64> = counts.iter().map(|(id, count)| (id.as_str(), *count)).collect();
    let new = SourceState::default();
    let mut text = String::new();
    for source in &config.sources {
        let state = states.get(source.id.as_str()).copied().unwrap_or(&new);
        let health = health(source, state, counts.get(source.id.as_str()).copied().unwrap_or(0));
        if options.json {
            text.push_str(&serde_json::to_string(&health)?);
            text.push('\n');
        } else {
            for_people(&mut text, &health, now);
        }
    }
    Ok(output::print(&text)?)
}

fn health<'a>(source: &'a Source, state: &'a SourceState, entries: u64) -> Health<'a> {
    let status = if !source.enabled {
        Status::Disabled
    } else if state.retired {
        Status::Gone
    } else if state.failures > 0 {
        Status::Failing
    } else if state.last_success.is_some() {
        Status::Ok
    } else {
        Status::NeverPolled
    };
    Health {
        id: &source.id,
        url: source.url.as_str(),
        title: source.title.as_deref().or(state.about.title.as_deref()),
        status,
        last_success: state.last_success,
        next_poll: state.next_poll.filter(|_| source.enabled),
        next_poll_why: &state.next_poll_why,
        failures: state.failures,
        last_error: state.last_error.as_ref().map(|failure| failure.message.as_str()),
        entries_per_week: (entries as f64 / f64::from(WEEKS) * 10.0).round() / 10.0,
        moved_to: state.moved_to.as_ref().map(url::Url::as_str),
    }
}

/// A line a source, and one more for what is wrong with it.
fn for_people(text: &mut String, health: &Health<'_>, now: Timestamp) {
    let status = match health.status {
        Status::Ok => "ok",
        Status::Failing => "failing",
        Status::Gone => "gone",
        Status::NeverPolled => "never polled",
        Status::Disabled => "disabled",
    };
    let last = health.last_success.map_or_else(String::new, |at| format!("read {} ago", output::span(now - at)));
    let next = match health.next_poll {
        Some(at) if at > now => format!("next in {} ({})", output::span(at - now), health.next_poll_why),
        Some(_) => "due".to_owned(),
        None => String::new(),
    };
    let title = health.title.unwrap_or(health.url);
    let week = format!("{}/week", health.entries_per_week);
    let line = format!("{:<28} {status:<12} {last:<16} {week:<11} {title}", health.id);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", line.trim_end());
    let indent = " ".repeat(29);
    if !next.is_empty() && health.status != Status::NeverPolled {
        let _ = writeln!(text, "{indent}{next}");
    }
    if let Some(error) = health.last_error {
        let _ = writeln!(
            text,
            "{indent}{} in a row: {error}",
            output::count(usize::try_from(health.failures).unwrap_or(usize::MAX), "failure")
        );
    }
    if let Some(moved) = health.moved_to {
        let _ = writeln!(text, "{indent}moved for good to {moved}");
    }
}
