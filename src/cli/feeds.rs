//! `veille feeds`: the health of every source.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::output::Paint;
use super::{Failure, open, output};
use crate::config::{self, Post, Source};
use crate::feed::Timestamp;
use crate::outage::{Lack, Outage};
use crate::pipeline;
use crate::schedule::{RHYTHM, Silence, Standing, needs_somebody, silence};
use crate::state::{self, Monitored, SourceState, Turn};
use crate::store::{EntryDay, SourceShare, Store, StoreError, StorePlace, sqlite};
use crate::text::{age, count, rough_duration};

/// Columns of a terminal that is not wide.
const WIDTH: usize = 80;

/// Blanks between two columns.
const GAP: usize = 2;

/// Weeks over which the usual number of entries is counted.
const WEEKS: i32 = 8;

#[derive(Debug, clap::Args)]
pub(super) struct FeedsOptions {
    /// Print JSON lines
    #[arg(long)]
    json: bool,
    /// Exit with 1 if a feed needs somebody (gone, no feed any more, failing for long), if more than half of all feeds
    /// fail, or if this machine lacks something
    #[arg(long)]
    check: bool,
}

/// The JSON line of a source; the keys are a contract.
#[derive(Debug, Serialize)]
struct SourceLine<'a> {
    id: &'a str,
    url: &'a str,
    title: Option<&'a str>,
    status: Standing,
    needs_somebody: bool,
    last_success: Option<Timestamp>,
    last_news: Option<Timestamp>,
    next_poll: Option<Timestamp>,
    next_poll_why: &'a str,
    failures: u32,
    last_error: Option<&'a str>,
    entries: u64,
    topic_entries: u64,
    entries_per_week: f64,
    moved_to: Option<&'a str>,
    #[serde(skip)]
    remarks: Vec<String>,
}

/// A source as the config has it, or as the store remembers it.
struct ShownSource<'a> {
    id: &'a str,
    url: &'a str,
    title: Option<&'a str>,
    enabled: bool,
    /// `None` if only the config knows it.
    schedule: Option<String>,
}

/// The facts about sources from the store.
#[derive(Default)]
struct Stored {
    states: Vec<SourceState>,
    days: BTreeMap<String, Vec<EntryDay>>,
    shares: Vec<SourceShare>,
    /// The config's last change.
    config: Option<Turn>,
    /// The things that the machine lacks.
    outages: Vec<Outage>,
    /// Posts that cannot send, each with the reason.
    posts: Vec<(String, String)>,
}

pub(super) fn run(named: Option<PathBuf>, options: &FeedsOptions) -> Result<(), Failure> {
    let (path, now) = (open::config_path(named)?, Utc::now());
    match open::config(Some(path.clone())) {
        Ok(config) => {
            let place = StorePlace::of(&config.store);
            place.file().map_or(Ok(()), |path| pipeline::refuse_vanished(&config, path))?;
            let mut stored = stored(&place, &config.posts, now)?;
            if let Some(reason) = place.file().and_then(sqlite::why_unwritable) {
                stored.outages.push(Outage { lack: Lack::Store, since: now, reason });
            }
            if let Some(refused) = stored.config.as_ref().filter(|turn| turn.health == state::Health::Invalid) {
                let mistake = refused.detail.as_deref().unwrap_or_default();
                let text = format!(
                    "warning: the config of {} was refused: {mistake}",
                    minute(refused.date, config.poll.timezone)
                );
                output::note(&format!(
                    "{text}\nhelp: a running veille keeps the one before; `veille check` tells more"
                ));
            }
            show(
                &config.sources.iter().map(ShownSource::of).collect::<Vec<_>>(),
                &stored,
                (config.poll.timezone, now),
                options,
            )
        }
        Err(mistakes) => {
            // The health of sources is looked for most when something is wrong.
            let store = config::store_settings(&path).map(|settings| StorePlace::of(&settings));
            let store = store.filter(|place| place.file().is_none_or(Path::exists));
            if let Some(stored) = store.and_then(|store| stored(&store, &[], now).ok()) {
                let zone = config::zone(&path);
                let times = if zone.is_none() { ", times in UTC" } else { "" };
                output::note(&format!(
                    "the config has mistakes, see below; this is what the store knows of feeds, old ones too{times}\n"
                ));
                show(
                    &stored.states.iter().filter_map(ShownSource::remembered).collect::<Vec<_>>(),
                    &stored,
                    (zone.unwrap_or(Tz::UTC), now),
                    options,
                )?;
            }
            Err(mistakes)
        }
    }
}

impl<'a> ShownSource<'a> {
    fn of(source: &'a Source) -> Self {
        let Source { id, url, title, enabled, schedule, .. } = source;
        let schedule = Some(schedule.to_string());
        Self { id, url: url.as_str(), title: title.as_deref(), enabled: *enabled, schedule }
    }

    fn remembered(state: &'a SourceState) -> Option<Self> {
        let url = state.url.as_ref()?.as_str();
        Some(Self { id: &state.source_id, url, title: None, enabled: true, schedule: None })
    }
}

fn stored(place: &StorePlace, posts: &[Post], now: Timestamp) -> Result<Stored, Failure> {
    let mut store = match place.read_within(sqlite::BUSY_TIMEOUT) {
        Ok(store) => store,
        // Before the first poll every feed is "never polled", which is an answer.
        Err(StoreError::Missing { .. }) => return Ok(Stored::default()),
        Err(error) => return Err(error.into()),
    };
    let config = store.health(Some(&Monitored::Config))?.pop();
    let outages = Lack::ALL.map(|lack| store.health(Some(&Monitored::Machine(lack))));
    let outages: Vec<Vec<Turn>> = outages.into_iter().collect::<Result<_, _>>()?;
    Ok(Stored {
        states: store.sources(None)?.into_iter().map(|known| known.state).collect(),
        days: store.entry_days(now - RHYTHM)?,
        shares: store.shares()?,
        config,
        outages: outages.iter().flatten().filter_map(Outage::of).collect(),
        posts: troubles(&mut *store, posts, now)?,
    })
}

/// The posts that cannot send.
fn troubles(store: &mut dyn Store, posts: &[Post], now: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
    let mut troubles = Vec::new();
    for post in posts {
        let outbox = store.outbox(&post.id, now, POST_ROWS)?;
        if let Some(trouble) = pipeline::post_trouble(&outbox) {
            troubles.push((post.id.clone(), trouble));
        }
    }
    Ok(troubles)
}

/// Rows of a post that are looked at for one that fails.
const POST_ROWS: usize = 100;

fn show(
    watched: &[ShownSource<'_>],
    stored: &Stored,
    (zone, now): (Tz, Timestamp),
    options: &FeedsOptions,
) -> Result<(), Failure> {
    for Outage { lack, since, reason } in &stored.outages {
        output::note(&format!("warning: since {}: {reason}\nhelp: {}\n", minute(*since, zone), lack.hint()));
    }
    for (post, trouble) in &stored.posts {
        output::note(&format!("warning: post `{post}`: {}\n", output::harmless(trouble)));
    }
    let states: HashMap<&str, &SourceState> =
        stored.states.iter().map(|state| (state.source_id.as_str(), state)).collect();
    let new = SourceState::default();
    let shares: HashMap<&str, &SourceShare> =
        stored.shares.iter().map(|share| (share.source_id.as_str(), share)).collect();
    let told = watched.iter().map(|watched| {
        let state = states.get(watched.id).copied().unwrap_or(&new);
        let days = stored.days.get(watched.id).map_or(&[][..], Vec::as_slice);
        line(watched, state, days, shares.get(watched.id).copied(), (zone, now))
    });
    let mut told: Vec<SourceLine<'_>> = told.collect();
    if options.json {
        let lines: Vec<String> = told.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let end = if lines.is_empty() { "" } else { "\n" };
        output::print(&(lines.join("\n") + end))?;
    } else {
        // In each group the order of the config stays.
        told.sort_by_key(|line| line.status);
        output::print(&for_people(&told, zone, now, Paint::of_stdout()))?;
    }
    if let Some(outage) = stored.outages.first().filter(|_| options.check) {
        return Err(Failure::Running(anyhow!("this machine lacks something: {}", outage.reason)));
    }
    if let Some((post, trouble)) = stored.posts.first().filter(|_| options.check) {
        return Err(Failure::Running(anyhow!("post `{post}`: {trouble}")));
    }
    let polled = told.iter().filter(|line| !matches!(line.status, Standing::Disabled | Standing::Gone)).count();
    let failing = told.iter().filter(|line| line.status == Standing::Failing).count();
    if options.check && failing * 2 > polled {
        return Err(Failure::Running(anyhow!("{failing} of {} fail", count(polled, "feed"))));
    }
    let needing: Vec<&str> = told.iter().filter(|line| line.needs_somebody).map(|line| line.id).collect();
    if options.check && !needing.is_empty() {
        return Err(Failure::Running(anyhow!("these feeds need somebody: {}", needing.join(", "))));
    }
    Ok(())
}

/// The line of a source. Its `silence` is told only if it is the worst of it.
fn line<'a>(
    watched: &ShownSource<'a>,
    state: &'a SourceState,
    days: &[EntryDay],
    share: Option<&SourceShare>,
    (zone, now): (Tz, Timestamp),
) -> SourceLine<'a> {
    let since = now - TimeDelta::weeks(i64::from(WEEKS));
    let entries: u64 = days.iter().filter(|day| day.last >= since).map(|day| u64::from(day.entries)).sum();
    let dates: Vec<Timestamp> = days.iter().map(|day| day.last).collect();
    let silence = silence(&dates, now);
    let last_news = dates.iter().copied().chain(share.and_then(|share| share.last)).max();
    let status = Standing::of(state.polls(), watched.enabled, silence.is_some(), last_news, now);
    let old_news = last_news.filter(|_| status == Standing::Asleep).map(|at| (at, age(now - at)));
    SourceLine {
        id: watched.id,
        url: watched.url,
        title: watched.title.or(state.about.title.as_deref()),
        status,
        needs_somebody: watched.enabled && needs_somebody(state),
        last_success: state.last_success,
        last_news,
        next_poll: state.next_poll.filter(|_| watched.enabled),
        next_poll_why: &state.next_poll_why,
        failures: state.failures,
        last_error: state.last_error.as_ref().map(|failure| failure.message.as_str()),
        entries: share.map_or(0, |share| share.entries),
        topic_entries: share.map_or(0, |share| share.in_topics),
        entries_per_week: (entries as f64 / f64::from(WEEKS) * 10.0).round() / 10.0,
        moved_to: state.moved_to.as_ref().map(url::Url::as_str),
        remarks: remarks(watched, state, silence.filter(|_| status == Standing::Silent), old_news, zone),
    }
}

/// Returns remarks for people beyond the line, with advice.
fn remarks(
    watched: &ShownSource<'_>,
    state: &SourceState,
    silence: Option<Silence>,
    news: Option<(Timestamp, String)>,
    zone: Tz,
) -> Vec<String> {
    let failure = state.last_error.as_ref().map(|failure| match state.failures {
        0 | 1 => failure.message.clone(),
        failures => format!("{failures} failures in a row since {}: {}", minute(failure.since, zone), failure.message),
    });
    let silence = silence.map(|silence| {
        let since = minute(silence.since, zone);
        format!("nothing new since {since}; it used to write every {}", rough_duration(silence.usual))
    });
    let news = news.map(|(at, age)| format!("last news {}, {age} ago", day(at, zone)));
    let moved = state.moved_to.as_ref().map(|to| format!("moved for good: write `url = \"{to}\"`"));
    let moving = state
        .redirect
        .as_ref()
        .map(|seen| format!("seems to move to {} (seen since {})", seen.to, minute(seen.since, zone)));
    let unusual = watched.schedule.as_ref().is_some_and(|schedule| state.next_poll_why != *schedule);
    let is_told = unusual && !state.retired && !state.next_poll_why.is_empty();
    let why = is_told.then(|| format!("next poll: {}", state.next_poll_why));
    let full_text = state.about.defects.iter().filter(|defect| defect.code.starts_with("full_text"));
    let full_text = full_text.map(|defect| defect.message.clone());
    [failure, silence, news, moved, moving, why].into_iter().flatten().chain(full_text).collect()
}

fn day(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d").to_string()
}

/// A minute by the clock of the config: `2026-11-24 10:15 CET`.
fn minute(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

/// Its colour on a terminal (ECMA-48 §8.3.117).
fn colour(status: Standing) -> &'static str {
    match status {
        Standing::Ok => "32",
        Standing::Silent | Standing::Asleep | Standing::Empty => "33",
        Standing::Failing | Standing::Gone => "31",
        Standing::NeverPolled | Standing::Disabled => "2",
    }
}

/// A line a source, troubles first; indented ones for what is worth knowing, and a total.
fn for_people(told: &[SourceLine<'_>], zone: Tz, now: Timestamp, paint: Paint) -> String {
    if told.is_empty() {
        return "no feeds: `veille add URL` adds one\n".to_owned();
    }
    let heads = ["status", "feed", "last news", "a week", "in topics", "next poll"].map(str::to_owned);
    let rows: Vec<[String; 6]> = told.iter().map(|line| row(line, zone, now)).collect();
    let width = |column: usize| {
        let lengths = std::iter::once(&heads).chain(&rows).filter_map(|row| Some(row.get(column)?.chars().count()));
        lengths.max().unwrap_or_default()
    };
    let [of_status, of_news, of_week, of_share, of_next] = [0, 2, 3, 4, 5].map(width);
    let others = of_status + of_news + of_week + of_share + of_next + 5 * GAP;
    let room = WIDTH.saturating_sub(others);
    let of_id = rows.iter().map(|[_, id, ..]| id.chars().count()).filter(|length| *length <= room).max();
    let of_id = of_id.unwrap_or_default().max("feed".len());
    let line = |[status, id, news, week, share, next]: &[String; 6], paint_status: &dyn Fn(&str) -> String| {
        // An id is there to be copied: a long one has a line of its own.
        let is_long = id.chars().count() > of_id;
        let status = paint_status(&format!("{status:<of_status$}"));
        let (id, rest) =
            if is_long { (format!("{id}\n{:of_status$}  ", ""), "") } else { (String::new(), id.as_str()) };
        let figures = format!("{news:<of_news$}  {week:>of_week$}  {share:>of_share$}  {next}");
        format!("{status}  {id}{rest:<of_id$}  {figures}").trim_end().to_owned() + "\n"
    };
    let mut text = line(&heads, &|status| paint.quiet(status));
    for (told, row) in told.iter().zip(&rows) {
        text += &line(row, &|status| paint.with(colour(told.status), status));
        for remark in &told.remarks {
            for part in wrapped(&output::harmless(remark), WIDTH.saturating_sub(of_status + GAP)) {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{:of_status$}  {}", "", paint.quiet(&part));
            }
        }
    }
    text + &total(told)
}

fn row(line: &SourceLine<'_>, zone: Tz, now: Timestamp) -> [String; 6] {
    let next = match line.next_poll {
        Some(at) if at > now => format!("in {}", rough_duration(at - now)),
        Some(_) => "now".to_owned(),
        None if line.status == Standing::NeverPolled => "now".to_owned(),
        None => String::new(),
    };
    let news = line.last_news.map_or_else(String::new, |at| day(at, zone));
    let share = if line.entries == 0 { String::new() } else { format!("{} of {}", line.topic_entries, line.entries) };
    let week = format!("{:.1}", line.entries_per_week);
    [line.status.in_words().to_owned(), line.id.to_owned(), news, week, share, next]
}

/// Breaks a text into lines of at most so many characters between its words; a longer word stays whole.
///
/// A line keeps the blank at which it was broken: lines that are joined again are the text.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(line) => {
                line.push(' ');
                lines.push(word.to_owned());
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn total(told: &[SourceLine<'_>]) -> String {
    let feeds_of = |status: Standing| told.iter().filter(|line| line.status == status).count();
    let parts = Standing::ALL.into_iter().map(|status| (feeds_of(status), status)).filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, status)| format!("{number} {}", status.in_words())).collect();
    format!("{}: {}\n", count(told.len(), "feed"), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_cut_and_lines_keep_their_width() {
        let text = "https://a.example/a/very/long/address/that/nobody/can/break answered 404; look for its new address";
        assert_eq!(
            wrapped(text, 40),
            ["https://a.example/a/very/long/address/that/nobody/can/break ", "answered 404; look for its new address"]
        );
        assert_eq!(wrapped("", 40), Vec::<String>::new());
    }
}
