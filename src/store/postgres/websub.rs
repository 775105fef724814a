//! Subscriptions of ours, and subscribers of our hub. Nothing is decided here.

use tokio_postgres::Row;

use super::rows::{self, text, unix};
use super::session::{Call, call};
use super::{Postgres, StoreError};
use crate::feed::Timestamp;
use crate::store::Change;
use crate::websub::{
    DeliveryResult, FeedSubscription, Settlement, Subscriber, SubscriberCounts, SubscribersAsked, WebSubChange,
};

/// The columns that [`subscription`] reads.
pub(super) const SUBSCRIPTION: &str =
    "subscription.source_id, subscription.token, subscription.facts, subscription.trust";

const SUBSCRIBER: &str = "number, callback, topic, secret, lease_end, told, next_try, failures, since, why, intent";

/// Reads a subscription from the columns that begin there; none if they are empty, or cannot be read back.
pub(super) fn subscription(row: &Row, first: usize) -> Result<Option<FeedSubscription>, StoreError> {
    let Some(facts) = rows::json::<FeedSubscription>(row, first + 2)? else { return Ok(None) };
    let (source_id, token) = (rows::get(row, first)?, rows::get(row, first + 1)?);
    let trust = rows::json(row, first + 3)?.unwrap_or_default();
    Ok(Some(FeedSubscription { source_id, token, trust, ..facts }))
}

fn subscriber(row: &Row) -> Result<Subscriber, StoreError> {
    Ok(Subscriber {
        number: rows::number(row, 0)?,
        callback: rows::get(row, 1)?,
        topic: rows::get(row, 2)?,
        secret: rows::get(row, 3)?,
        lease_end: rows::time(row, 4)?,
        told: rows::get(row, 5)?,
        next_try: rows::time(row, 6)?,
        failures: rows::small(row, 7)?,
        since: rows::time(row, 8)?,
        why: rows::get(row, 9)?,
        intent: rows::json(row, 10)?,
    })
}

/// Writes a change of subscriptions or subscribers; no other change is any business of theirs.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn websub_calls(change: &Change) -> Result<Vec<Call<'_>>, StoreError> {
    let Change::WebSub(change) = change else { return Ok(Vec::new()) };
    Ok(match change {
        WebSubChange::Subscription(subscription) => vec![call!(
            "INSERT INTO subscription (source_id, token, facts) VALUES ($1, $2, $3)
             ON CONFLICT (source_id) DO UPDATE SET token = excluded.token, facts = excluded.facts",
            text(&subscription.source_id),
            text(&subscription.token),
            serde_json::to_string(subscription)?.replace("\\u0000", ""),
        )],
        WebSubChange::Trust { source_id, trust } => vec![call!(
            "UPDATE subscription SET trust = $2 WHERE source_id = $1",
            text(source_id),
            serde_json::to_string(trust)?,
        )],
        WebSubChange::Forget(source_id) => {
            vec![call!("DELETE FROM subscription WHERE source_id = $1", text(source_id))]
        }
        WebSubChange::Intent { callback, topic, intent } => vec![call!(
            "INSERT INTO subscriber (callback, host, topic, told, failures, intent) VALUES ($1, $2, $3, '', 0, $4)
             ON CONFLICT (callback, topic) DO UPDATE SET intent = excluded.intent",
            text(callback.as_str()),
            text(callback.host_str().unwrap_or_default()),
            text(topic),
            serde_json::to_string(intent)?,
        )],
        WebSubChange::Settled { number, intent, settlement } => {
            let mut calls = settle(*number, settlement);
            calls.push(call!(
                "UPDATE subscriber SET intent = NULL WHERE number = $1 AND intent = $2",
                *number,
                serde_json::to_string(intent)?,
            ));
            calls.push(call!(
                "DELETE FROM subscriber WHERE number = $1 AND intent IS NULL AND lease_end IS NULL",
                *number
            ));
            calls
        }
        WebSubChange::Delivered(result) => vec![save_delivery(result)],
    })
}

/// Brings a subscriber to the end of its intent, which the row still holds.
fn settle(number: i64, settlement: &Settlement) -> Vec<Call<'_>> {
    match settlement {
        Settlement::Subscribed { lease_end, told, secret } => vec![call!(
            "UPDATE subscriber SET secret = $4, told = CASE WHEN lease_end IS NULL THEN $3 ELSE told END, lease_end = $2
             WHERE number = $1",
            number,
            unix(*lease_end),
            text(told),
            secret.as_deref().map(text),
        )],
        Settlement::Unsubscribed => vec![call!("UPDATE subscriber SET lease_end = NULL WHERE number = $1", number)],
        Settlement::Failed => Vec::new(),
    }
}

fn save_delivery(result: &DeliveryResult) -> Call<'_> {
    let DeliveryResult { number, told, next_try, failures, since, why, is_gone } = result;
    if *is_gone {
        return call!("DELETE FROM subscriber WHERE number = $1", *number);
    }
    call!(
        "UPDATE subscriber SET told = $2, next_try = $3, failures = $4, since = $5, why = $6 WHERE number = $1",
        *number,
        text(told),
        next_try.map(unix),
        i64::from(*failures),
        since.map(unix),
        why.as_deref().map(text),
    )
}

/// Deletes subscribers whose lease is over.
pub(super) fn drop_unleased(now: Timestamp) -> Call<'static> {
    call!("DELETE FROM subscriber WHERE lease_end <= $1 AND intent IS NULL", unix(now))
}

impl Postgres {
    pub(super) fn subscriptions_by(&mut self, token: Option<&str>) -> Result<Vec<FeedSubscription>, StoreError> {
        let ask = match token {
            Some(token) => {
                call!(format!("SELECT {SUBSCRIPTION} FROM subscription WHERE token = $1"), text(token).into_owned())
            }
            None => call!(format!("SELECT {SUBSCRIPTION} FROM subscription ORDER BY source_id")),
        };
        let found = rows::next(&mut self.session.look(&[ask])?, |row| subscription(row, 0))?;
        Ok(found.into_iter().flatten().collect())
    }

    pub(super) fn subscribers_of(&mut self, asked: &SubscribersAsked) -> Result<Vec<Subscriber>, StoreError> {
        let ask = match asked {
            SubscribersAsked::Intents { limit } => call!(
                format!("SELECT {SUBSCRIBER} FROM subscriber WHERE intent IS NOT NULL ORDER BY number LIMIT $1"),
                rows::limit(*limit),
            ),
            SubscribersAsked::Due { topic, told, now, after, limit } => call!(
                format!(
                    "SELECT {SUBSCRIBER} FROM subscriber
                     WHERE topic = $1 AND lease_end IS NOT NULL AND number > $4 AND lease_end > $3 AND told <> $2
                        AND (next_try IS NULL OR next_try <= $3)
                     ORDER BY number LIMIT $5"
                ),
                text(topic).into_owned(),
                text(told).into_owned(),
                unix(*now),
                *after,
                rows::limit(*limit),
            ),
        };
        rows::next(&mut self.session.look(&[ask])?, subscriber)
    }

    pub(super) fn subscribers_counted(&mut self, host: &str) -> Result<SubscriberCounts, StoreError> {
        let ask = call!(
            "SELECT (SELECT count(*) FROM subscriber), (SELECT count(*) FROM subscriber WHERE host = $1),
                (SELECT count(*) FROM subscriber WHERE intent IS NOT NULL),
                (SELECT count(*) FROM subscriber WHERE intent IS NOT NULL AND host = $1),
                (SELECT min(next_try) FROM subscriber WHERE next_try IS NOT NULL)",
            text(host).into_owned(),
        );
        let number =
            |row: &Row, column| Ok::<_, StoreError>(usize::try_from(rows::number(row, column)?).unwrap_or_default());
        let read = |row: &Row| {
            Ok(SubscriberCounts {
                all: number(row, 0)?,
                of_host: number(row, 1)?,
                intents: number(row, 2)?,
                intents_of_host: number(row, 3)?,
                next_try: rows::time(row, 4)?,
            })
        };
        Ok(rows::next_single(&mut self.session.look(&[ask])?, read)?.unwrap_or_default())
    }
}
