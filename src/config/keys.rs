//! Every key of `config.toml`, said once: name, type, range, default, meaning.
//!
//! A new key is a row here ([`table!`] tells how to write one) and a line of the example `config.toml`. Its checks come from
//! the row, and so does the reference: `cargo run -- check --keys > docs/config.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use ipnet::IpNet;
use url::Url;

use super::access::{AUTH, DATABASE, HEADERS, PROXY, Proxy, SECRET, Secret, USER, VISIBLE, shared_access};
use super::findings::Findings;
use super::posts::{
    COMMAND, EDITS, MAILBOX, MAILBOXES, MSGTYPE, MailAddress, OWN_ZONE, PACE, PATTERN, QUIET, ROOM, SERVER, TARGET,
    TEMPLATE, TOPICS_OF_POST, VISIBILITY, Visibility, WITHDRAWN,
};
use super::section::Section;
use super::sources::{ID, TOPICS};
use super::stylesheet::{STYLESHEET, Stylesheet};
use super::table::{Absent, Key, Keys, Table, Wanted, table};
use super::topics::{ANY, BOOST, FEEDS, FIELDS, LANGUAGE, NEAR, POINTS, RULES, TAGGED, TERMS, WEIGHT};
use super::values::{
    CONTACT, FLAG, FOLDER, HEALTH, IMAGES, INTERNAL, LINE, LISTEN, NETWORKS, PAGES, PATH, SCHEDULE, TEXT, TEXTS, WEB,
    WEBS, ZONE, decimal, duration, period, size, whole,
};
use super::{Language, Listen, ShownHealth, ShownImages};
use crate::outbox::{Pace, Quiet, TextTemplate};
use crate::schedule::Schedule;
use crate::topic::{Boost, Field, Rule, Term};

const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

table! {
    /// The publisher.
    #[derive(Debug, Clone)]
    pub struct Site in "[site]" {
        /// Name of the site, for people.
        title: String = TEXT, default("veille");
        /// Public address under which the published files are found. Its path ends with `/`.
        url: Url = FOLDER, default("http://127.0.0.1:8080/");
        /// Language of the pages and of the feeds' own words.
        language: Language = PAGES, default("fr");
        /// Address of those who answer for the site. It goes into the feeds and our `User-Agent`.
        contact: Option<String> = CONTACT, optional("none");
    }
    beside {
        /// Time zone of the days on pages: `poll.timezone`.
        zone: Tz = |_: &Section<'_>, found: &mut Findings<'_>| Some(found.zone);
    }
}

table! {
    /// Where entries are kept, and how long.
    #[derive(Debug, Clone)]
    pub struct StoreSettings in "[store]" {
        /// The database file.
        path: PathBuf = PATH, default("data/veille.db");
        /// The PostgreSQL database, in place of a file, as libpq names it: `postgresql://user@host/database`.
        url: Option<Secret> = DATABASE, optional("none");
        /// The password for it, if `url` does not hold it.
        password: Option<Secret> = SECRET, optional("none");
        /// Name of this machine among those that share the database, for people.
        node: Option<String> = LINE, optional("the name of the host");
        /// Age from which an entry is dropped, once it has left its feed.
        keep: TimeDelta = period(DAY, 100 * YEAR), default("5 years");
    }
}

table! {
    /// How feeds are polled.
    #[derive(Debug, Clone)]
    pub struct PollSettings in "[poll]" {
        /// Time zone of the schedules, and of the days on pages.
        timezone: Tz = ZONE, default("Europe/Paris");
        /// When feeds are polled that have no schedule of their own.
        schedule: Schedule = SCHEDULE, default("0 * * * *");
        /// Requests at once.
        concurrency: usize = whole(1, 1024), default(32);
        /// Requests at once to one host.
        per_host: usize = whole(1, 64), default(1);
        /// Pause between two requests to one host.
        host_delay: Duration = duration(0, 3600), default("1s");
        /// Longest time that one request may take as a whole.
        timeout: Duration = duration(1, 3600), default("30s");
        /// Largest document, after decompression.
        body_bytes_max as "body_max": u64 = size(1 << 10, 1 << 30), default("10 MiB");
        /// Entries that are read from one document.
        entries_max: usize = whole(1, 100_000), default(5000);
        /// Pages that one poll of a feed with `full_text` fetches: those of its latest entries.
        pages_max: usize = whole(0, 10_000), default(50);
        /// Longest postponement that a server's caching hints can cause; `Retry-After` has a limit of its own.
        postpone_max: Duration = duration(0, 30 * DAY), default("24h");
        /// Networks that may be polled though they are not public.
        allow_networks: Vec<IpNet> = NETWORKS, default([]);
        /// Proxy of the feeds that have none of their own.
        proxy: Proxy = PROXY, default("");
    }
}

table! {
    /// Recognition of entries that are the same news.
    #[derive(Debug, Clone)]
    pub struct DedupSettings in "[dedup]" {
        /// Longest time between two publications of one item.
        window: TimeDelta = period(DAY, YEAR), default("90 days");
        /// Whether entries of two sources are compared by titles and texts; else only by links and guids.
        near_duplicates: bool = FLAG, default(true);
        /// Time after which an entry counts as withdrawn that is gone from a feed which still lists its neighbours.
        withdrawn_after: TimeDelta = period(0, YEAR), default("3 days");
        /// Earlier texts that are kept of an edited entry.
        revisions: usize = whole(0, 1000), default(20);
    }
}

table! {
    /// The published files.
    #[derive(Debug, Clone)]
    pub struct PublishSettings in "[publish]" {
        /// The folder of static files.
        directory: PathBuf = PATH, default("data/public");
        /// Entries in a topic's main document; the others are in its archive.
        entries: usize = whole(1, 1000), default(50);
        /// Earlier news on the same subject that are shown with a story.
        related: usize = whole(0, 3), default(3);
        /// Links without parameters that only say how a reader came: `utm_source`, `xtor`, `fbclid` and their like.
        clean_links: bool = FLAG, default(true);
        /// The pictures of entries on topics' pages: with `"link"` browsers fetch each from its publisher, who then learns of
        /// the visit; with `"none"` pages ask nobody else for anything.
        images: ShownImages = IMAGES, default("none");
        /// Whether the text of an entry ends with a paragraph that names who else told it and earlier news on the same
        /// subject, for readers that show no such links.
        footer: bool = FLAG, default(false);
        /// A style sheet that takes the place of the shipped one. It may load nothing from elsewhere.
        stylesheet: Option<Stylesheet> = STYLESHEET, optional("the shipped one");
        /// Whether what is published can be searched, at `/search/`.
        search: bool = FLAG, default(true);
        /// Most memory that the search takes: 8 MiB hold about 20,000 short stories. While it is made anew it may take twice
        /// as much for a moment.
        search_memory: u64 = size(64 << 10, 1 << 30), default("8 MiB");
        /// Months that are searched, back from the newest story.
        search_months: usize = whole(1, 1200), default(12);
        /// The `WebSub` hubs that are notified.
        hubs: Vec<Url> = WEBS, default([]);
        /// Whose troubles the page of sources and `sources.atom` show: those of sources and of hubs, or with `"public"` also
        /// those of the config and of posts, which are the operator's.
        health: ShownHealth = HEALTH, default("sources");
    }
}

table! {
    /// `WebSub`: news at once, from publishers' hubs and to our subscribers.
    #[derive(Debug, Clone)]
    pub struct WebSubSettings in "[websub]" {
        /// Whether feeds that name a hub are subscribed there, so that their news comes at once. Hubs must find us: `site.url`
        /// begins with `https://`, and is no address of this machine or network.
        subscribe: bool = FLAG, default(true);
        /// Whether pushes that are signed with SHA-1 are taken. From a hub that ever used a stronger method they are not.
        weak_signatures: bool = FLAG, default(true);
        /// Whether veille is a hub for its own topics, at `hub` below `site.url`. Topics then name it.
        hub: bool = FLAG, default(false);
        /// Lease of a subscriber that asks for none.
        lease: TimeDelta = period(3600, YEAR), default("10 days");
        /// Longest lease of a subscriber.
        lease_max: TimeDelta = period(3600, YEAR), default("30 days");
        /// Most subscribers of the hub, each counted once a topic and format.
        subscribers_max: usize = whole(1, 10_000_000), default(10_000);
        /// Most of them with callbacks on one host.
        subscribers_per_host: usize = whole(1, 10_000_000), default(1000);
    }
}

table! {
    /// The HTTP server.
    #[derive(Debug, Clone)]
    pub struct ServeSettings in "[serve]" {
        /// Where HTTP is served. With `""` there are files only, unless the service manager hands a socket over.
        listen: Option<Listen> = LISTEN, default("127.0.0.1:8080");
        /// Where `/healthz` and `/metrics` are served in the place of `listen`, so that a proxy in front of it does not make
        /// them public.
        internal: Option<Listen> = INTERNAL, optional("with the pages, at `listen`");
    }
}

table! {
    /// An upstream feed that we poll.
    #[derive(Debug, Clone)]
    pub struct Source in "[[feed]]" and Access {
        /// The address to poll.
        url: Url = WEB, required;
        /// Unique name of the feed in addresses and commands. Its history hangs on it.
        id: String = ID, otherwise("made from the host of its address");
        /// Name of the feed, for people.
        title: Option<String> = TEXT, optional("the feed's own");
        /// When it is polled.
        schedule: Schedule = SCHEDULE, of(poll);
        /// The only topics that take its entries.
        topics: Option<Vec<String>> = TOPICS, optional("all topics");
        /// Tags that all its entries are given.
        tags: Vec<String> = TEXTS, default([]);
        /// Whether it is polled. Its entries stay, even if it is not.
        enabled: bool = FLAG, default(true);
        /// Whether the page of each entry is fetched, and the article taken out.
        full_text: bool = FLAG, default(false);
        /// Whether its entries may be the same item as those of another feed.
        dedup: bool = FLAG, default(true);
        /// Whether it is subscribed at its hub.
        websub: Option<bool> = FLAG, optional("that of `subscribe` in `[websub]`; with `private` not");
        /// Whether its address is a secret. Then nothing that is published tells it, nor the addresses that it leads to;
        /// `veille export` does.
        private: bool = FLAG, default(false);
    }
    beside {
        /// How it is asked.
        access: Arc<Access> = shared_access;
    }
}

table! {
    /// How a source is asked.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Access {
        /// Further request headers, sent to the feed's own host only.
        headers: Vec<(String, Secret)> = HEADERS, default({});
        /// Name and password, sent to the feed's own host only.
        auth: Option<Auth> = AUTH, optional("none");
        /// Our name in its requests, for a publisher that refuses the usual one.
        user_agent: Option<String> = VISIBLE, optional("`veille`, its version, `site.url` and `site.contact`");
        /// The proxy that its requests go through.
        proxy: Proxy = PROXY, of(poll);
        /// A file of certificates (PEM) of authorities to trust besides the system's.
        ca_file: Option<PathBuf> = PATH, optional("none");
    }
}

table! {
    /// Name and password (RFC 7617).
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Auth in r#"auth = { user = "…", password = { file = "…" } }"# {
        /// The name, without `:`.
        user: String = USER, required;
        /// The password, or where to find it.
        password: Secret = SECRET, required;
    }
}

table! {
    /// Values for topics that have none of their own.
    #[derive(Debug)]
    pub(super) struct TopicDefaults in "[topic_defaults]" {
        /// Language of the entries: those that are clearly in another one stay out.
        lang: String = LANGUAGE, default("fr");
        /// Points from which an entry is in.
        threshold: f64 = decimal(0.1, 1000.0), default(6.0);
        /// Factor of each field.
        boost: Boost = BOOST, otherwise("that of each key of `boost`");
        /// Mentions of a term in the body that count fully. With 3, one mention counts a third.
        body_cap: usize = whole(1, 1000), default(3);
    }
}

table! {
    /// Factors by which the weight of a rule is multiplied, by the field where it matches.
    #[derive(Debug)]
    pub(super) struct BoostTable in "boost = { title = 3.0 }" {
        /// The title.
        title: Option<f64> = decimal(0.0, 100.0), optional("`3.0`");
        /// The summary, else the first 300 characters.
        lead: Option<f64> = decimal(0.0, 100.0), optional("`2.0`");
        /// Title and lead together.
        head: Option<f64> = decimal(0.0, 100.0), optional("`2.0`");
        /// The rest of the text.
        body: Option<f64> = decimal(0.0, 100.0), optional("`1.0`");
        /// The categories that the publisher gives.
        tags: Option<f64> = decimal(0.0, 100.0), optional("`2.0`");
    }
}

table! {
    /// A topic that is published.
    #[derive(Debug)]
    pub(super) struct TopicTable in "[[topic]]" {
        /// Unique name of the topic, part of its addresses.
        id: String = ID, required;
        /// Name of the topic, for people.
        title: Option<String> = TEXT, optional("the id");
        /// One line about the topic, for people.
        description: String = LINE, default("");
        /// Former ids of the topic. Their addresses lead on to those that it has now.
        aliases: Vec<String> = TEXTS, default([]);
        /// Terms, of which one is enough for 3 points, times the boost of the field. The short form of a rule.
        any: Option<Vec<Term>> = ANY, optional("none");
        /// Terms, of which one of the first list near one of the second gives 3 points, times the boost of title or head.
        near: Option<[Vec<Term>; 2]> = NEAR, optional("none");
        /// Terms that keep an entry out, whatever its points, if title or lead has one of them.
        not: Vec<Term> = TERMS, default([]);
        /// Points for all entries of a feed, by its id; with -100 they stay out.
        sources: BTreeMap<String, f64> = POINTS, default({});
        /// Topics whose rules let entries into this one too.
        include: Vec<String> = TOPICS, default([]);
        /// Topics whose rules keep entries out of this one.
        exclude: Vec<String> = TOPICS, default([]);
        /// The only feeds whose entries are taken.
        from: Option<Vec<String>> = FEEDS, optional("all feeds, without `from_tags`");
        /// Tags of feeds whose entries are taken.
        from_tags: Option<Vec<String>> = TAGGED, optional("all feeds, without `from`");
        lang: String = LANGUAGE, of(topic_defaults);
        threshold: f64 = decimal(0.1, 1000.0), of(topic_defaults);
        boost: Boost = BOOST, of(topic_defaults);
        body_cap: usize = whole(1, 1000), of(topic_defaults);
        /// The rules, each in the long form.
        rules as "rule": Vec<Rule> = RULES, otherwise("none");
    }
}

table! {
    /// A rule of a topic. It has either `any` or `near`.
    #[derive(Debug)]
    pub(super) struct RuleTable in "[[topic.rule]]" {
        /// Name of the rule, for `veille explain`.
        name: Option<String> = TEXT, optional("the first terms");
        /// Points that it gives, times the boost of the field. Negative ones push away; not 0.
        weight: f64 = WEIGHT, default(3.0);
        /// The fields where it looks. The one with the highest boost counts.
        fields as "in": Vec<Field> = FIELDS, default(["title", "lead", "body", "tags"]);
        /// Terms, of which one is enough.
        any: Option<Vec<Term>> = ANY, optional("none");
        /// Terms, of which one of the first list must be near one of the second.
        near: Option<[Vec<Term>; 2]> = NEAR, optional("none");
        /// Largest distance of the two terms of `near`, in words.
        within: usize = whole(1, 1000), default(12);
    }
}

table! {
    /// A place where new stories of topics are sent: what came before the post is never sent.
    #[derive(Debug)]
    pub(super) struct PostTable in "[[post]]" {
        /// Unique name of the post. Its memory of what was sent hangs on it.
        id: String = ID, required;
        /// The topics whose stories it sends. A story of several is sent once.
        topics: Vec<String> = TOPICS_OF_POST, required;
        /// Where it sends.
        target as "to": String = TARGET, required;
        /// For `mastodon` and `matrix`: the server of the account. For `mail`: `smtp://host:port` (STARTTLS), `smtps://host`
        /// or `sendmail`.
        server: Option<String> = SERVER, optional("none; for `mail`: the program `sendmail`");
        /// For `mastodon` and `matrix`: the access token of the account.
        token: Option<Secret> = SECRET, optional("none");
        /// For `matrix`: the room, by its id or an alias. The account must have joined it.
        room: Option<String> = ROOM, optional("none");
        /// For `matrix`: whether a message is a notice, as those of programs are, or counts as unread.
        msgtype: Option<String> = MSGTYPE, optional("`\"m.notice\"`");
        /// For `mastodon`: who sees a message.
        visibility: Option<Visibility> = VISIBILITY, optional("`\"unlisted\"`");
        /// For `mattermost`, `slack`, `discord`: the address of the incoming webhook, which is a secret. For `webhook`: where
        /// the JSON goes.
        url: Option<Secret> = SECRET, optional("none");
        /// For `webhook`: the key by which the body is signed (HMAC-SHA256).
        secret: Option<Secret> = SECRET, optional("none: nothing is signed");
        /// For `command`: the program and its arguments, without a shell. It reads one line of JSON for each story.
        command: Option<Vec<String>> = COMMAND, optional("none");
        /// For `mail`: the sender.
        from: Option<MailAddress> = MAILBOX, optional("none");
        /// For `mail`: those who get it, who do not see each other.
        recipients: Option<Vec<MailAddress>> = MAILBOXES, optional("none");
        /// For `mail`: name and password for the server.
        auth: Option<Auth> = AUTH, optional("none");
        /// For `mail`: when one mail with all new stories goes; none goes without news.
        schedule: Option<String> = PATTERN, optional("each story is a mail of its own");
        /// For all but `webhook`, `mail` and `command`: the text, with fields in braces: `title`, `link`, `summary`, `source`,
        /// `sources`, `tags`, `hashtags`, `topic`, `date`, `language`. A line whose fields are all empty is left out.
        text: Option<TextTemplate> = TEMPLATE, optional("`\"{title}\\n{source} · {link}\"`, and hashtags for `mastodon`");
        /// Hashtags beside those made of the publishers' tags.
        hashtags: Vec<String> = TEXTS, default([]);
        /// Time for which a story waits, so that other tellings join it: one message a story.
        wait: TimeDelta = period(0, 7 * DAY), default("15m");
        /// Most stories in a span. The others wait, the oldest first.
        at_most: Option<Pace> = PACE, optional("no limit");
        /// Hours in which nothing is sent.
        quiet: Option<Quiet> = QUIET, optional("none");
        /// Age of a story from which it is not sent any more; of a digest, how late it may be.
        too_old: TimeDelta = period(60, 30 * DAY), default("2 days");
        /// For `mastodon` and `matrix`: whether a message is edited when its story changes.
        edits: bool = EDITS, default("ignore");
        /// For `mastodon` and `matrix`: whether a message is deleted when its story is withdrawn.
        withdrawn: bool = WITHDRAWN, default("keep");
        /// The clock of `quiet` and `schedule`.
        timezone: Option<Tz> = OWN_ZONE, optional("that of `[poll]`");
        /// The proxy that its requests go through. Mail goes straight to its SMTP server, unless a proxy stands in its own
        /// section.
        proxy: Proxy = PROXY, of(poll);
        /// A file of certificates (PEM) of authorities to trust besides the system's.
        ca_file: Option<PathBuf> = PATH, optional("none");
    }
}

const fn part(name: &'static str) -> Key {
    Key { name, about: "", wanted: Wanted::Described("a table"), absent: Absent::Means("") }
}

/// The document.
pub(super) static ROOT: Table = Table {
    written: "",
    groups: &[Keys {
        about: "",
        keys: &[
            part("site"),
            part("store"),
            part("poll"),
            part("dedup"),
            part("publish"),
            part("serve"),
            part("websub"),
            part("feed"),
            part("lexicon"),
            part("topic_defaults"),
            part("topic"),
            part("post"),
        ],
    }],
};

/// `[lexicon]`, whose keys are the names of lists.
static LEXICON: Table = Table {
    written: "[lexicon]",
    groups: &[Keys {
        about: "Lists of terms that topics share: `\"@name\"` stands for all terms of the list `name`, which is a key here. \
                A list replaces the shipped one of its name (`num`, `ecole`, `ecole_fort`, `sup`), and extends it if it \
                holds its own name.",
        keys: &[],
    }],
};

/// Every table, in the order of the reference.
pub(super) static TABLES: [&Table; 16] = [
    &ROOT,
    Site::TABLE,
    StoreSettings::TABLE,
    PollSettings::TABLE,
    DedupSettings::TABLE,
    PublishSettings::TABLE,
    ServeSettings::TABLE,
    WebSubSettings::TABLE,
    Source::TABLE,
    Auth::TABLE,
    &LEXICON,
    TopicDefaults::TABLE,
    BoostTable::TABLE,
    TopicTable::TABLE,
    RuleTable::TABLE,
    PostTable::TABLE,
];
