//! Nodes and leases. A round of a node is one transaction and one round trip; it never waits for a row of another node.
//!
//! Locks are taken in one order everywhere: those of dead nodes, new names, then own leases (by name), then others that are free
//! (which are skipped if somebody else is at them, as are those of the dead). `apply` locks leases before anything else, so that nobody takes them over meanwhile
//! (`FOR UPDATE`); its own node renews them all the same (`FOR NO KEY UPDATE`).

use std::collections::HashMap;
use std::time::Duration;

use tokio_postgres::Row;

use super::session::{Call, Session, call};
use super::{StoreError, rows};
use crate::feed::Timestamp;
use crate::state::lease::{JOBS, LEASE};
use crate::state::{Granted, Hold, LeaseAnswer, LeaseRequest, NodeSign, NodeState, Planned};

/// The time by the server, in milliseconds.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// A node of which nothing was heard for a day is forgotten, in milliseconds.
const FORGOTTEN: i64 = 86_400_000;

/// Rules that no node has had for an hour were given up: who comes with them begins them anew. In milliseconds.
const GIVEN_UP: i64 = 3_600_000;

/// Nodes, by their start. One that came back after a crash stands for the one that is gone.
fn nodes_listed() -> Call<'static> {
    call!(
        format!(
            "SELECT n.id, n.name, n.version, n.rules, n.published, n.lag_seconds, n.hosts, n.reasons, n.began,
                greatest({NOW} - n.seen, 0), coalesce((SELECT since FROM met WHERE met.rules = n.rules), n.began),
                EXISTS (SELECT 1 FROM lease WHERE name = $1 AND node = n.id AND until > {NOW}), n.passing
             FROM node n
             WHERE n.seen > {NOW} - $2 AND NOT EXISTS (
                SELECT 1 FROM node later WHERE later.name = n.name AND later.seen > n.seen + $3 AND n.seen < {NOW} - $3)
             ORDER BY n.began, n.id"
        ),
        JOBS,
        FORGOTTEN,
        milliseconds(LEASE)
    )
}

fn node(row: &Row) -> Result<NodeState, StoreError> {
    let whole = |column| Ok::<u64, StoreError>(rows::number(row, column)?.unsigned_abs());
    let reasons: &str = rows::get(row, 7)?;
    let sign = NodeSign {
        id: rows::get(row, 0)?,
        name: rows::get(row, 1)?,
        version: rows::get(row, 2)?,
        rules: rows::get(row, 3)?,
        is_passing: rows::get(row, 12)?,
        published: rows::number(row, 4)?,
        lag_seconds: whole(5)?,
        hosts: whole(6)?,
        reasons: reasons.lines().map(str::to_owned).collect(),
    };
    Ok(NodeState {
        sign,
        began: time(rows::number(row, 8)?),
        silent_seconds: whole(9)? / 1000,
        rules_met: time(rows::number(row, 10)?),
        has_jobs: rows::get(row, 11)?,
    })
}

/// The nodes of the last day.
pub(super) fn nodes(session: &mut Session) -> Result<Vec<NodeState>, StoreError> {
    rows::next(&mut session.look(&[nodes_listed()])?, node)
}

/// A round of a node.
pub(super) fn lease(session: &mut Session, request: &LeaseRequest) -> Result<LeaseAnswer, StoreError> {
    let mut calls = if request.dead.is_empty() { Vec::new() } else { burying(request).into() };
    let buried = calls.len();
    calls.extend(keeping(request).into_iter().chain(taking(request)).chain(telling(request)));
    let mut answers = session.at_once(&calls)?;
    let mut skip = |calls: usize| (0..calls).for_each(|_| drop(answers.next()));
    skip(buried + 3);
    let renewed = rows::next(&mut answers, |row| Ok((hold(row)?, rows::get::<bool>(row, 2)?)))?;
    let granted = rows::next(&mut answers, |row| Ok((hold(row)?, rows::number(row, 2)?)))?;
    let mut skip = |calls: usize| (0..calls).for_each(|_| drop(answers.next()));
    skip(4);
    let throttled = rows::next(&mut answers, |row| Ok((rows::get(row, 0)?, rows::time(row, 1)?)))?;
    let throttled: HashMap<String, Option<Timestamp>> = throttled.into_iter().collect();
    let planned = rows::next(&mut answers, planned)?;
    let nodes = rows::next(&mut answers, node)?;
    let whole = |row: &Row| Ok((rows::number(row, 0)?, rows::number(row, 1)?, rows::get::<bool>(row, 2)?));
    let (generation, now, is_unlabelled) = rows::next_single(&mut answers, whole)?.unwrap_or_default();
    let granted = granted.into_iter().map(|(hold, free_in)| Granted {
        free_in: Duration::from_millis(free_in.unsigned_abs()),
        throttled_until: throttled.get(&hold.name).copied().flatten(),
        hold,
    });
    Ok(LeaseAnswer {
        granted: granted.collect(),
        awaited: renewed.iter().filter(|(_, is_awaited)| *is_awaited).map(|(hold, _)| hold.name.clone()).collect(),
        renewed: renewed.into_iter().map(|(hold, _)| hold).collect(),
        planned,
        nodes,
        generation,
        is_unlabelled,
        now: time(now),
    })
}

/// Frees what dead nodes held, and forgets them. The requests that they made ended with them, so the gap begins now.
fn burying(request: &LeaseRequest) -> [Call<'static>; 2] {
    [
        call!(
            format!(
                "UPDATE lease SET node = NULL, until = 0, awaited = false, free_from = greatest(free_from, {NOW} + gap)
                 FROM (SELECT name FROM lease WHERE node = ANY ($1::text[]) FOR UPDATE SKIP LOCKED) AS of_dead
                 WHERE lease.name = of_dead.name"
            ),
            request.dead.clone()
        ),
        call!("DELETE FROM node WHERE id = ANY ($1::text[])", request.dead.clone()),
    ]
}

/// Makes rows for new names, then gives back and renews own leases. The last answer tells the renewed ones.
fn keeping(request: &LeaseRequest) -> [Call<'static>; 4] {
    let id = || request.node.id.clone();
    let (names, fences) = split(&request.kept);
    let returned: Vec<Hold> = request.returned.iter().map(|(hold, _)| hold.clone()).collect();
    let gaps: Vec<i64> = request.returned.iter().map(|(_, gap)| milliseconds(*gap)).collect();
    let (returned_names, returned_fences) = split(&returned);
    let own: Vec<String> = names.iter().chain(&returned_names).cloned().collect();
    [
        call!(
            "INSERT INTO lease (name) SELECT name FROM unnest($1::text[]) name
             WHERE NOT EXISTS (SELECT 1 FROM lease WHERE lease.name = name.name) ORDER BY name ON CONFLICT DO NOTHING",
            request.wanted.clone()
        ),
        call!(
            "SELECT 1 FROM lease WHERE name = ANY ($1::text[]) AND node = $2 ORDER BY name FOR NO KEY UPDATE",
            own,
            id()
        ),
        call!(
            format!(
                "UPDATE lease SET node = NULL, until = 0, awaited = false,
                    free_from = greatest(free_from, {NOW} + back.gap)
                 FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS back (name, fence, gap)
                 WHERE lease.name = back.name AND lease.node = $4 AND lease.fence = back.fence"
            ),
            returned_names,
            returned_fences,
            gaps,
            id()
        ),
        call!(
            format!(
                "UPDATE lease SET until = {NOW} + $4
                 FROM unnest($1::text[], $2::bigint[]) AS kept (name, fence)
                 WHERE lease.name = kept.name AND lease.node = $3 AND lease.fence = kept.fence
                 RETURNING lease.name, lease.fence, lease.awaited"
            ),
            names,
            fences,
            id(),
            milliseconds(LEASE)
        ),
    ]
}

/// Takes wanted leases that are free, and asks the holders of urgent ones to give them back. The first answer tells those taken.
fn taking(request: &LeaseRequest) -> [Call<'static>; 2] {
    let id = || request.node.id.clone();
    [
        call!(
            // A lease that ran out may have been used to its end: the gap follows that.
            format!(
                "WITH free AS (
                    SELECT lease.name,
                        CASE WHEN node IS NULL THEN free_from ELSE greatest(free_from, until + gap) END AS free_from
                    FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place) JOIN lease ON lease.name = wanted.name
                    WHERE node IS NULL OR until < {NOW}
                    ORDER BY place LIMIT $2 FOR UPDATE OF lease SKIP LOCKED)
                 UPDATE lease SET node = $3, fence = nextval('fence') * 1048576 + floor(random() * 1048576)::bigint,
                    until = {NOW} + $4, gap = $5, awaited = false, free_from = free.free_from
                 FROM free WHERE lease.name = free.name
                 RETURNING lease.name, lease.fence, greatest(lease.free_from - {NOW}, 0)"
            ),
            request.wanted.clone(),
            i64::try_from(request.most).unwrap_or(i64::MAX),
            id(),
            milliseconds(LEASE),
            milliseconds(request.gap)
        ),
        call!(
            "UPDATE lease SET awaited = true WHERE name IN (
                SELECT name FROM lease WHERE name = ANY ($1::text[]) AND node <> $2 AND NOT awaited
                FOR NO KEY UPDATE SKIP LOCKED)",
            request.urgent.clone(),
            id()
        ),
    ]
}

/// Notes the sign of life and forgets the dead (three answers), then asks for throttles, plans, nodes and the store as a whole.
fn telling(request: &LeaseRequest) -> [Call<'static>; 7] {
    let sign = if request.is_leaving {
        call!("DELETE FROM node WHERE id = $1", request.node.id.clone())
    } else {
        signed(&request.node)
    };
    [
        sign,
        call!(
            // Not each time: all nodes would wait for this row.
            format!(
                "INSERT INTO met SELECT $1, {NOW}, {NOW} WHERE NOT $3
                 ON CONFLICT (rules) DO UPDATE SET seen = excluded.seen,
                    since = CASE WHEN met.seen < {NOW} - $2 THEN excluded.since ELSE met.since END
                 WHERE met.seen < {NOW} - 60000"
            ),
            request.node.rules.clone(),
            GIVEN_UP,
            request.node.is_passing || request.is_leaving
        ),
        call!(format!("DELETE FROM node WHERE seen < {NOW} - $1"), FORGOTTEN),
        call!(
            format!("SELECT host, until FROM throttle WHERE host = ANY ($1::text[]) AND until * 1000 > {NOW}"),
            request.wanted.clone()
        ),
        call!(
            "SELECT id, url, last_poll, next_poll, retired FROM source WHERE id = ANY ($1::text[])",
            request.due.clone()
        ),
        nodes_listed(),
        call!(format!(
            "SELECT (SELECT value FROM meta WHERE name = 'generation'), {NOW}, EXISTS (
                SELECT 1 FROM unlabelled WHERE rules = coalesce((SELECT value FROM meta WHERE name = 'next_rules'),
                    (SELECT value FROM meta WHERE name = 'rules')))"
        )),
    ]
}

fn signed(sign: &NodeSign) -> Call<'static> {
    let NodeSign { id, name, version, rules, is_passing, published, lag_seconds, hosts, reasons } = sign.clone();
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    call!(
        format!(
            "INSERT INTO node VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, {NOW}, {NOW})
             ON CONFLICT (id) DO UPDATE SET rules = excluded.rules, published = excluded.published,
                lag_seconds = excluded.lag_seconds, hosts = excluded.hosts, reasons = excluded.reasons,
                seen = excluded.seen"
        ),
        id,
        name,
        version,
        rules,
        is_passing,
        published,
        whole(lag_seconds),
        whole(hosts),
        reasons.iter().map(|reason| reason.replace('\n', " ")).collect::<Vec<_>>().join("\n")
    )
}

/// Looks up the leases under which changes were made, and keeps others from taking them over until the transaction ends. Returns
/// nothing for one that was taken over.
pub(super) fn guarded(holds: &[Hold]) -> Call<'static> {
    let (names, _) = split(holds);
    call!("SELECT name, fence FROM lease WHERE name = ANY ($1::text[]) ORDER BY name FOR KEY SHARE", names)
}

/// Finds a lease that another node has taken over, by the answer to [`guarded`].
///
/// # Errors
/// [`StoreError::Overtaken`].
pub(super) fn refuse_overtaken(holds: &[Hold], answer: &[Row]) -> Result<(), StoreError> {
    let held: Vec<Hold> = answer.iter().map(hold).collect::<Result<_, _>>()?;
    match holds.iter().find(|hold| !held.contains(hold)) {
        Some(lost) => Err(StoreError::Overtaken { lease: lost.name.clone() }),
        None => Ok(()),
    }
}

/// Deletes the rows of hosts that nobody has asked for long. Fences are never repeated, so nothing depends on them.
pub(super) fn forget_idle() -> Call<'static> {
    call!(format!("DELETE FROM lease WHERE node IS NULL AND free_from < {NOW} - $1"), 30 * FORGOTTEN)
}

fn planned(row: &Row) -> Result<Planned, StoreError> {
    Ok(Planned {
        source_id: rows::get(row, 0)?,
        url: rows::url(row, 1)?,
        last_poll: rows::time(row, 2)?,
        next_poll: rows::time(row, 3)?,
        retired: rows::get(row, 4)?,
    })
}

fn hold(row: &Row) -> Result<Hold, StoreError> {
    Ok(Hold { name: rows::get(row, 0)?, fence: rows::number(row, 1)? })
}

fn split(holds: &[Hold]) -> (Vec<String>, Vec<i64>) {
    holds.iter().map(|hold| (hold.name.clone(), hold.fence)).unzip()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(milliseconds).unwrap_or_default()
}

#[cfg(test)]
mod tests;
