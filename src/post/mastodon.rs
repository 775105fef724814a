//! Mastodon, and servers with its API: statuses (docs.joinmastodon.org/methods/statuses).
//!
//! `Idempotency-Key` makes a status that is sent twice one; servers remember it for an hour.

use serde_json::{Map, Value, json};
use url::Url;

use super::text::{Manner, message, unmentioned, unmentioned_link};
use super::{Credentials, Dispatch, Receipt, TargetFacts, answers, key};
use crate::config::Visibility;
use crate::feed::Timestamp;
use crate::outbox::{HttpAnswer, HttpCall, StoryEvent, Verb};

/// Longest status of a server that does not say.
pub(super) const CHARACTERS: usize = 500;

/// The length that each address counts with, likewise.
pub(super) const LINK_CHARACTERS: usize = 23;

const ADVICE: &str =
    "give the post a token that may write statuses (`write:statuses`), then send a trial with `veille post --test`";

/// Asks for the limits of the server.
pub(super) fn question(server: &Url) -> HttpCall {
    HttpCall { verb: Verb::Get, url: at(server, "api/v2/instance"), headers: Vec::new(), body: Vec::new() }
}

/// Reads the limits of the server; a server that does not tell them has the usual ones.
pub(super) fn learn(usual: TargetFacts, answer: &HttpAnswer, now: Timestamp) -> Result<TargetFacts, Receipt> {
    if matches!(answer.status, 408 | 425 | 429 | 500..) {
        return Err(answers::refusal(answer, ADVICE, now));
    }
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let limit = |name: &str| {
        let limit = json.pointer(&format!("/configuration/statuses/{name}")).and_then(Value::as_u64);
        limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| (1..=1_000_000).contains(limit))
    };
    Ok(TargetFacts {
        characters_max: limit("max_characters").unwrap_or(usual.characters_max),
        link_characters: limit("characters_reserved_per_url").or(usual.link_characters),
        ..usual
    })
}

pub(super) fn text(dispatch: &Dispatch<'_>, facts: &TargetFacts) -> String {
    message(dispatch, facts, Manner { escape: unmentioned, link: unmentioned_link })
}

pub(super) fn call(
    dispatch: &Dispatch<'_>,
    server: &Url,
    visibility: Visibility,
    credentials: &Credentials,
    facts: &TargetFacts,
) -> Option<HttpCall> {
    let authorization = ("authorization", format!("Bearer {}", credentials.token));
    // Without anybody who is mentioned, a direct message is seen by the account alone.
    let visibility = if dispatch.trial.is_some() { "direct" } else { visibility.word() };
    let language = dispatch.notice.language.split('-').next().unwrap_or_default();
    let mut status = Map::from_iter([("status".to_owned(), json!(text(dispatch, facts)))]);
    if matches!(language.len(), 2 | 3) {
        status.insert("language".to_owned(), json!(language.to_ascii_lowercase()));
    }
    let content = ("content-type", "application/json".to_owned());
    match (dispatch.event, dispatch.remote) {
        (StoryEvent::New, _) => {
            status.insert("visibility".to_owned(), json!(visibility));
            Some(HttpCall {
                verb: Verb::Post,
                url: at(server, "api/v1/statuses"),
                headers: vec![authorization, content, ("idempotency-key", key(dispatch))],
                body: Value::Object(status).to_string().into_bytes(),
            })
        }
        (StoryEvent::Changed, Some(id)) if dispatch.post.edits => Some(HttpCall {
            verb: Verb::Put,
            url: of_status(server, id)?,
            headers: vec![authorization, content],
            body: Value::Object(status).to_string().into_bytes(),
        }),
        (StoryEvent::Withdrawn, Some(id)) if dispatch.post.deletes => Some(HttpCall {
            verb: Verb::Delete,
            url: of_status(server, id)?,
            headers: vec![authorization],
            body: Vec::new(),
        }),
        (StoryEvent::Changed | StoryEvent::Withdrawn, _) => None,
    }
}

fn at(server: &Url, path: &str) -> Url {
    server.join(path).unwrap_or_else(|_| server.clone())
}

fn of_status(server: &Url, id: &str) -> Option<Url> {
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    server.join(&format!("api/v1/statuses/{id}")).ok()
}

pub(super) fn receipt(dispatch: &Dispatch<'_>, answer: &HttpAnswer) -> Receipt {
    let pause = answers::pause_asked(answer, dispatch.now);
    match (answer.status, dispatch.event) {
        (200..=299, StoryEvent::New | StoryEvent::Changed) => {
            let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            match json.get("id").and_then(Value::as_str) {
                Some(id) => Receipt::Taken { remote: Some(id.to_owned()), pause },
                // A login page of a network answers 200 to everything.
                None => Receipt::Later { why: "its answer is no status of Mastodon".to_owned(), wait: None },
            }
        }
        // It is deleted, or somebody did that before.
        (200..=299, StoryEvent::Withdrawn) | (404 | 410, StoryEvent::Changed | StoryEvent::Withdrawn) => {
            Receipt::Taken { remote: None, pause }
        }
        _ => answers::refusal(answer, ADVICE, dispatch.now),
    }
}
