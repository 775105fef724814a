//! `veille entries`: what is stored.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;

use super::{Failure, open, output};
use crate::config::Config;
use crate::feed::Timestamp;
use crate::pipeline;
use crate::store::{Filter, Held, Store};
use crate::story::StoredEntry;
use crate::topic::Label;

#[derive(Debug, clap::Args)]
pub(super) struct EntriesOptions {
    /// Only entries in this topic
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
    /// Only entries that hold all these words; case and accents do not matter
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    /// Only entries of this day or later, such as 2026-11-24
    #[arg(long, value_name = "DATE", value_parser = since)]
    since: Option<Timestamp>,
    /// At most so many, newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// What a line tells of an entry; the keys are a contract.
#[derive(Debug, Serialize)]
struct EntryLine<'a> {
    id: i64,
    feed: &'a str,
    guid: Option<&'a str>,
    url: Option<&'a str>,
    title: Option<&'a str>,
    published: Option<Timestamp>,
    updated: Option<Timestamp>,
    story: i64,
    topics: Vec<InTopic<'a>>,
}

#[derive(Debug, Serialize)]
struct InTopic<'a> {
    id: &'a str,
    score: f64,
}

pub(super) fn run(config: &Config, options: EntriesOptions) -> Result<(), Failure> {
    if let Some(topic) = &options.topic {
        open::topic(config, topic)?;
    }
    let mut store = match &options.search {
        // Searching brings the index up to date.
        Some(_) => {
            open::store_to_read(config)?;
            pipeline::open_store(config)?
        }
        None => open::store_to_read(config)?,
    };
    let filter = Filter {
        topic: options.topic,
        search: options.search,
        since: options.since,
        limit: options.limit,
        ..Filter::default()
    };
    let mut text = String::new();
    for Held { stored, labels, .. } in store.entries(&filter)? {
        if options.json {
            text.push_str(&serde_json::to_string(&line(&stored, &labels))?);
            text.push('\n');
        } else {
            for_people(&mut text, &stored, &labels);
        }
    }
    Ok(output::print(&text)?)
}

fn line<'a>(stored: &'a StoredEntry, labels: &'a [Label]) -> EntryLine<'a> {
    EntryLine {
        id: stored.number,
        feed: &stored.source_id,
        guid: stored.entry.id.as_deref(),
        url: stored.entry.url.as_ref().map(url::Url::as_str),
        title: stored.entry.title.as_deref(),
        published: stored.entry.published,
        updated: stored.entry.updated,
        story: stored.story,
        topics: labels.iter().map(|label| InTopic { id: &label.topic, score: label.score }).collect(),
    }
}

fn for_people(text: &mut String, stored: &StoredEntry, labels: &[Label]) {
    let date = stored.date.format("%Y-%m-%d");
    let title = stored.entry.title.as_deref().unwrap_or("(no title)");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:>6}  {date}  {:<20}  {title}", stored.number, stored.source_id);
    let mut more: Vec<String> = stored.entry.url.iter().map(ToString::to_string).collect();
    more.extend(labels.iter().map(|label| format!("[{} {}]", label.topic, label.score)));
    if stored.story != stored.number {
        more.push(format!("(same item as {})", stored.story));
    }
    if !more.is_empty() {
        let _ = writeln!(text, "        {}", more.join(" "));
    }
}

/// Reads a day or an instant.
fn since(text: &str) -> Result<Timestamp, String> {
    let day = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN).and_utc());
    let instant = || Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc));
    day().or_else(instant).ok_or_else(|| "write a date such as 2026-11-24 or 2026-11-24T08:00:00+01:00".to_owned())
}
