//! `veille entries`: what is stored.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::output::{self, Paint};
use super::{Failure, judged, open, telling};
use crate::config::{self, Config};
use crate::feed::Timestamp;
use crate::pipeline;
use crate::store::{Filter, Held, Store, StoreError};
use crate::story::{Plain, StoredEntry};
use crate::tag;
use crate::topic::{Label, Query, Quote};

/// Entries that are read at first for each story that is listed, and the factor by which more are read if that is not
/// enough.
const TELLINGS: usize = 4;

#[derive(Debug, clap::Args)]
pub(super) struct EntriesOptions {
    /// Only entries in this topic
    #[arg(long, value_name = "ID")]
    topic: Option<String>,
    /// Only entries of this feed
    #[arg(long, value_name = "ID")]
    feed: Option<String>,
    /// Only entries that hold all these words, read as terms of topics are; words in quotes stand one after the other
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true)]
    search: Option<String>,
    /// Only entries of this day or later: 2026-11-24, 24/11/2026, "7 days"
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// List every entry, not one for each story
    #[arg(long)]
    tellings: bool,
    /// At most so many stories, newest first; with `--json` or `--tellings` so many entries
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Print a JSON line for every entry
    #[arg(long)]
    json: bool,
}

/// The JSON line of an entry; the keys are a contract.
#[derive(Debug, Serialize)]
struct EntryLine<'a> {
    id: i64,
    feed: &'a str,
    guid: Option<&'a str>,
    url: Option<&'a str>,
    title: Option<&'a str>,
    published: Option<Timestamp>,
    updated: Option<Timestamp>,
    /// The date that counts: the publisher's, else when the entry was first met.
    date: Timestamp,
    story: i64,
    /// The number of entries that tell the story; 0 if all are withdrawn.
    told_by: usize,
    topics: Vec<InTopic<'a>>,
    /// Where a word that was searched stands first.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<&'a Quote>,
}

#[derive(Debug, Serialize)]
struct InTopic<'a> {
    id: &'a str,
    score: f64,
}

pub(super) fn run(config: &Config, options: EntriesOptions) -> Result<(), Failure> {
    if let Some(topic) = &options.topic {
        open::find_topic(config, topic)?;
    }
    let zone = config.site.zone;
    let since = options.since.as_deref().map(|text| since(text, zone, Utc::now())).transpose()?;
    let mut store = match &options.search {
        // Searching brings the index up to date.
        Some(_) => {
            open::store_to_read(config)?;
            pipeline::open_store(config)?
        }
        None => open::store_to_read(config)?,
    };
    if let Some(id) = &options.feed {
        open::find_source(config, &mut *store, id)?;
    }
    let mut query = options.search.as_deref().map(Query::parse).unwrap_or_default();
    let filter = Filter {
        topic: options.topic,
        source_id: options.feed,
        search: options.search,
        since,
        limit: options.limit,
        ..Filter::default()
    };
    let is_by_story = !options.json && !options.tellings;
    let found = if is_by_story { by_story(&mut *store, &filter)? } else { store.entries(&filter)? };
    let tellings = telling::on_pages(&mut *store, found.iter().map(|held| held.stored.story).collect::<BTreeSet<_>>())?;
    if found.is_empty() {
        output::note("nothing found");
    }
    let paint = Paint::of_stdout();
    let mut text = String::new();
    for Held { stored, labels, .. } in &found {
        let told_by = tellings.get(&stored.story).map_or(0, |story| story.told_by);
        let quote = quote(&mut query, stored);
        if options.json {
            text.push_str(&serde_json::to_string(&line(stored, labels, told_by, quote.as_ref()))?);
            text.push('\n');
        } else {
            for_people(&mut text, stored, labels, told_by, zone);
            if let Some(quote) = &quote {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "        {}", judged::quoted(quote, paint));
            }
        }
    }
    Ok(output::print(&text)?)
}

/// The entries that fit, one for each story: of those that fit the first that came, at the place of the newest.
fn by_story(store: &mut dyn Store, filter: &Filter) -> Result<Vec<Held>, StoreError> {
    let stories = filter.limit;
    let mut limit = stories.saturating_mul(TELLINGS);
    loop {
        let found = store.entries(&Filter { limit, ..filter.clone() })?;
        let is_all = found.len() < limit;
        let mut places: HashMap<i64, usize> = HashMap::new();
        let mut first: Vec<Held> = Vec::new();
        for held in found {
            match places.entry(held.stored.story) {
                Entry::Occupied(place) => {
                    let known = first.get_mut(*place.get());
                    if let Some(known) = known.filter(|known| held.stored.number < known.stored.number) {
                        *known = held;
                    }
                }
                Entry::Vacant(place) => {
                    place.insert(first.len());
                    first.push(held);
                }
            }
        }
        if is_all || first.len() >= stories || limit == usize::MAX {
            first.truncate(stories);
            return Ok(first);
        }
        limit = limit.saturating_mul(TELLINGS);
    }
}

/// The words around the first hit.
fn quote(query: &mut Query, stored: &StoredEntry) -> Option<Quote> {
    if query.is_empty() {
        return None;
    }
    query.quote(&tag::fields(&stored.entry, &Plain::of(&stored.entry), &stored.source_id, None))
}

fn line<'a>(stored: &'a StoredEntry, labels: &'a [Label], told_by: usize, quote: Option<&'a Quote>) -> EntryLine<'a> {
    EntryLine {
        quote,
        id: stored.number,
        feed: &stored.source_id,
        guid: stored.entry.id.as_deref(),
        url: stored.entry.url.as_ref().map(url::Url::as_str),
        title: stored.entry.title.as_deref(),
        published: stored.entry.published,
        updated: stored.entry.updated,
        date: stored.date,
        story: stored.story,
        told_by,
        topics: labels.iter().map(|label| InTopic { id: &label.topic, score: label.score }).collect(),
    }
}

fn for_people(text: &mut String, stored: &StoredEntry, labels: &[Label], told_by: usize, zone: Tz) {
    let date = stored.date.with_timezone(&zone).format("%Y-%m-%d");
    let title = stored.entry.title.as_deref().unwrap_or("(no title)");
    // Writing to a String cannot fail.
    let _ =
        writeln!(text, "{:>6}  {date}  {:<20}  {title}{}", stored.number, stored.source_id, telling::told_by(told_by));
    let mut more: Vec<String> = stored.entry.url.iter().map(ToString::to_string).collect();
    more.extend(labels.iter().map(|label| format!("[{} {}]", label.topic, label.score)));
    if stored.story != stored.number {
        more.push(format!("(first told by {})", stored.story));
    }
    if !more.is_empty() {
        let _ = writeln!(text, "        {}", more.join(" "));
    }
}

/// Days as people write them; of the last two, day and month stand in the order of Europe.
const DAYS: [&str; 4] = ["%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d.%m.%Y"];

/// Moments on the clock of the zone.
const MOMENTS: [&str; 4] = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];

/// Reads a day of the zone, an instant, or how long ago it was.
fn since(text: &str, zone: Tz, now: Timestamp) -> Result<Timestamp, Failure> {
    let text = text.trim();
    let day =
        || DAYS.iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok()?.and_time(NaiveTime::MIN).into());
    let moment = || MOMENTS.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let local = || begins(day().or_else(moment)?, zone);
    let instant = || Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc));
    let ago = || now.checked_sub_signed(TimeDelta::from_std(config::read_duration(text)?).ok()?);
    local().or_else(instant).or_else(ago).ok_or_else(|| {
        Failure::Usage(format!(
            "error: `{text}` is no date\nhelp: write a day such as `2026-11-24` or `24/11/2026`, an instant such as \
             `2026-11-24T08:00:00+01:00`, or how long ago: `7 days`"
        ))
    })
}

/// The instant of a moment on the clock of a zone; an hour later where that is left out in spring.
fn begins(moment: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let at = |moment: NaiveDateTime| zone.from_local_datetime(&moment).earliest();
    Some(at(moment).or_else(|| at(moment + TimeDelta::hours(1)))?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        let found = since(text, Tz::Europe__Paris, now).ok();
        assert_eq!(found, expected.map(|instant| instant.parse().unwrap()), "{text}");
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        for day in ["2026-07-14", "14/07/2026", "14.7.2026", "2026/07/14", " 2026-7-14 "] {
            check(day, Some("2026-07-13T22:00:00Z"));
        }
        check("2026-01-14", Some("2026-01-13T23:00:00Z"));
        check("2026-07-14 08:30", Some("2026-07-14T06:30:00Z"));
        check("2026-03-29T02:30", Some("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn instants_and_durations_are_read() {
        check("2026-07-14T08:00:00+01:00", Some("2026-07-14T07:00:00Z"));
        check("7 days", Some("2026-11-21T12:00:00Z"));
        check("36h", Some("2026-11-27T00:00:00Z"));
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in ["", "7", "hier", "13/13/2026", "99999999999 years", "2026-02-30"] {
            check(text, None);
        }
    }
}
