//! `[[post]]`: where new stories are sent.
//!
//! A key belongs to some targets only: [`KEYS_OF`] says to which. A new target is a word of [`TARGETS`], its keys there, and
//! a variant of [`Target`].

use std::ops::Range;

use chrono::{NaiveTime, TimeDelta};
use chrono_tz::Tz;
use url::{Host, Url};

use super::access::Secret;
use super::findings::Findings;
use super::keys::{Auth, PostTable};
use super::nearest::{nearest, unknown};
use super::quantity;
use super::section::Section;
use super::sources::unique;
use super::table::{Key, KeyType};
use super::tree::Literal;
use super::values::{note_unfit, read_line, read_text, read_texts};
use crate::outbox::{Pace, Quiet, TemplateFault, TextField, TextTemplate};
use crate::schedule::Schedule;

use super::Proxy;

/// A post that validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Its memory hangs on it.
    pub id: String,
    /// The topics whose stories it tells.
    pub topics: Vec<String>,
    /// Where it sends.
    pub target: Target,
    /// The text of a message.
    pub text: TextTemplate,
    /// Tags beside those of the publishers.
    pub hashtags: Vec<String>,
    /// Time in which other tellings join a story.
    pub wait: TimeDelta,
    /// At most so many stories in so long.
    pub at_most: Option<Pace>,
    /// Hours in which nothing is sent.
    pub quiet: Option<Quiet>,
    /// Age from which a story is not sent any more.
    pub too_old: TimeDelta,
    /// Whether a message that was sent follows the changes of its story.
    pub edits: bool,
    /// Whether a message is deleted whose story was withdrawn.
    pub deletes: bool,
    /// The zone of its hours.
    pub zone: Tz,
    /// The proxy that its requests go through.
    pub proxy: Proxy,
    /// Authorities to trust besides the system's.
    pub ca_file: Option<std::path::PathBuf>,
}

/// Where a post sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A Mastodon account, or one of a server with its API.
    Mastodon {
        /// The server.
        server: Url,
        /// The access token.
        token: Secret,
        /// The people that see it.
        visibility: Visibility,
    },
    /// A Matrix room.
    Matrix {
        /// The homeserver.
        server: Url,
        /// The access token.
        token: Secret,
        /// Its id (`!…`) or an alias of it (`#…`).
        room: String,
        /// Whether a message is an `m.text`, which counts as unread; else it is an `m.notice`.
        is_text: bool,
    },
    /// A channel, through an incoming webhook.
    Channel {
        /// Whose.
        chat: Chat,
        /// The address, which is the secret.
        url: Secret,
    },
    /// Any web service that takes JSON.
    Webhook {
        /// Its address.
        url: Secret,
        /// The key that signs the body.
        secret: Option<Secret>,
    },
    /// Mail.
    Mail {
        /// How it is sent.
        relay: MailRelay,
        /// Name and password for the server.
        auth: Option<Auth>,
        /// Its sender.
        from: MailAddress,
        /// Those who get it.
        recipients: Vec<MailAddress>,
        /// When a digest goes; without one each story is a mail.
        schedule: Option<Schedule>,
    },
    /// A program, with its arguments.
    Command(Vec<String>),
}

/// A service whose channels take incoming webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chat {
    /// Mattermost
    Mattermost,
    /// Slack
    Slack,
    /// Discord
    Discord,
}

/// The people that see a status of Mastodon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// All, and it is in public timelines.
    Public,
    /// All, but it is in no public timeline.
    Unlisted,
    /// Followers.
    Private,
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailRelay {
    /// By SMTP that becomes encrypted (STARTTLS), unless the server is this machine and offers no encryption.
    Smtp {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
    },
    /// By SMTP that is encrypted from the beginning.
    Smtps {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
    },
    /// By the program `sendmail` of this machine.
    Sendmail,
}

/// A mail address, maybe with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    /// For people.
    pub name: Option<String>,
    /// `local@domain`
    pub address: String,
}

impl Target {
    /// Returns its word in the config.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Mastodon { .. } => "mastodon",
            Self::Matrix { .. } => "matrix",
            Self::Channel { chat: Chat::Mattermost, .. } => "mattermost",
            Self::Channel { chat: Chat::Slack, .. } => "slack",
            Self::Channel { chat: Chat::Discord, .. } => "discord",
            Self::Webhook { .. } => "webhook",
            Self::Mail { .. } => "mail",
            Self::Command(_) => "command",
        }
    }

    /// Tells whether it is told of changes and withdrawals as events of their own.
    #[must_use]
    pub fn takes_events(&self) -> bool {
        match self {
            Self::Webhook { .. } | Self::Command(_) => true,
            Self::Mastodon { .. } | Self::Matrix { .. } | Self::Channel { .. } | Self::Mail { .. } => false,
        }
    }

    /// Returns when its digests go, if it sends digests.
    #[must_use]
    pub fn digest(&self) -> Option<&Schedule> {
        match self {
            Self::Mail { schedule, .. } => schedule.as_ref(),
            Self::Mastodon { .. }
            | Self::Matrix { .. }
            | Self::Channel { .. }
            | Self::Webhook { .. }
            | Self::Command(_) => None,
        }
    }
}

impl Visibility {
    /// Returns its word in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }
}

/// The words of targets.
const TARGETS: [&str; 8] = ["mastodon", "matrix", "mattermost", "slack", "discord", "webhook", "mail", "command"];

/// Targets that get a text.
const TALKS: &[&str] = &["mastodon", "matrix", "mattermost", "slack", "discord"];

/// Keys that belong to some targets only; `true` if these cannot do without.
const KEYS_OF: [(&str, &[&str], bool); 16] = [
    ("server", &["mastodon", "matrix"], true),
    ("token", &["mastodon", "matrix"], true),
    ("room", &["matrix"], true),
    ("url", &["mattermost", "slack", "discord", "webhook"], true),
    ("from", &["mail"], true),
    ("recipients", &["mail"], true),
    ("command", &["command"], true),
    ("msgtype", &["matrix"], false),
    ("visibility", &["mastodon"], false),
    ("secret", &["webhook"], false),
    ("auth", &["mail"], false),
    ("schedule", &["mail"], false),
    ("text", TALKS, false),
    ("hashtags", TALKS, false),
    ("edits", &["mastodon", "matrix"], false),
    ("withdrawn", &["mastodon", "matrix"], false),
];

pub(super) const TARGET: KeyType<String> = KeyType::new(
    "`\"mastodon\"`, `\"matrix\"`, `\"mattermost\"`, `\"slack\"`, `\"discord\"`, `\"webhook\"`, `\"mail\"` or `\"command\"`",
    |literal, key, found| one_of(&TARGETS, literal, key, found),
);
pub(super) const SERVER: KeyType<String> = KeyType::new("an address in quotes", read_text);
pub(super) const ROOM: KeyType<String> =
    KeyType::new("a room such as `\"!abc:example.org\"` or `\"#news:example.org\"`", room);
pub(super) const MSGTYPE: KeyType<String> = KeyType::new("`\"m.notice\"` or `\"m.text\"`", |literal, key, found| {
    one_of(&["m.notice", "m.text"], literal, key, found)
});
pub(super) const VISIBILITY: KeyType<Visibility> =
    KeyType::new("`\"public\"`, `\"unlisted\"` or `\"private\"`", |literal, key, found| {
        let all = [Visibility::Public, Visibility::Unlisted, Visibility::Private];
        let word = one_of(&all.map(Visibility::word), literal, key, found)?;
        all.into_iter().find(|visibility| visibility.word() == word)
    });
pub(super) const EDITS: KeyType<bool> = KeyType::new("`\"ignore\"` or `\"update\"`", |literal, key, found| {
    Some(one_of(&["ignore", "update"], literal, key, found)? == "update")
});
pub(super) const WITHDRAWN: KeyType<bool> = KeyType::new("`\"keep\"` or `\"delete\"`", |literal, key, found| {
    Some(one_of(&["keep", "delete"], literal, key, found)? == "delete")
});
pub(super) const TEMPLATE: KeyType<TextTemplate> =
    KeyType::new("a text with fields in braces: `\"{title} {link}\"`", template);
pub(super) const PACE: KeyType<Pace> = KeyType::new("a number and a span: `\"4 per hour\"`, `\"10 per day\"`", pace);
pub(super) const QUIET: KeyType<Quiet> = KeyType::new("hours such as `\"20:00-07:00\"`", quiet);
pub(super) const COMMAND: KeyType<Vec<String>> =
    KeyType::new("a program and its arguments: `[\"program\", \"argument\"]`", command);
pub(super) const MAILBOX: KeyType<MailAddress> = KeyType::new(
    "a mail address: `\"veille@example.org\"`, `\"Veille <veille@example.org>\"`",
    |literal, key, found| {
        let text = read_text(literal, key, found)?;
        mailbox(&text, literal, found)
    },
);
pub(super) const MAILBOXES: KeyType<Vec<MailAddress>> =
    KeyType::new("a list of mail addresses: `[\"one@example.org\"]`", |literal, key, found| {
        let written = read_texts(literal, key, found)?;
        if written.is_empty() {
            found.error(&literal.span, "nobody gets this mail").help("write an address: `[\"one@example.org\"]`");
        }
        Some(written.into_iter().filter_map(|(text, literal)| mailbox(text, literal, found)).collect())
    });
/// A crontab pattern as written; its zone is known later.
pub(super) const PATTERN: KeyType<String> = KeyType::new("a crontab pattern: `\"0 7 * * mon-fri\"`", read_text);
/// A zone of the post alone.
pub(super) const OWN_ZONE: KeyType<Tz> = KeyType::new("a time zone such as `\"Europe/Paris\"`", own_zone);
pub(super) const TOPICS_OF_POST: KeyType<Vec<String>> =
    KeyType::new("a list of topics by id: `[\"laicite\"]`", |literal, key, found| {
        let topics = (super::sources::TOPICS.read)(literal, key, found)?;
        if topics.is_empty() {
            found.error(&literal.span, "this post has no topic, so nothing is sent").help("name at least one");
        }
        Some(topics)
    });

/// Reads all posts.
pub(super) fn posts(sections: &[Section<'_>], found: &mut Findings<'_>) -> Vec<Post> {
    unique(sections, found);
    sections.iter().filter_map(|section| post(section, found)).collect()
}

fn post(section: &Section<'_>, found: &mut Findings<'_>) -> Option<Post> {
    let written = PostTable::read(section, found);
    let word = section.literal("to").and_then(Literal::text).filter(|word| TARGETS.contains(word))?;
    let fits = check_keys(section, word, found);
    let written = written?;
    let zone = written.timezone.unwrap_or(found.zone);
    let text = written.text.clone().unwrap_or_else(|| usual_text(word));
    warn_of_constant_text(section, &text, found);
    let target = target(section, &written, zone, found);
    fits.then_some(())?;
    Some(Post {
        id: written.id,
        topics: written.topics,
        target: target?,
        text,
        hashtags: written.hashtags,
        wait: written.wait,
        at_most: written.at_most,
        quiet: written.quiet,
        too_old: written.too_old,
        edits: written.edits,
        deletes: written.withdrawn,
        zone,
        // Mail servers are seldom behind the proxy through which the web is reached.
        proxy: if word == "mail" && section.literal("proxy").is_none() { Proxy::None } else { written.proxy },
        ca_file: written.ca_file,
    })
}

/// Notes keys that belong to other targets, and those that are lacking.
fn check_keys(section: &Section<'_>, word: &str, found: &mut Findings<'_>) -> bool {
    let mut fits = true;
    for (key, targets, is_needed) in KEYS_OF {
        // A mail may have a server, but needs none.
        let is_of = targets.contains(&word) || (key, word) == ("server", "mail");
        match section.literal(key) {
            Some(literal) if !is_of => {
                let error = found.error(&literal.span, format!("`{key}` is no key of a post to `{word}`"));
                error.help(format!("it is one of {}: take it out", listed(targets)));
                fits = false;
            }
            None if is_needed && targets.contains(&word) => {
                let error = found.error(&section.span, format!("this post to `{word}` has no `{key}`"));
                error.help(way_out(key));
                fits = false;
            }
            _ => {}
        }
    }
    fits
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn way_out(key: &str) -> &'static str {
    match key {
        "server" => "add `server = \"https://social.example.org\"`: the server of the account",
        "token" => "add `token = { file = \"token\" }`: the account's access token, which its settings give",
        "room" => "add `room = \"!abc:example.org\"`: the settings of the room show its id",
        "url" => "add `url = { file = \"url\" }`: the address of the webhook, which is a secret",
        "from" => "add `from = \"Veille <veille@example.org>\"`",
        "recipients" => "add `recipients = [\"one@example.org\"]`",
        _ => "add `command = [\"program\", \"argument\"]`",
    }
}

fn target(section: &Section<'_>, written: &PostTable, zone: Tz, found: &mut Findings<'_>) -> Option<Target> {
    let word = written.target.as_str();
    let server = written.server.as_ref().and_then(|_| section.literal("server"));
    Some(match word {
        "mastodon" => Target::Mastodon {
            server: web_server(server?, found)?,
            token: written.token.clone()?,
            visibility: written.visibility.unwrap_or(Visibility::Unlisted),
        },
        "matrix" => Target::Matrix {
            server: web_server(server?, found)?,
            token: written.token.clone()?,
            room: written.room.clone()?,
            is_text: written.msgtype.as_deref() == Some("m.text"),
        },
        "mattermost" | "slack" | "discord" => Target::Channel {
            chat: match word {
                "mattermost" => Chat::Mattermost,
                "slack" => Chat::Slack,
                _ => Chat::Discord,
            },
            url: secret_address(section.literal("url")?, written.url.clone()?, found)?,
        },
        "webhook" => Target::Webhook {
            url: secret_address(section.literal("url")?, written.url.clone()?, found)?,
            secret: written.secret.clone(),
        },
        "mail" => Target::Mail {
            relay: server.map_or(Some(MailRelay::Sendmail), |literal| relay(literal, found))?,
            auth: written.auth.clone(),
            from: written.from.clone()?,
            recipients: written.recipients.clone()?,
            schedule: match &written.schedule {
                Some(pattern) => Some(schedule(pattern, section.literal("schedule")?, zone, found)?),
                None => None,
            },
        },
        _ => Target::Command(written.command.clone()?),
    })
}

/// The usual text of a target.
fn usual_text(word: &str) -> TextTemplate {
    let text =
        if word == "mastodon" { "{title}\n\n{source} · {link}\n{hashtags}" } else { "{title}\n{source} · {link}" };
    TextTemplate::parse(text).unwrap_or(TextTemplate(Vec::new()))
}

fn warn_of_constant_text(section: &Section<'_>, text: &TextTemplate, found: &mut Findings<'_>) {
    if let Some(literal) = section.literal("text").filter(|_| !text.has_fields()) {
        let warning = found.warning(&literal.span, "this text is the same for all stories");
        warning.help("name a field in braces: `\"{title} {link}\"`");
    }
}

/// One of some words; else "did you mean".
fn one_of(words: &[&str], literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    let Some(text) = literal.text() else { return note_unfit(literal, key, found) };
    if words.contains(&text) {
        return Some(text.to_owned());
    }
    let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
    if let Some(near) = nearest(text, words.iter().copied()) {
        error.help(format!("did you mean `{near}`?"));
    }
    None
}

fn template(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<TextTemplate> {
    let written = read_text(literal, key, found)?;
    match TextTemplate::parse(&written) {
        Ok(template) => Some(template),
        Err(TemplateFault::Unknown(name)) => {
            let fields = TextField::ALL.into_iter().map(TextField::name);
            unknown(&literal.span, "field", &name, fields, &mut found.problems);
            None
        }
        Err(TemplateFault::Brace) => {
            let error = found.error(&literal.span, "this text has a brace that opens or closes no field");
            error.help("a field is `{title}`; write `{{` and `}}` for braces as such");
            None
        }
    }
}

fn pace(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Pace> {
    let written = read_line(literal, key, found)?;
    let mut words = written.split_whitespace();
    let (count, per, span) = (words.next(), words.next(), words.next());
    let count = count.and_then(|count| count.parse::<usize>().ok()).filter(|count| (1..=1000).contains(count));
    let span = span.and_then(|span| {
        Some(match span {
            "minute" => TimeDelta::minutes(1),
            "hour" => TimeDelta::hours(1),
            "day" => TimeDelta::days(1),
            "week" => TimeDelta::weeks(1),
            // `4 per 30m`
            span => TimeDelta::from_std(quantity::read_duration(span)?).ok()?,
        })
    });
    match (count, per, span, words.next()) {
        (Some(count), Some("per"), Some(span), None) if span > TimeDelta::zero() && span <= TimeDelta::weeks(1) => {
            Some(Pace { count, span })
        }
        _ => {
            let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
            error.help("write 1 to 1000, then `per minute`, `per hour`, `per day` or `per week`");
            None
        }
    }
}

fn quiet(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Quiet> {
    let written = read_line(literal, key, found)?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let hours = written.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
    match hours {
        Some((from, until)) if from != until => Some(Quiet { from, until }),
        Some(_) => {
            let error = found.error(&literal.span, "these hours begin and end at the same time");
            error.help("a post that never sends is one to take out");
            None
        }
        None => {
            let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
            error.help("write two times of the day with `-` between them: `\"20:00-07:00\"`");
            None
        }
    }
}

fn command(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<String>> {
    if literal.text().is_some() {
        let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
        error.help("no shell reads it: each argument is a text of its own");
        return None;
    }
    let words: Vec<String> = read_texts(literal, key, found)?.into_iter().map(|(text, _)| text.to_owned()).collect();
    if words.first().is_none_or(|program| program.trim().is_empty()) {
        found.error(&literal.span, "this command names no program").help("write `[\"program\", \"argument\"]`");
        return None;
    }
    if words.iter().any(|word| word.contains('\0')) {
        found.error(&literal.span, "no argument can hold the character 0").help("take it out");
        return None;
    }
    Some(words)
}

fn room(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<String> {
    let room = read_text(literal, key, found)?;
    let is_one = room.starts_with(['!', '#']) && room.len() > 1 && !room.contains(char::is_whitespace);
    if is_one && (room.starts_with('!') || room.contains(':')) {
        return Some(room);
    }
    let error = found.error(&literal.span, format!("`{}` must be {}", key.name, key.wanted));
    error.help("a room has an id that begins with `!`, and may have an alias that begins with `#`");
    None
}

fn own_zone(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Tz> {
    let zone = found.zone;
    let own = (super::values::ZONE.read)(literal, key, found);
    found.zone = zone;
    own
}

fn schedule(pattern: &str, literal: &Literal, zone: Tz, found: &mut Findings<'_>) -> Option<Schedule> {
    match Schedule::parse(pattern, zone) {
        Ok(schedule) => Some(schedule),
        Err(fault) => {
            found.error(&literal.span, format!("`schedule`: {fault}")).help(fault.hint());
            None
        }
    }
}

/// The address of a server of the web.
fn web_server(literal: &Literal, found: &mut Findings<'_>) -> Option<Url> {
    let mut url = address(literal.text()?, &literal.span, found)?;
    if !url.username().is_empty() || url.password().is_some() {
        found.error(&literal.span, "this address holds a password").help("write a `token` instead");
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    warn_if_open(&url, &literal.span, "the token", found);
    Some(url)
}

/// An address that is a secret: checked if it is written here.
fn secret_address(literal: &Literal, secret: Secret, found: &mut Findings<'_>) -> Option<Secret> {
    match &secret {
        Secret::Text(text) => {
            let url = address(text, &literal.span, found)?;
            warn_if_open(&url, &literal.span, "the address, which is a secret,", found);
        }
        Secret::File(_) | Secret::Credential(_) => {}
    }
    Some(secret)
}

fn address(text: &str, span: &Range<usize>, found: &mut Findings<'_>) -> Option<Url> {
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let error = found.error(span, "this address has no scheme");
            error.help("addresses begin with `https://`");
            None
        }
        Ok(url) => {
            let error = found.error(span, format!("scheme `{}` is not spoken here", url.scheme()));
            error.help("addresses begin with `https://` or `http://`");
            None
        }
        Err(fault) => {
            found.error(span, format!("this is no address: {fault}")).help("addresses begin with `https://`");
            None
        }
    }
}

fn warn_if_open(url: &Url, span: &Range<usize>, what: &str, found: &mut Findings<'_>) {
    if url.scheme() == "http" && !is_this_machine(url) {
        found.warning(span, format!("{what} goes over the network unencrypted")).help("write `https://`");
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `smtp://host:port`, `smtps://host:port` or `sendmail`.
fn relay(literal: &Literal, found: &mut Findings<'_>) -> Option<MailRelay> {
    let text = literal.text()?.trim();
    if text == "sendmail" {
        return Some(MailRelay::Sendmail);
    }
    let url = Url::parse(text).ok();
    let host = url.as_ref().and_then(|url| url.host_str()).filter(|host| !host.is_empty());
    match (&url, host) {
        (Some(url), Some(_)) if !url.username().is_empty() || url.password().is_some() => {
            let error = found.error(&literal.span, "this address holds a password");
            error.help("write `auth = { user = \"…\", password = { file = \"…\" } }` instead");
            None
        }
        (Some(url), Some(host)) if url.scheme() == "smtp" => {
            let host = host.trim_matches(['[', ']']).to_owned();
            // Relays of this machine listen at 25; others take mail of ours at 587 (RFC 6409).
            let usual = if host == "localhost" || host.starts_with("127.") || host == "::1" { 25 } else { 587 };
            Some(MailRelay::Smtp { host, port: url.port().unwrap_or(usual) })
        }
        (Some(url), Some(host)) if url.scheme() == "smtps" => {
            let host = host.trim_matches(['[', ']']).to_owned();
            Some(MailRelay::Smtps { host, port: url.port().unwrap_or(465) })
        }
        _ => {
            let error = found.error(&literal.span, "this is no server for mail");
            error.help("write `smtp://mail.example.org:587` (STARTTLS), `smtps://mail.example.org` or `sendmail`");
            None
        }
    }
}

/// `Name <local@domain>` or `local@domain`; the rest is the mail library's to refuse.
fn mailbox(text: &str, literal: &Literal, found: &mut Findings<'_>) -> Option<MailAddress> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"'), address.trim()),
        None => ("", text),
    };
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',' | ';' | '"');
    let is_address = address.chars().all(is_plain)
        && address.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !domain.starts_with('.')
        });
    if !is_address || name.contains(char::is_control) {
        let error = found.error(&literal.span, format!("`{}` is no mail address", text.escape_debug()));
        error.help("write `one@example.org` or `Name <one@example.org>`");
        return None;
    }
    Some(MailAddress { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_owned() })
}
