//! Any web service: JSON of a story and its event, signed. A command reads the same.
//!
//! `docs/posts.md` is the contract, with a receiver.

use serde_json::{Map, Value, json};

use super::{Credentials, Dispatch, Receipt, answers, key};
use crate::feed::Timestamp;
use crate::outbox::{HttpAnswer, HttpCall, Verb};
use crate::websub::signed_sha256;

const ADVICE: &str = "see to the service, or correct `url` and `secret`; then send a trial with `veille post --test`";

/// The JSON of an event, on one line.
pub(super) fn line(dispatch: &Dispatch<'_>) -> String {
    let trial = dispatch.trial.is_some().then_some(true);
    let body = json!({
        "event": dispatch.event.word(),
        "post": dispatch.post.id,
        "delivery": key(dispatch),
        "timestamp": dispatch.now.timestamp(),
        "topic": dispatch.notice.json.get("topic").cloned().unwrap_or(Value::Null),
        "item": dispatch.notice.json.get("item").cloned().unwrap_or(Value::Null),
        "trial": trial,
    });
    // A null says nothing.
    let said = |(key, value): (&String, &Value)| (!value.is_null()).then(|| (key.clone(), value.clone()));
    let body: Map<String, Value> = body.as_object().into_iter().flatten().filter_map(said).collect();
    Value::Object(body).to_string()
}

pub(super) fn call(dispatch: &Dispatch<'_>, credentials: &Credentials) -> Option<HttpCall> {
    let body = line(dispatch).into_bytes();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("x-veille-event", dispatch.event.word().to_owned()),
        ("x-veille-delivery", key(dispatch)),
        ("x-veille-timestamp", dispatch.now.timestamp().to_string()),
    ];
    if let Some(secret) = &credentials.secret {
        headers.push(("x-veille-signature", signed_sha256(secret.as_bytes(), &body)?));
    }
    Some(HttpCall { verb: Verb::Post, url: credentials.url.clone()?, headers, body })
}

pub(super) fn receipt(answer: &HttpAnswer, now: Timestamp) -> Receipt {
    match answer.status {
        200..=299 => Receipt::Taken { remote: None, pause: answers::pause_asked(answer, now) },
        _ => answers::refusal(answer, ADVICE, now),
    }
}
