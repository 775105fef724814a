//! Subscriptions of ours, and subscribers of our hub. Nothing is decided here.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::feed::Timestamp;
use crate::websub::{
    DeliveryResult, FeedSubscription, Settlement, Subscriber, SubscriberCounts, SubscribersAsked, WebSubChange,
};

/// The columns that [`subscription`] reads.
pub(super) const SUBSCRIPTION: &str =
    "subscription.source_id, subscription.token, subscription.facts, subscription.trust";

const SUBSCRIBER: &str = "number, callback, topic, secret, lease_end, told, next_try, failures, since, why, intent";

/// Reads a subscription from the columns that begin there; none if they are empty, or cannot be read back.
pub(super) fn subscription(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<FeedSubscription>> {
    let Some(facts) = rows::json::<FeedSubscription>(row, first + 2)? else { return Ok(None) };
    let (source_id, token) = (row.get(first)?, row.get(first + 1)?);
    let trust = rows::json(row, first + 3)?.unwrap_or_default();
    Ok(Some(FeedSubscription { source_id, token, trust, ..facts }))
}

pub(super) fn subscriptions_by(
    connection: &Connection,
    token: Option<&str>,
) -> Result<Vec<FeedSubscription>, StoreError> {
    let read = |row: &Row<'_>| subscription(row, 0);
    let found: Vec<Option<FeedSubscription>> = match token {
        Some(token) => connection
            .prepare_cached(&format!("SELECT {SUBSCRIPTION} FROM subscription WHERE token = ?1"))?
            .query_map([token], read)?
            .collect::<Result<_, _>>()?,
        None => connection
            .prepare_cached(&format!("SELECT {SUBSCRIPTION} FROM subscription ORDER BY source_id"))?
            .query_map([], read)?
            .collect::<Result<_, _>>()?,
    };
    Ok(found.into_iter().flatten().collect())
}

pub(super) fn subscribers(connection: &Connection, asked: &SubscribersAsked) -> Result<Vec<Subscriber>, StoreError> {
    let found = match asked {
        SubscribersAsked::Intents { limit } => connection
            .prepare_cached(&format!(
                "SELECT {SUBSCRIBER} FROM subscriber WHERE intent IS NOT NULL ORDER BY number LIMIT ?1"
            ))?
            .query_map([whole(*limit)], subscriber)?
            .collect::<Result<_, _>>()?,
        SubscribersAsked::Due { topic, told, now, after, limit } => connection
            .prepare_cached(&format!(
                "SELECT {SUBSCRIBER} FROM subscriber
                 WHERE topic = ?1 AND lease_end IS NOT NULL AND number > ?4 AND lease_end > ?3 AND told <> ?2
                    AND (next_try IS NULL OR next_try <= ?3)
                 ORDER BY number LIMIT ?5"
            ))?
            .query_map(params![topic, told, unix(*now), after, whole(*limit)], subscriber)?
            .collect::<Result<_, _>>()?,
    };
    Ok(found)
}

pub(super) fn subscriber_counts(connection: &Connection, host: &str) -> Result<SubscriberCounts, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM subscriber), (SELECT count(*) FROM subscriber WHERE host = ?1),
            (SELECT count(*) FROM subscriber WHERE intent IS NOT NULL),
            (SELECT count(*) FROM subscriber WHERE intent IS NOT NULL AND host = ?1),
            (SELECT min(next_try) FROM subscriber WHERE next_try IS NOT NULL)";
    let number = |row: &Row<'_>, column| {
        Ok::<_, rusqlite::Error>(usize::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
    };
    let read = |row: &Row<'_>| {
        Ok(SubscriberCounts {
            all: number(row, 0)?,
            of_host: number(row, 1)?,
            intents: number(row, 2)?,
            intents_of_host: number(row, 3)?,
            next_try: rows::time(row, 4)?,
        })
    };
    Ok(connection.prepare_cached(sql)?.query_row([host], read)?)
}

fn subscriber(row: &Row<'_>) -> rusqlite::Result<Subscriber> {
    Ok(Subscriber {
        number: row.get(0)?,
        callback: row.get(1)?,
        topic: row.get(2)?,
        secret: row.get(3)?,
        lease_end: rows::time(row, 4)?,
        told: row.get(5)?,
        next_try: rows::time(row, 6)?,
        failures: row.get(7)?,
        since: rows::time(row, 8)?,
        why: row.get(9)?,
        intent: rows::json(row, 10)?,
    })
}

fn whole(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn write_websub(connection: &Connection, change: &WebSubChange) -> Result<(), StoreError> {
    match change {
        WebSubChange::Subscription(subscription) => {
            let sql = "INSERT INTO subscription (source_id, token, facts) VALUES (?1, ?2, ?3)
                       ON CONFLICT (source_id) DO UPDATE SET token = excluded.token, facts = excluded.facts";
            let facts = serde_json::to_string(subscription)?;
            connection.prepare_cached(sql)?.execute(params![subscription.source_id, subscription.token, facts])?;
        }
        WebSubChange::Trust { source_id, trust } => {
            let trust = serde_json::to_string(trust)?;
            let sql = "UPDATE subscription SET trust = ?2 WHERE source_id = ?1";
            connection.prepare_cached(sql)?.execute([source_id, &trust])?;
        }
        WebSubChange::Forget(source_id) => {
            connection.prepare_cached("DELETE FROM subscription WHERE source_id = ?1")?.execute([source_id])?;
        }
        WebSubChange::Intent { callback, topic, intent } => {
            let sql =
                "INSERT INTO subscriber (callback, host, topic, told, failures, intent) VALUES (?1, ?2, ?3, '', 0, ?4)
                       ON CONFLICT (callback, topic) DO UPDATE SET intent = excluded.intent";
            let (host, intent) = (callback.host_str().unwrap_or_default(), serde_json::to_string(intent)?);
            connection.prepare_cached(sql)?.execute(params![callback.as_str(), host, topic, intent])?;
        }
        WebSubChange::Settled { number, intent, settlement } => {
            let intent = serde_json::to_string(intent)?;
            settle(connection, *number, settlement)?;
            let sql = "UPDATE subscriber SET intent = NULL WHERE number = ?1 AND intent = ?2";
            connection.prepare_cached(sql)?.execute(params![number, intent])?;
            let sql = "DELETE FROM subscriber WHERE number = ?1 AND intent IS NULL AND lease_end IS NULL";
            connection.prepare_cached(sql)?.execute([number])?;
        }
        WebSubChange::Delivered(result) => save_delivery(connection, result)?,
    }
    Ok(())
}

/// Brings a subscriber to the end of its intent, which the row still holds.
fn settle(connection: &Connection, number: i64, settlement: &Settlement) -> Result<(), StoreError> {
    match settlement {
        Settlement::Subscribed { lease_end, told, secret } => {
            let sql = "UPDATE subscriber SET secret = ?4, told = CASE WHEN lease_end IS NULL THEN ?3 ELSE told END,
                        lease_end = ?2 WHERE number = ?1";
            connection.prepare_cached(sql)?.execute(params![number, unix(*lease_end), told, secret])?;
        }
        Settlement::Unsubscribed => {
            connection.prepare_cached("UPDATE subscriber SET lease_end = NULL WHERE number = ?1")?.execute([number])?;
        }
        Settlement::Failed => {}
    }
    Ok(())
}

fn save_delivery(connection: &Connection, result: &DeliveryResult) -> Result<(), StoreError> {
    let DeliveryResult { number, told, next_try, failures, since, why, is_gone } = result;
    if *is_gone {
        connection.prepare_cached("DELETE FROM subscriber WHERE number = ?1")?.execute([number])?;
        return Ok(());
    }
    let sql = "UPDATE subscriber SET told = ?2, next_try = ?3, failures = ?4, since = ?5, why = ?6 WHERE number = ?1";
    let row = params![number, told, next_try.map(unix), failures, since.map(unix), why];
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Deletes subscribers whose lease is over.
pub(super) fn drop_unleased(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection.execute("DELETE FROM subscriber WHERE lease_end <= ?1 AND intent IS NULL", [unix(now)])?;
    Ok(())
}
