//! Operations: states of sources with their validators, turns of health, announcements to hubs, throttled hosts.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Row;

use super::rows::{self, array, text, texts, unix};
use super::session::{Answers, Call, call};
use super::{Postgres, StoreError, websub};
use crate::feed::Timestamp;
use crate::state::{Announcement, Monitored, Remembered, SourceState, Throttle, Turn, Validators};
use crate::store::names;

const TURN: &str = "source_id, date, health, detail";
const ANNOUNCEMENT: &str = "hub, topic, told, told_at, failures, next_try, last_error";
const SOURCE: &str =
    "SELECT id, url, moved_to, redirect, body_hash, last_poll, last_success, next_poll, next_poll_why, failures,
        last_error, retired, about,
        (SELECT health FROM change WHERE source_id = source.id AND health <> 'moved' ORDER BY number DESC LIMIT 1),
        (SELECT min(suspected) FROM entry
         WHERE source_id = source.id AND suspected IS NOT NULL AND withdrawn IS NULL)";
const OF_SOURCE: &str = "FROM source LEFT JOIN subscription ON subscription.source_id = source.id";

/// Asks for the memory of sources, by id: of all sources, or of these. [`remembered`] reads the answers.
pub(super) fn ask_remembered(ids: Option<&[String]>) -> [Call<'static>; 2] {
    let validators = "SELECT source_id, url, etag, last_modified FROM validator";
    let source = format!("{SOURCE}, {} {OF_SOURCE}", websub::SUBSCRIPTION);
    match ids {
        None => [call!(format!("{source} ORDER BY id")), call!(format!("{validators} ORDER BY source_id, url"))],
        Some(ids) => [
            call!(format!("{source} WHERE id = ANY($1) ORDER BY id"), ids.to_vec()),
            call!(format!("{validators} WHERE source_id = ANY($1) ORDER BY source_id, url"), ids.to_vec()),
        ],
    }
}

/// Each id gives its source as often as it was asked for, in the order of the question.
pub(super) fn remembered(answers: &mut Answers, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
    let mut found = rows::next(answers, source)?;
    let mut known = validators(answers)?;
    for Remembered { state, .. } in &mut found {
        state.validators = known.remove(&state.source_id).unwrap_or_default();
    }
    let Some(ids) = ids else { return Ok(found) };
    let by_id: HashMap<String, Remembered> =
        found.into_iter().map(|known| (known.state.source_id.clone(), known)).collect();
    Ok(ids.iter().filter_map(|id| by_id.get(id).cloned()).collect())
}

/// Reads validators, by source and in the order of their addresses.
pub(super) fn validators(answers: &mut Answers) -> Result<HashMap<String, Vec<Validators>>, StoreError> {
    let read = |row: &Row| {
        let validators =
            Validators { url: rows::get(row, 1)?, etag: rows::get(row, 2)?, last_modified: rows::get(row, 3)? };
        Ok((rows::get::<String>(row, 0)?, validators))
    };
    let mut known: HashMap<String, Vec<Validators>> = HashMap::new();
    for (source_id, validators) in rows::next(answers, read)? {
        known.entry(source_id).or_default().push(validators);
    }
    Ok(known)
}

fn source(row: &Row) -> Result<Remembered, StoreError> {
    let state = SourceState {
        source_id: rows::get(row, 0)?,
        validators: Vec::new(),
        url: rows::url(row, 1)?,
        moved_to: rows::url(row, 2)?,
        redirect: rows::json(row, 3)?,
        body_hash: rows::get::<Option<&[u8]>>(row, 4)?.and_then(|bytes| bytes.try_into().ok()),
        last_poll: rows::time(row, 5)?,
        last_success: rows::time(row, 6)?,
        next_poll: rows::time(row, 7)?,
        next_poll_why: rows::get(row, 8)?,
        failures: rows::small(row, 9)?,
        last_error: rows::json(row, 10)?,
        retired: rows::get(row, 11)?,
        about: rows::json(row, 12)?.unwrap_or_default(),
    };
    let health = rows::get::<Option<&str>>(row, 13)?.map(names::health);
    let subscription = websub::subscription(row, 15)?.map(Box::new);
    Ok(Remembered { state, health, missed_since: rows::time(row, 14)?, subscription })
}

/// Writes states of sources; of several of one source the last. Validators are written only if something differs from
/// `known`: most polls change nothing there.
pub(super) fn save_sources<'a>(
    states: &[&'a SourceState],
    known: &HashMap<String, Vec<Validators>>,
) -> Result<Vec<Call<'a>>, StoreError> {
    // In one order everywhere, so that no two writers wait for each other.
    let states: BTreeMap<&str, &SourceState> = states.iter().map(|state| (state.source_id.as_str(), *state)).collect();
    let mut redirects: Vec<Option<String>> = Vec::new();
    let mut errors: Vec<Option<String>> = Vec::new();
    let mut abouts: Vec<String> = Vec::new();
    for state in states.values() {
        redirects.push(rows::to_json(state.redirect.as_ref())?);
        errors.push(rows::to_json(state.last_error.as_ref())?);
        abouts.push(serde_json::to_string(&state.about)?);
    }
    let all = || states.values().copied();
    let mut calls = vec![call!(
        "INSERT INTO source (id, url, moved_to, redirect, body_hash, last_poll, last_success, next_poll, next_poll_why,
            failures, last_error, retired, about)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::boolean[], $13::text[])
         ON CONFLICT (id) DO UPDATE SET url = excluded.url, moved_to = excluded.moved_to, redirect = excluded.redirect,
            body_hash = excluded.body_hash, last_poll = excluded.last_poll, last_success = excluded.last_success,
            next_poll = excluded.next_poll, next_poll_why = excluded.next_poll_why, failures = excluded.failures,
            last_error = excluded.last_error, retired = excluded.retired, about = excluded.about",
        array(states.keys().map(|id| text(id))),
        texts(all().map(|state| state.url.as_ref().map(url::Url::as_str))),
        texts(all().map(|state| state.moved_to.as_ref().map(url::Url::as_str))),
        redirects,
        array(all().map(|state| state.body_hash.map(|hash| hash.to_vec()))),
        array(all().map(|state| state.last_poll.map(unix))),
        array(all().map(|state| state.last_success.map(unix))),
        array(all().map(|state| state.next_poll.map(unix))),
        array(all().map(|state| text(&state.next_poll_why))),
        array(all().map(|state| i64::from(state.failures))),
        errors,
        array(all().map(|state| state.retired)),
        abouts,
    )];
    let stored = |state: &SourceState| known.get(&state.source_id).map(Vec::as_slice).unwrap_or_default();
    let changed: Vec<&SourceState> = all().filter(|state| stored(state) != state.validators).collect();
    if !changed.is_empty() {
        calls.push(call!(
            "DELETE FROM validator WHERE source_id = ANY($1)",
            array(changed.iter().map(|state| text(&state.source_id))),
        ));
        let rows: BTreeMap<(&str, &str), &Validators> = changed
            .iter()
            .flat_map(|state| {
                state.validators.iter().map(|known| ((state.source_id.as_str(), known.url.as_str()), known))
            })
            .collect();
        calls.push(call!(
            "INSERT INTO validator SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])",
            array(rows.keys().map(|(source_id, _)| text(source_id))),
            array(rows.keys().map(|(_, url)| text(url))),
            array(rows.values().map(|validators| validators.etag.clone())),
            array(rows.values().map(|validators| validators.last_modified.clone())),
        ));
    }
    Ok(calls)
}

pub(super) fn note_turns<'a>(turns: &[&'a Turn]) -> Call<'a> {
    call!(
        format!(
            "INSERT INTO change ({TURN}) SELECT source_id, date, health, detail
             FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
                WITH ORDINALITY AS turn (source_id, date, health, detail, place) ORDER BY place"
        ),
        array(turns.iter().map(|turn| text(&names::id(&turn.of)).into_owned())),
        array(turns.iter().map(|turn| unix(turn.date))),
        array(turns.iter().map(|turn| names::word(turn.health))),
        texts(turns.iter().map(|turn| turn.detail.as_deref())),
    )
}

/// Asks for the last turn of each, or of one. Of each the index gives the last, whatever the number of turns.
pub(super) fn ask_last_turns(of: Option<&Monitored>) -> Call<'static> {
    let last = format!(
        "SELECT {TURN} FROM change WHERE number = (
            SELECT max(number) FROM change AS own WHERE own.source_id = $1 AND own.health <> 'moved')"
    );
    match of {
        Some(of) => call!(last, names::id(of).into_owned()),
        None => call!(format!(
            "WITH RECURSIVE known AS (
                SELECT min(source_id) COLLATE \"C\" AS source_id FROM change
                UNION ALL
                SELECT (SELECT min(source_id) FROM change WHERE change.source_id > known.source_id) FROM known
                WHERE known.source_id IS NOT NULL
             ) SELECT last.* FROM known CROSS JOIN LATERAL (
                SELECT {TURN} FROM change WHERE change.source_id = known.source_id AND health <> 'moved'
                ORDER BY number DESC LIMIT 1) AS last ORDER BY last.source_id"
        )),
    }
}

/// Asks for the last turns. Outages of this machine, whose ids begin with a colon, are no news of a source.
pub(super) fn ask_turns(limit: usize) -> Call<'static> {
    let sql = format!("SELECT {TURN} FROM change WHERE source_id NOT LIKE ':%' ORDER BY number DESC LIMIT $1");
    call!(sql, rows::limit(limit))
}

pub(super) fn turn(row: &Row) -> Result<Turn, StoreError> {
    Ok(Turn {
        of: names::monitored(rows::get(row, 0)?),
        date: rows::time(row, 1)?.unwrap_or_default(),
        health: names::health(rows::get(row, 2)?),
        detail: rows::get(row, 3)?,
    })
}

pub(super) fn ask_announcements() -> Call<'static> {
    call!(format!("SELECT {ANNOUNCEMENT} FROM announcement ORDER BY hub, topic"))
}

pub(super) fn announcement(row: &Row) -> Result<Announcement, StoreError> {
    Ok(Announcement {
        hub: rows::get(row, 0)?,
        topic: rows::get(row, 1)?,
        told: rows::get(row, 2)?,
        told_at: rows::time(row, 3)?,
        failures: rows::small(row, 4)?,
        next_try: rows::time(row, 5)?,
        last_error: rows::get(row, 6)?,
    })
}

pub(super) fn save_announcement(announcement: &Announcement) -> Call<'_> {
    let Announcement { hub, topic, told, told_at, failures, next_try, last_error } = announcement;
    call!(
        format!(
            "INSERT INTO announcement ({ANNOUNCEMENT}) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (hub, topic) DO UPDATE SET told = excluded.told, told_at = excluded.told_at,
                failures = excluded.failures, next_try = excluded.next_try, last_error = excluded.last_error"
        ),
        text(hub),
        text(topic),
        text(told),
        told_at.map(unix),
        i64::from(*failures),
        next_try.map(unix),
        last_error.as_deref().map(text),
    )
}

pub(super) fn save_throttle(throttle: &Throttle, now: Timestamp) -> Vec<Call<'_>> {
    let over = "DELETE FROM throttle WHERE until <= $1 OR host = $2 AND $3::bigint <= $1";
    let mut calls = vec![call!(over, unix(now), text(&throttle.host), unix(throttle.until))];
    if throttle.until > now {
        calls.push(call!(
            "INSERT INTO throttle VALUES ($1, $2)
             ON CONFLICT (host) DO UPDATE SET until = greatest(throttle.until, excluded.until)",
            text(&throttle.host),
            unix(throttle.until),
        ));
    }
    calls
}

impl Postgres {
    pub(super) fn remembered(&mut self, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
        remembered(&mut self.session.look(&ask_remembered(ids))?, ids)
    }

    pub(super) fn last_turns(&mut self, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError> {
        rows::next(&mut self.session.look(&[ask_last_turns(of)])?, turn)
    }

    pub(super) fn all_announcements(&mut self) -> Result<Vec<Announcement>, StoreError> {
        rows::next(&mut self.session.look(&[ask_announcements()])?, announcement)
    }

    pub(super) fn all_throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError> {
        let ask = call!("SELECT host, until FROM throttle WHERE until > $1 ORDER BY host", unix(now));
        let read = |row: &Row| Ok((rows::get(row, 0)?, rows::time(row, 1)?));
        let found: Vec<(String, Option<Timestamp>)> = rows::next(&mut self.session.look(&[ask])?, read)?;
        Ok(found.into_iter().filter_map(|(host, until)| Some(Throttle { host, until: until? })).collect())
    }
}
