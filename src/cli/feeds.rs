//! `veille feeds`: the health of every source.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use serde::Serialize;

use super::output::Paint;
use super::{Failure, open, output};
use crate::config::{self, Source};
use crate::feed::Timestamp;
use crate::outage::{Lack, Outage};
use crate::pipeline;
use crate::schedule::{RHYTHM, Silence, silence};
use crate::state::{self, Monitored, SourceState, Turn};
use crate::store::sqlite::{self, Sqlite};
use crate::store::{EntryDay, Store, StoreError};
use crate::text::rough_duration;

/// How far back the usual number of entries is counted.
const WEEKS: i32 = 8;

#[derive(Debug, clap::Args)]
pub(super) struct FeedsOptions {
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// What a line tells of a source; the keys are a contract.
#[derive(Debug, Serialize)]
struct SourceLine<'a> {
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
    #[serde(skip)]
    remarks: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    /// It answers, but has had nothing new for longer than ever.
    Silent,
    Failing,
    Gone,
    NeverPolled,
    Disabled,
}

impl Status {
    const ALL: [Self; 6] = [Self::Ok, Self::Silent, Self::Failing, Self::Gone, Self::NeverPolled, Self::Disabled];

    fn in_words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Silent => "silent",
            Self::Failing => "failing",
            Self::Gone => "gone",
            Self::NeverPolled => "never polled",
            Self::Disabled => "disabled",
        }
    }

    /// Its colour on a terminal (ECMA-48 §8.3.117).
    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "32",
            Self::Silent => "33",
            Self::Failing | Self::Gone => "31",
            Self::NeverPolled | Self::Disabled => "2",
        }
    }
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

/// What the store tells of sources.
#[derive(Default)]
struct Stored {
    states: Vec<SourceState>,
    days: Vec<EntryDay>,
    /// The config's last change.
    config: Option<Turn>,
    /// The things that the machine lacks.
    outages: Vec<Outage>,
}

pub(super) fn run(named: Option<PathBuf>, options: &FeedsOptions) -> Result<(), Failure> {
    let (path, now) = (open::config_path(named)?, Utc::now());
    match open::config(Some(path.clone())) {
        Ok(config) => {
            pipeline::refuse_vanished(&config, &config.store.path)?;
            let mut stored = stored(&config.store.path, now)?;
            if let Some(reason) = sqlite::unfit(&config.store.path) {
                stored.outages.push(Outage { lack: Lack::Store, since: now, reason });
            }
            if let Some(refused) = stored.config.as_ref().filter(|turn| turn.health == state::Health::Invalid) {
                let mistake = refused.detail.as_deref().unwrap_or_default();
                let text = format!("warning: the config of {} was refused: {mistake}", day(refused.date));
                output::note(&format!(
                    "{text}\nhelp: a running veille keeps the one before; `veille check` tells more"
                ));
            }
            show(&config.sources.iter().map(ShownSource::of).collect::<Vec<_>>(), &stored, now, options)
        }
        Err(mistakes) => {
            // The health of sources is looked for most when something is wrong.
            let store = config::store_path(&path).filter(|store| store.exists());
            if let Some(stored) = store.and_then(|store| stored(&store, now).ok()) {
                output::note(
                    "the config has mistakes, see below; this is what the store knows of feeds, old ones too\n",
                );
                show(
                    &stored.states.iter().filter_map(ShownSource::remembered).collect::<Vec<_>>(),
                    &stored,
                    now,
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

fn stored(path: &Path, now: Timestamp) -> Result<Stored, Failure> {
    let mut store = match Sqlite::open_read_only(path) {
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
        config,
        outages: outages.iter().flatten().filter_map(Outage::of).collect(),
    })
}

fn show(watched: &[ShownSource<'_>], stored: &Stored, now: Timestamp, options: &FeedsOptions) -> Result<(), Failure> {
    for Outage { lack, since, reason } in &stored.outages {
        output::note(&format!("warning: since {}: {reason}\nhelp: {}\n", day(*since), lack.advice()));
    }
    let states: HashMap<&str, &SourceState> =
        stored.states.iter().map(|state| (state.source_id.as_str(), state)).collect();
    let days: HashMap<&str, &[EntryDay]> = stored
        .days
        .chunk_by(|one, next| one.source_id == next.source_id)
        .filter_map(|days| Some((days.first()?.source_id.as_str(), days)))
        .collect();
    let new = SourceState::default();
    let told = watched.iter().map(|watched| {
        let state = states.get(watched.id).copied().unwrap_or(&new);
        health(watched, state, days.get(watched.id).copied().unwrap_or_default(), now)
    });
    let told: Vec<SourceLine<'_>> = told.collect();
    if options.json {
        let lines: Vec<String> = told.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let end = if lines.is_empty() { "" } else { "\n" };
        return Ok(output::print(&(lines.join("\n") + end))?);
    }
    Ok(output::print(&for_people(&told, now, Paint::of_stdout()))?)
}

fn health<'a>(watched: &ShownSource<'a>, state: &'a SourceState, days: &[EntryDay], now: Timestamp) -> SourceLine<'a> {
    let since = now - TimeDelta::weeks(i64::from(WEEKS));
    let entries: u64 = days.iter().filter(|day| day.last >= since).map(|day| day.entries).sum();
    let dates: Vec<Timestamp> = days.iter().map(|day| day.last).collect();
    let silence = silence(&dates, now);
    let status = if !watched.enabled {
        Status::Disabled
    } else if state.retired {
        Status::Gone
    } else if state.failures > 0 {
        Status::Failing
    } else if state.last_success.is_none() {
        Status::NeverPolled
    } else if silence.is_some() {
        Status::Silent
    } else {
        Status::Ok
    };
    SourceLine {
        id: watched.id,
        url: watched.url,
        title: watched.title.or(state.about.title.as_deref()),
        status,
        last_success: state.last_success,
        next_poll: state.next_poll.filter(|_| watched.enabled),
        next_poll_why: &state.next_poll_why,
        failures: state.failures,
        last_error: state.last_error.as_ref().map(|failure| failure.message.as_str()),
        entries_per_week: (entries as f64 / f64::from(WEEKS) * 10.0).round() / 10.0,
        moved_to: state.moved_to.as_ref().map(url::Url::as_str),
        remarks: remarks(watched, state, silence.filter(|_| status == Status::Silent)),
    }
}

/// What a person should know beyond the line, and can do.
fn remarks(watched: &ShownSource<'_>, state: &SourceState, silence: Option<Silence>) -> Vec<String> {
    let failure = state.last_error.as_ref().map(|failure| match state.failures {
        0 | 1 => failure.message.clone(),
        failures => format!("{failures} failures in a row since {}: {}", day(failure.since), failure.message),
    });
    let silence = silence.map(|silence| {
        format!("nothing new since {}; it used to write every {}", day(silence.since), rough_duration(silence.usual))
    });
    let moved = state.moved_to.as_ref().map(|to| format!("moved for good: write `url = \"{to}\"`"));
    let moving =
        state.redirect.as_ref().map(|seen| format!("seems to move to {} (seen since {})", seen.to, day(seen.since)));
    let unusual = watched.schedule.as_ref().is_some_and(|schedule| state.next_poll_why != *schedule);
    let is_told = unusual && !state.retired && !state.next_poll_why.is_empty();
    let why = is_told.then(|| format!("next poll: {}", state.next_poll_why));
    let full_text = state.about.defects.iter().filter(|defect| defect.code.starts_with("full_text"));
    let full_text = full_text.map(|defect| defect.message.clone());
    [failure, silence, moved, moving, why].into_iter().flatten().chain(full_text).collect()
}

fn day(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A line a source, indented ones for what is worth knowing, and a total.
fn for_people(told: &[SourceLine<'_>], now: Timestamp, paint: Paint) -> String {
    let rows: Vec<[String; 5]> = told.iter().map(|health| row(health, now)).collect();
    let widths = [0, 1, 2, 3, 4].map(|column| {
        let lengths = rows.iter().filter_map(|row| Some(row.get(column)?.chars().count()));
        lengths.max().unwrap_or_default()
    });
    let mut text = String::new();
    for (health, [status, id, week, last, next]) in told.iter().zip(&rows) {
        let [of_status, of_id, of_week, of_last, of_next] = widths;
        let status = paint.with(health.status.colour(), &format!("{status:<of_status$}"));
        let title = health.title.unwrap_or(health.url);
        let line = format!("{status}  {id:<of_id$}  {week:>of_week$}  {last:<of_last$}  {next:<of_next$}  {title}");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
        for remark in &health.remarks {
            let _ = writeln!(text, "{:of_status$}  {}", "", paint.quiet(remark));
        }
    }
    text + &total(told)
}

fn row(health: &SourceLine<'_>, now: Timestamp) -> [String; 5] {
    let last = health.last_success.map_or_else(String::new, |at| format!("read {} ago", rough_duration(now - at)));
    let next = match health.next_poll {
        Some(at) if at > now => format!("next in {}", rough_duration(at - now)),
        Some(_) => "due now".to_owned(),
        None if health.status == Status::NeverPolled => "due now".to_owned(),
        None => String::new(),
    };
    let week = format!("{:.1}/week", health.entries_per_week);
    [health.status.in_words().to_owned(), health.id.to_owned(), week, last, next]
}

fn total(told: &[SourceLine<'_>]) -> String {
    let count = |status: Status| told.iter().filter(|health| health.status == status).count();
    let parts = Status::ALL.into_iter().map(|status| (count(status), status)).filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, status)| format!("{number} {}", status.in_words())).collect();
    match parts.as_slice() {
        [] => "no feeds: `veille add URL` adds one\n".to_owned(),
        parts => format!("{}: {}\n", output::count(told.len(), "feed"), parts.join(", ")),
    }
}
