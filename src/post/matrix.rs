//! Matrix rooms (Client-Server API v1.7 and later; Tchap is one of its networks).
//!
//! Transaction ids are made from the story, so that an event which is sent twice is one: homeservers remember them for a token.

use serde_json::{Value, json};
use url::Url;

use super::text::{Manner, link_without_groups, message, unmentioned};
use super::{Credentials, Dispatch, Receipt, TargetFacts, answers, key};
use crate::feed::Timestamp;
use crate::outbox::{HttpAnswer, HttpCall, StoryEvent, Verb};

/// An event has 64 KiB at most, and holds a text four times: plain and as HTML, and so again in an edit.
pub(super) const CHARACTERS: usize = 4_000;

const ADVICE: &str = "let the account of the token join the room and speak there, and see that the token is one of its own; \
    then send a trial with `veille post --test`";

/// Asks for the id of a room that is named by an alias.
pub(super) fn question(server: &Url, room: &str, credentials: &Credentials) -> Option<HttpCall> {
    let url = room.starts_with('#').then(|| address(server, &["directory", "room", room]))??;
    Some(HttpCall { verb: Verb::Get, url, headers: vec![authorization(credentials)], body: Vec::new() })
}

pub(super) fn learn(
    usual: &TargetFacts,
    room: &str,
    answer: &HttpAnswer,
    now: Timestamp,
) -> Result<TargetFacts, Receipt> {
    if answer.status != 200 {
        return Err(refusal(answer, now));
    }
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match json.get("room_id").and_then(Value::as_str) {
        Some(id) => Ok(TargetFacts { room: Some(id.to_owned()), ..usual.clone() }),
        None => Err(Receipt::Later { why: format!("its answer does not tell the room `{room}`"), wait: None }),
    }
}

pub(super) fn text(dispatch: &Dispatch<'_>, facts: &TargetFacts) -> String {
    message(dispatch, facts, Manner { escape: unmentioned, link: without_room })
}

pub(super) fn call(
    dispatch: &Dispatch<'_>,
    server: &Url,
    is_text: bool,
    credentials: &Credentials,
    facts: &TargetFacts,
) -> Option<HttpCall> {
    let room = facts.room.as_deref()?;
    let key = key(dispatch);
    let (path, body) = match (dispatch.event, dispatch.remote) {
        (StoryEvent::New, _) => (["rooms", room, "send", "m.room.message", &key], content(dispatch, is_text, facts)),
        (StoryEvent::Changed, Some(event)) if dispatch.post.edits => {
            let new = content(dispatch, is_text, facts);
            let starred = |key: &str| format!("* {}", new.get(key).and_then(Value::as_str).unwrap_or_default());
            let edit = json!({
                // For clients that know no edits.
                "msgtype": new.get("msgtype"),
                "body": starred("body"),
                "format": new.get("format"),
                "formatted_body": starred("formatted_body"),
                "m.mentions": {},
                "m.new_content": new,
                "m.relates_to": { "rel_type": "m.replace", "event_id": event },
            });
            (["rooms", room, "send", "m.room.message", &key], edit)
        }
        (StoryEvent::Withdrawn, Some(event)) if dispatch.post.deletes => {
            (["rooms", room, "redact", event, &key], json!({ "reason": "withdrawn by its publisher" }))
        }
        (StoryEvent::Changed | StoryEvent::Withdrawn, _) => return None,
    };
    let headers = vec![authorization(credentials), ("content-type", "application/json".to_owned())];
    Some(HttpCall { verb: Verb::Put, url: address(server, &path)?, headers, body: body.to_string().into_bytes() })
}

/// `m.mentions` says that nobody is mentioned; older clients look for this name.
fn without_room(link: &str) -> String {
    link_without_groups(link, &["room"])
}

/// A message that mentions nobody (`m.mentions`), as text and as HTML.
fn content(dispatch: &Dispatch<'_>, is_text: bool, facts: &TargetFacts) -> Value {
    let text = text(dispatch, facts);
    let mut html = html_escape::encode_quoted_attribute(&text).replace('\n', "<br>");
    if let Some(link) = &dispatch.notice.link {
        let link = without_room(link);
        let link = html_escape::encode_quoted_attribute(&link);
        html = html.replace(&*link, &format!("<a href=\"{link}\">{link}</a>"));
    }
    json!({
        "msgtype": if is_text { "m.text" } else { "m.notice" },
        "body": text,
        "format": "org.matrix.custom.html",
        "formatted_body": html,
        "m.mentions": {},
    })
}

fn authorization(credentials: &Credentials) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", credentials.token))
}

fn address(server: &Url, path: &[&str]) -> Option<Url> {
    let mut url = server.join("_matrix/client/v3/").ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    Some(url)
}

pub(super) fn receipt(dispatch: &Dispatch<'_>, answer: &HttpAnswer) -> Receipt {
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status, json.get("event_id").and_then(Value::as_str)) {
        // The name of the message stays that of its first event: edits refer to that.
        (200..=299, Some(event)) => {
            let remote = match dispatch.event {
                StoryEvent::New => Some(event.to_owned()),
                StoryEvent::Changed => dispatch.remote.map(str::to_owned),
                StoryEvent::Withdrawn => None,
            };
            Receipt::Taken { remote, pause: answers::pause_asked(answer, dispatch.now) }
        }
        (200..=299, None) => Receipt::Later { why: "its answer is none of Matrix".to_owned(), wait: None },
        (404, _) if dispatch.event == StoryEvent::Withdrawn => Receipt::taken(),
        _ => refusal(answer, dispatch.now),
    }
}

fn refusal(answer: &HttpAnswer, now: Timestamp) -> Receipt {
    answers::refusal(answer, ADVICE, now)
}
