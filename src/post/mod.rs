//! Posts: from a story to what its target takes, and from the target's answer to what becomes of the post.
//!
//! One file a target, behind [`Target`]: to add one, write its file, a variant, and a line in each `match` here. Targets that
//! speak HTTP are pure: they make an [`HttpCall`] and judge an [`HttpAnswer`]; who sends it is no business of theirs. Only
//! `mail` and `command` do something by themselves. No store, no clock.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `text.rs` | the text of a message: fields, cutting, escaping, no mention of anybody |
//! | `hashtags.rs` | tags as hashtags |
//! | `answers.rs` | the meaning of answers of HTTP: taken, refused, later, stopped; the waits that they ask for |
//! | `mastodon.rs`, `matrix.rs`, `channel.rs`, `webhook.rs`, `mail.rs`, `command.rs` | the targets |

mod answers;
mod channel;
mod command;
mod hashtags;
mod mail;
mod mastodon;
mod matrix;
mod text;
mod webhook;

use std::time::Duration;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use url::Url;

use crate::config::{Chat, MailRelay, Post, Target};
use crate::feed::Timestamp;
use crate::outbox::{HttpAnswer, HttpCall, Letter, Notice, StoryEvent};

pub use mail::unsubscribe;

/// One event of a story, on its way to a target.
#[derive(Debug, Clone, Copy)]
pub struct Dispatch<'a> {
    /// The post.
    pub post: &'a Post,
    /// The story.
    pub notice: &'a Notice,
    /// The event.
    pub event: StoryEvent,
    /// When it happened.
    pub noted: Timestamp,
    /// The name of the message at the target, if it was sent before.
    pub remote: Option<&'a str>,
    /// Marks a trial, in words; nobody but the operator is to see one if the target can do that.
    pub trial: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

/// The secrets of a post, as they are at the moment.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The access token.
    pub token: String,
    /// The address that is a secret.
    pub url: Option<Url>,
    /// The key for signatures.
    pub secret: Option<String>,
    /// Name and password.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Returns a text without these secrets: a server may repeat them.
    #[must_use]
    pub fn hidden(&self, text: &str) -> String {
        let whole = self.url.as_ref().map(Url::to_string);
        let path = self.url.as_ref().map(|url| url.path().trim_matches('/').to_owned());
        // The secret of a chat is one part of the path; parts that are words are none.
        let is_word = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase()) && part.len() < WORD_BYTES_MAX;
        let parts = self.url.iter().filter_map(Url::path_segments).flatten();
        let parts = parts.filter(|part| !is_word(part)).map(str::to_owned);
        let query = self.url.as_ref().and_then(|url| url.query().map(str::to_owned));
        let values = self.url.iter().flat_map(Url::query_pairs).map(|(_, value)| value.into_owned());
        let login = self.login.iter().flat_map(|(user, password)| {
            // As SMTP has it (RFC 4616, and the older `LOGIN`).
            let plain = data_encoding::BASE64.encode(format!("\0{user}\0{password}").as_bytes());
            [plain, data_encoding::BASE64.encode(password.as_bytes()), password.clone()]
        });
        let secrets = [Some(self.token.clone()), whole, path, query, self.secret.clone()];
        let secrets = secrets.into_iter().flatten().chain(parts).chain(values).chain(login);
        let secrets = secrets.filter(|secret| secret.len() >= SECRET_BYTES_MIN);
        secrets.fold(text.to_owned(), |text, secret| text.replace(&secret, "…"))
    }
}

/// Longer ones in an address are no words.
const WORD_BYTES_MAX: usize = 16;

/// Shortest secret that is looked for in texts: shorter ones are in any.
const SECRET_BYTES_MIN: usize = 6;

/// Facts about a target that are asked for before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// The longest message, in characters.
    pub characters_max: usize,
    /// The length that each address counts with; `None` for its own.
    pub link_characters: Option<usize>,
    /// The room by its id.
    pub room: Option<String>,
}

/// The end of a try to send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// The target has it.
    Taken {
        /// Its name there.
        remote: Option<String>,
        /// How long the target wants no other.
        pause: Option<TimeDelta>,
    },
    /// The target does not take this one; it may take others.
    Refused {
        /// Why.
        why: String,
    },
    /// The target takes nothing now.
    Later {
        /// Why.
        why: String,
        /// For so long, if it says.
        wait: Option<TimeDelta>,
    },
    /// The target takes nothing from us until somebody has changed something.
    Stopped {
        /// Why, and what to do.
        why: String,
    },
}

impl Receipt {
    /// Returns it without these secrets in its reason: a server may repeat them.
    #[must_use]
    pub fn hiding(self, credentials: &Credentials) -> Self {
        match self {
            Self::Taken { .. } => self,
            Self::Refused { why } => Self::Refused { why: credentials.hidden(&why) },
            Self::Later { why, wait } => Self::Later { why: credentials.hidden(&why), wait },
            Self::Stopped { why } => Self::Stopped { why: credentials.hidden(&why) },
        }
    }

    /// The target has it, and nothing more is known.
    #[must_use]
    pub fn taken() -> Self {
        Self::Taken { remote: None, pause: None }
    }
}

/// Returns the facts that are known of a target without asking it.
#[must_use]
pub fn usual_facts(target: &Target) -> TargetFacts {
    let (characters_max, link_characters) = match target {
        Target::Mastodon { .. } => (mastodon::CHARACTERS, Some(mastodon::LINK_CHARACTERS)),
        Target::Matrix { .. } => (matrix::CHARACTERS, None),
        Target::Channel { chat, .. } => (channel::longest(*chat), None),
        Target::Webhook { .. } | Target::Mail { .. } | Target::Command(_) => (usize::MAX, None),
    };
    let room = match target {
        Target::Matrix { room, .. } if room.starts_with('!') => Some(room.clone()),
        _ => None,
    };
    TargetFacts { characters_max, link_characters, room }
}

/// Returns the request whose answer tells the facts; `None` if the usual ones are enough.
#[must_use]
pub fn question(post: &Post, credentials: &Credentials) -> Option<HttpCall> {
    match &post.target {
        Target::Mastodon { server, .. } => Some(mastodon::question(server)),
        Target::Matrix { server, room, .. } => matrix::question(server, room, credentials),
        Target::Channel { .. } | Target::Webhook { .. } | Target::Mail { .. } | Target::Command(_) => None,
    }
}

/// Reads the facts from the answer to [`question`].
///
/// # Errors
/// The receipt of everything that would be sent.
pub fn learn(post: &Post, answer: &HttpAnswer, now: Timestamp) -> Result<TargetFacts, Receipt> {
    let facts = usual_facts(&post.target);
    match &post.target {
        Target::Mastodon { .. } => mastodon::learn(facts, answer, now),
        Target::Matrix { room, .. } => matrix::learn(&facts, room, answer, now),
        Target::Channel { .. } | Target::Webhook { .. } | Target::Mail { .. } | Target::Command(_) => Ok(facts),
    }
}

/// Returns the message as people would see it; the JSON for targets that get that.
#[must_use]
pub fn preview(dispatch: &Dispatch<'_>, facts: &TargetFacts) -> String {
    match &dispatch.post.target {
        Target::Mastodon { .. } => mastodon::text(dispatch, facts),
        Target::Matrix { .. } => matrix::text(dispatch, facts),
        Target::Channel { chat, .. } => channel::text(*chat, dispatch, facts),
        Target::Webhook { .. } | Target::Mail { .. } | Target::Command(_) => webhook::line(dispatch),
    }
}

/// Returns the request that brings an event to a target of HTTP; `None` if the target has nothing to do with it.
#[must_use]
pub fn call(dispatch: &Dispatch<'_>, credentials: &Credentials, facts: &TargetFacts) -> Option<HttpCall> {
    match &dispatch.post.target {
        Target::Mastodon { server, visibility, .. } => {
            mastodon::call(dispatch, server, *visibility, credentials, facts)
        }
        Target::Matrix { server, is_text, .. } => matrix::call(dispatch, server, *is_text, credentials, facts),
        Target::Channel { chat, .. } => channel::call(*chat, dispatch, credentials, facts),
        Target::Webhook { .. } => webhook::call(dispatch, credentials),
        Target::Mail { .. } | Target::Command(_) => None,
    }
}

/// Judges the answer to [`call`].
#[must_use]
pub fn receipt(dispatch: &Dispatch<'_>, answer: &HttpAnswer) -> Receipt {
    match &dispatch.post.target {
        Target::Mastodon { .. } => mastodon::receipt(dispatch, answer),
        Target::Matrix { .. } => matrix::receipt(dispatch, answer),
        Target::Channel { chat, .. } => channel::receipt(*chat, answer, dispatch.now),
        Target::Webhook { .. } => webhook::receipt(answer, dispatch.now),
        Target::Mail { .. } | Target::Command(_) => Receipt::taken(),
    }
}

/// Runs the command of a post on an event, within a time.
pub async fn run_command(dispatch: &Dispatch<'_>, words: &[String], limit: Duration) -> Receipt {
    command::run_line(words, &webhook::line(dispatch), limit).await
}

/// Returns the server of mail that a target needs a connection to, by host and port.
#[must_use]
pub fn mail_server(target: &Target) -> Option<(&str, u16)> {
    match target {
        Target::Mail { relay: MailRelay::Smtp { host, port } | MailRelay::Smtps { host, port }, .. } => {
            Some((host, *port))
        }
        Target::Mail { relay: MailRelay::Sendmail, .. }
        | Target::Mastodon { .. }
        | Target::Matrix { .. }
        | Target::Channel { .. }
        | Target::Webhook { .. }
        | Target::Command(_) => None,
    }
}

/// Sends a mail, over a connection to its [`mail_server`] if it has one. `id` makes its Message-ID, so that a mail which is sent
/// again is the same for mail readers.
pub async fn send_mail(letter: &Letter, id: &str, way: &MailWay<'_>, connection: Option<TcpStream>) -> Receipt {
    mail::send(letter, id, way, connection).await
}

/// Everything about a mail but its content.
#[derive(Debug, Clone, Copy)]
pub struct MailWay<'a> {
    /// The post, whose target is mail.
    pub post: &'a Post,
    /// Its secrets.
    pub credentials: &'a Credentials,
    /// The host of the site, which ids end with.
    pub host: &'a str,
    /// The title of the site.
    pub site: &'a str,
    /// The address by which the mail is given up.
    pub unsubscribe: &'a str,
    /// Certificates of authorities to trust besides the system's, in PEM.
    pub authorities: Option<&'a [u8]>,
    /// Longest time for all of it.
    pub timeout: Duration,
    /// Now.
    pub now: Timestamp,
}

/// Tells whether a target can do anything about an event beyond the first message of a story.
#[must_use]
pub fn is_told(post: &Post, event: StoryEvent) -> bool {
    match event {
        StoryEvent::New => true,
        StoryEvent::Changed => post.edits || post.target.takes_events(),
        StoryEvent::Withdrawn => post.deletes || post.target.takes_events(),
    }
}

/// The pause between two messages to a target: chats slow down those who talk faster.
#[must_use]
pub fn pause(target: &Target) -> Duration {
    match target {
        Target::Mastodon { .. } | Target::Matrix { .. } | Target::Channel { .. } => Duration::from_secs(1),
        Target::Webhook { .. } | Target::Mail { .. } | Target::Command(_) => Duration::ZERO,
    }
}

/// A name of an event for the target, the same however often it is sent.
pub(super) fn key(dispatch: &Dispatch<'_>) -> String {
    let Dispatch { post, notice, event, noted, trial, now, .. } = dispatch;
    let instant = match (event, trial) {
        (_, Some(_)) => now.timestamp_micros(),
        // The first message of a story has this name even from a store that was put back.
        (StoryEvent::New, None) => 0,
        (StoryEvent::Changed | StoryEvent::Withdrawn, None) => noted.timestamp(),
    };
    let text = format!("{}\0{}\0{}\0{instant}", post.id, notice.id, event.word());
    digest(&text)
}

/// Returns the name of an event for its target, the same however often it is sent.
#[must_use]
pub fn key_of(dispatch: &Dispatch<'_>) -> String {
    key(dispatch)
}

/// Returns the name of a digest of stories, which are told by their ids.
#[must_use]
pub fn digest_id(post: &str, stories: &[&str]) -> String {
    digest(&format!("{post}\0{}", stories.join("\0")))
}

/// A hash as text.
pub(super) fn digest(text: &str) -> String {
    let hash = Sha256::digest(text);
    data_encoding::HEXLOWER.encode(hash.get(..16).unwrap_or_default())
}

/// A mark of the settings and secrets of a post: another one says that somebody has changed something.
#[must_use]
pub fn mark(post: &Post, credentials: &Credentials) -> String {
    let Credentials { token, url, secret, login } = credentials;
    digest(&format!("{:?} {:?} {token} {url:?} {secret:?} {login:?}", post.target, post.ca_file))
}

/// The name of a chat, for people.
fn name(chat: Chat) -> &'static str {
    match chat {
        Chat::Mattermost => "Mattermost",
        Chat::Slack => "Slack",
        Chat::Discord => "Discord",
    }
}

#[cfg(test)]
mod tests;
