//! Every key of `config.toml`: what it takes and what it is if it is not written.
//!
//! The one description that drives unknown keys, ranges, defaults and help. What keys are for stands in the example
//! file, and a test holds that to this list.

/// A table of the config.
#[derive(Debug)]
pub(super) struct Table {
    /// As in a header: `poll`, `topic.rule`; empty for the document.
    pub(super) name: &'static str,
    /// In the order of the example.
    pub(super) keys: &'static [Key],
}

/// A key that a table may hold.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// As written in TOML; `None` if absence means something of its own.
    pub(super) default: Option<&'static str>,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// Any text, not blank.
    Text,
    /// Text that may be empty.
    Words,
    /// A list of texts.
    Texts,
    /// `[a-z0-9-]+`
    Id,
    Flag,
    Whole(i64, i64),
    Decimal(f64, f64),
    /// In seconds.
    Duration(u64, u64),
    /// In bytes.
    Size(u64, u64),
    /// `http` or `https`.
    Url,
    Urls,
    Path,
    Schedule,
    Zone,
    /// An address and a port, or nothing.
    Listen,
    Networks,
    /// `fr` or `en`.
    Pages,
    /// `mailto:` or `https:`.
    Contact,
    /// A language of entries, `""` for any.
    Language,
    /// Names and values of request headers.
    Headers,
    /// An address, `environment`, or nothing.
    Proxy,
    /// A text, or the file or credential that holds it.
    Secret,
    /// Source ids and points.
    Points,
    /// Ids of topics.
    Topics,
    /// Ids of sources.
    Feeds,
    Fields,
    /// A list of terms.
    Terms,
    /// Two lists of terms.
    TwoTerms,
    /// `[name]`
    Section,
    /// `[[name]]`
    Sections,
}

impl Kind {
    /// Says what to write, for "`key` must be …".
    pub(super) fn wanted(self) -> String {
        match self {
            Self::Text | Self::Words => "a text in quotes".into(),
            Self::Texts => "a list of texts: `[\"one\", \"two\"]`".into(),
            Self::Id => "made of `a` to `z`, `0` to `9` and `-`, at most 64 of them".into(),
            Self::Flag => "`true` or `false`".into(),
            Self::Whole(min, max) => format!("a whole number from {min} to {max}"),
            Self::Decimal(min, max) => format!("a number from {min} to {max}"),
            Self::Duration(min, max) => format!("a duration from {} to {}", in_words(min), in_words(max)),
            Self::Size(min, max) => format!("a size from {} to {}", in_bytes(min), in_bytes(max)),
            Self::Url => "an address that begins with `https://` or `http://`".into(),
            Self::Urls => "a list of addresses: `[\"https://…\"]`".into(),
            Self::Path => "a path in quotes".into(),
            Self::Schedule => "a crontab pattern: `\"0 * * * *\"` is every hour".into(),
            Self::Zone => "a time zone such as `\"Europe/Paris\"`".into(),
            Self::Listen => {
                "an IP address and a port such as `\"127.0.0.1:8080\"`, a socket such as `\"unix:veille.sock\"`, or `\"\"` for \
                 files only"
                    .into()
            },
            Self::Networks => "a list of networks: `[\"127.0.0.0/8\"]`".into(),
            Self::Pages => "`\"fr\"` or `\"en\"`".into(),
            Self::Contact => "a `mailto:` or `https:` address".into(),
            Self::Language => "a language of two or three letters such as `\"fr\"`, or `\"\"` for any".into(),
            Self::Headers => "a table of texts: `{ Accept-Language = \"fr\" }`".into(),
            Self::Proxy => "the address of a proxy, `{ file = \"…\" }`, `\"environment\"`, or `\"\"` for none".into(),
            Self::Secret => "a text in quotes, `{ file = \"…\" }` or `{ credential = \"…\" }`".into(),
            Self::Points => "a table of numbers from -100 to 100: `{ education = 2.0 }`".into(),
            Self::Topics => "a list of topics by id: `[\"laicite\"]`".into(),
            Self::Feeds => "a list of feeds by id: `[\"cnil\"]`".into(),
            Self::Fields => "a list of fields: `[\"title\", \"lead\"]`".into(),
            Self::Terms => "a list of terms: `[\"numérique éducatif\", \"=ENT\"]`".into(),
            Self::TwoTerms => "two lists of terms: `[[\"@num\"], [\"@ecole\"]]`".into(),
            Self::Section => "a table".into(),
            Self::Sections => "a list of tables".into(),
        }
    }
}

/// The largest unit that needs no fraction.
fn in_words(seconds: u64) -> String {
    let units = [(31_536_000, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let whole = units.iter().find(|(worth, _)| seconds >= *worth && seconds.is_multiple_of(*worth));
    match whole.map(|(worth, unit)| (seconds / worth, *unit)) {
        None => "0 seconds".into(),
        Some((1, unit)) => format!("1 {unit}"),
        Some((number, unit)) => format!("{number} {unit}s"),
    }
}

fn in_bytes(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = units.iter().find(|(worth, _)| bytes >= *worth && bytes.is_multiple_of(*worth));
    whole.map_or_else(|| format!("{bytes} bytes"), |(worth, unit)| format!("{} {unit}", bytes / worth))
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, default: None }
}

const fn with(name: &'static str, kind: Kind, default: &'static str) -> Key {
    Key { name, kind, default: Some(default) }
}

const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

/// The document.
pub(super) static ROOT: Table = Table {
    name: "",
    keys: &[
        key("site", Kind::Section),
        key("store", Kind::Section),
        key("poll", Kind::Section),
        key("dedup", Kind::Section),
        key("publish", Kind::Section),
        key("serve", Kind::Section),
        key("feed", Kind::Sections),
        key("lexicon", Kind::Section),
        key("topic_defaults", Kind::Section),
        key("topic", Kind::Sections),
    ],
};

/// `[site]`
pub(super) static SITE: Table = Table {
    name: "site",
    keys: &[
        with("title", Kind::Text, r#""veille""#),
        with("url", Kind::Url, r#""http://127.0.0.1:8080/""#),
        with("language", Kind::Pages, r#""fr""#),
        key("contact", Kind::Contact),
    ],
};

/// `[store]`
pub(super) static STORE: Table = Table {
    name: "store",
    keys: &[
        with("path", Kind::Path, r#""data/veille.db""#),
        with("keep", Kind::Duration(DAY, 100 * YEAR), r#""5 years""#),
    ],
};

/// `[poll]`
pub(super) static POLL: Table = Table {
    name: "poll",
    keys: &[
        with("schedule", Kind::Schedule, r#""0 * * * *""#),
        with("timezone", Kind::Zone, r#""Europe/Paris""#),
        with("concurrency", Kind::Whole(1, 1024), "32"),
        with("per_host", Kind::Whole(1, 64), "1"),
        with("host_delay", Kind::Duration(0, 3600), r#""1s""#),
        with("timeout", Kind::Duration(1, 3600), r#""30s""#),
        with("body_max", Kind::Size(1 << 10, 1 << 30), r#""10 MiB""#),
        with("entries_max", Kind::Whole(1, 100_000), "5000"),
        with("pages_max", Kind::Whole(0, 10_000), "50"),
        with("postpone_max", Kind::Duration(0, 30 * DAY), r#""24h""#),
        with("allow_networks", Kind::Networks, "[]"),
        with("proxy", Kind::Proxy, r#""""#),
    ],
};

/// `[dedup]`
pub(super) static DEDUP: Table = Table {
    name: "dedup",
    keys: &[
        with("window", Kind::Duration(DAY, YEAR), r#""90 days""#),
        with("near_duplicates", Kind::Flag, "true"),
        with("withdrawn_after", Kind::Duration(0, YEAR), r#""3 days""#),
        with("revisions", Kind::Whole(0, 1000), "20"),
    ],
};

/// `[publish]`
pub(super) static PUBLISH: Table = Table {
    name: "publish",
    keys: &[
        with("directory", Kind::Path, r#""data/public""#),
        with("entries", Kind::Whole(1, 1000), "50"),
        with("related", Kind::Whole(0, 3), "3"),
        with("clean_links", Kind::Flag, "true"),
        with("hubs", Kind::Urls, "[]"),
    ],
};

/// `[serve]`
pub(super) static SERVE: Table = Table { name: "serve", keys: &[with("listen", Kind::Listen, r#""127.0.0.1:8080""#)] };

/// `[[feed]]`
pub(super) static FEED: Table = Table {
    name: "feed",
    keys: &[
        key("url", Kind::Url),
        key("id", Kind::Id),
        key("title", Kind::Text),
        key("schedule", Kind::Schedule),
        key("topics", Kind::Texts),
        with("tags", Kind::Texts, "[]"),
        with("headers", Kind::Headers, "{}"),
        key("auth", Kind::Section),
        key("user_agent", Kind::Text),
        key("proxy", Kind::Proxy),
        key("ca_file", Kind::Path),
        with("enabled", Kind::Flag, "true"),
        with("full_text", Kind::Flag, "false"),
        with("dedup", Kind::Flag, "true"),
    ],
};

/// `auth = { … }`
pub(super) static AUTH: Table = Table { name: "auth", keys: &[key("user", Kind::Text), key("password", Kind::Secret)] };

/// `[topic_defaults]`
pub(super) static TOPIC_DEFAULTS: Table = Table {
    name: "topic_defaults",
    keys: &[
        with("lang", Kind::Language, r#""fr""#),
        with("threshold", Kind::Decimal(0.1, 1000.0), "6.0"),
        key("boost", Kind::Section),
        with("body_cap", Kind::Whole(1, 1000), "3"),
    ],
};

/// `boost = { … }`
pub(super) static BOOST: Table = Table {
    name: "boost",
    keys: &[
        with("title", Kind::Decimal(0.0, 100.0), "3.0"),
        with("lead", Kind::Decimal(0.0, 100.0), "2.0"),
        with("head", Kind::Decimal(0.0, 100.0), "2.0"),
        with("body", Kind::Decimal(0.0, 100.0), "1.0"),
        with("tags", Kind::Decimal(0.0, 100.0), "2.0"),
    ],
};

/// `[[topic]]`
pub(super) static TOPIC: Table = Table {
    name: "topic",
    keys: &[
        key("id", Kind::Id),
        key("title", Kind::Text),
        with("description", Kind::Words, r#""""#),
        key("any", Kind::Terms),
        key("near", Kind::TwoTerms),
        with("not", Kind::Terms, "[]"),
        with("sources", Kind::Points, "{}"),
        with("include", Kind::Topics, "[]"),
        with("exclude", Kind::Topics, "[]"),
        key("from", Kind::Feeds),
        key("from_tags", Kind::Texts),
        key("lang", Kind::Language),
        key("threshold", Kind::Decimal(0.1, 1000.0)),
        key("boost", Kind::Section),
        key("body_cap", Kind::Whole(1, 1000)),
        key("rule", Kind::Sections),
    ],
};

/// `[[topic.rule]]`
pub(super) static RULE: Table = Table {
    name: "topic.rule",
    keys: &[
        key("name", Kind::Text),
        with("weight", Kind::Decimal(-100.0, 100.0), "3.0"),
        with("in", Kind::Fields, r#"["title", "lead", "body", "tags"]"#),
        key("any", Kind::Terms),
        key("near", Kind::TwoTerms),
        with("within", Kind::Whole(1, 1000), "12"),
    ],
};

/// Every table whose keys are fixed (`[lexicon]` takes any name).
pub(super) static TABLES: [&Table; 13] =
    [&ROOT, &SITE, &STORE, &POLL, &DEDUP, &PUBLISH, &SERVE, &FEED, &AUTH, &TOPIC_DEFAULTS, &BOOST, &TOPIC, &RULE];
