//! Channels of Mattermost, Slack and Discord, through incoming webhooks.
//!
//! None of them can tell that a message came twice: one that is cut off between its sending and our note of it is sent again.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::json;

use super::text::{Manner, WORD_JOINER, link_without_groups, link_without_names, message, unmentioned};
use super::{Credentials, Dispatch, Receipt, TargetFacts, answers, name};
use crate::config::Chat;
use crate::feed::Timestamp;
use crate::outbox::{HttpAnswer, HttpCall, StoryEvent, Verb};

/// Longest message: what servers take that were never told otherwise. Slack takes more, and advises less.
pub(super) fn longest(chat: Chat) -> usize {
    match chat {
        Chat::Mattermost | Chat::Slack => 4_000,
        Chat::Discord => 2_000,
    }
}

pub(super) fn text(chat: Chat, dispatch: &Dispatch<'_>, facts: &TargetFacts) -> String {
    let manner = match chat {
        Chat::Mattermost => Manner { escape: in_markdown, link: for_mattermost },
        Chat::Discord => Manner { escape: in_markdown, link: for_discord },
        Chat::Slack => Manner { escape: for_slack, link: link_for_slack },
    };
    message(dispatch, facts, manner)
}

pub(super) fn call(
    chat: Chat,
    dispatch: &Dispatch<'_>,
    credentials: &Credentials,
    facts: &TargetFacts,
) -> Option<HttpCall> {
    if dispatch.event != StoryEvent::New {
        return None;
    }
    let text = text(chat, dispatch, facts);
    let body = match chat {
        Chat::Mattermost => json!({ "text": text }),
        // No picture of each link, and none of the links that a text may hold.
        Chat::Slack => json!({ "text": text, "unfurl_links": false, "unfurl_media": false }),
        // Nobody is pinged, even by a text that could.
        Chat::Discord => json!({ "content": text, "allowed_mentions": { "parse": [] } }),
    };
    let mut url = credentials.url.clone()?;
    if chat == Chat::Discord && !url.query_pairs().any(|(name, _)| name == "wait") {
        // Else it answers before it has looked.
        url.query_pairs_mut().append_pair("wait", "true");
    }
    let headers = vec![("content-type", "application/json".to_owned())];
    Some(HttpCall { verb: Verb::Post, url, headers, body: body.to_string().into_bytes() })
}

pub(super) fn receipt(chat: Chat, answer: &HttpAnswer, now: Timestamp) -> Receipt {
    let advice = format!(
        "make a new incoming webhook in {} and write its address, then send a trial with `veille post --test`",
        name(chat)
    );
    match answer.status {
        200..=299 => Receipt::Taken { remote: None, pause: answers::pause_asked(answer, now) },
        // Slack says in words what is wrong with the webhook itself.
        400 if [&b"no_team"[..], b"team_disabled", b"no_active_hooks", b"no_service", b"user_not_found"]
            .iter()
            .any(|word| answer.body.starts_with(word)) =>
        {
            Receipt::Stopped { why: format!("{}; {advice}", answers::said_by_target(answer)) }
        }
        _ => answers::refusal(answer, &advice, now),
    }
}

/// `&`, `<` and `>` begin mentions and links (docs.slack.dev, "Formatting message text").
fn for_slack(text: &str) -> String {
    unmentioned(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Between `<` and `>` a link needs no word joiner.
fn link_for_slack(link: &str) -> String {
    let link = link_without_names(link).replace('|', "%7C");
    format!("<{}>", link.replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E"))
}

/// Discord pings nobody in any case (`allowed_mentions`).
fn for_discord(link: &str) -> String {
    link_without_groups(link, &["everyone", "here"])
}

/// Mattermost finds names in links too (`getExplicitMentions`), and reads references to characters there.
fn for_mattermost(link: &str) -> String {
    CHARACTER_REFERENCE.replace_all(&link_without_names(link), "$1%3B").into_owned()
}

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static CHARACTER_REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(&#?[0-9A-Za-z]+);").expect("constant pattern"));

/// Text as Markdown that says the same. Behind `<` no name begins.
fn in_markdown(text: &str) -> String {
    let mut safe = String::new();
    for (place, c) in unmentioned(text).chars().enumerate() {
        let is_mark = matches!(c, '\\' | '`' | '*' | '_' | '~' | '|' | '[' | ']' | '<' | '>' | '#' | '&')
            || place == 0 && matches!(c, '-' | '+' | '=' | '/');
        if is_mark {
            safe.push('\\');
        }
        safe.push(c);
        if c == '<' {
            safe.push(WORD_JOINER);
        }
    }
    // `1. ` begins a list.
    let digits = safe.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && safe.get(digits..).is_some_and(|rest| rest.starts_with(['.', ')'])) {
        safe.insert(digits, '\\');
    }
    safe
}
