//! The facts in a document that feed-rs has no place for: dialect, languages, bases, rhythm, comments, origins.

use std::borrow::Cow;

use chrono::{TimeDelta, Weekday};
use url::Url;

use super::cdata;
use super::xml::{Element, Ns};
use super::{Circumstances, dates, html};
use crate::feed::{Comments, Origin, Rhythm};

/// Elements that can hold entries.
const CONTAINERS: &[&str] = &["rss", "rdf", "feed", "channel", "items"];

/// Beginnings of files that are sent in place of a feed.
const FILES: &[(&str, &str)] =
    &[("%PDF", "a PDF file"), ("\u{FFFD}PNG", "an image"), ("GIF8", "an image"), ("PK\u{3}\u{4}", "a ZIP file")];

/// The context that relative addresses and texts without a language inherit (XML Base, XML 1.0 §2.12).
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The address of the document, which the outermost `xml:base` is relative to (RFC 3986 §5.1).
    pub(super) document: Option<Url>,
    /// The nearest `xml:base`.
    pub(super) base: Option<Url>,
    /// The nearest `xml:lang`.
    pub(super) language: Option<String>,
}

impl Place {
    /// Returns the place inside `element`.
    pub(super) fn inside(&self, element: &Element<'_>) -> Self {
        let base = element.attribute("xml:base").and_then(|base| resolve(base, self.reference()));
        let language = element.attribute("xml:lang").map(str::to_owned);
        Self {
            document: self.document.clone(),
            base: base.or_else(|| self.base.clone()),
            language: language.or_else(|| self.language.clone()),
        }
    }

    /// Returns the place with the address of the document as it is, else as the feed says.
    pub(super) fn known_by(self, fields: &[&Element<'_>]) -> Self {
        let own = || {
            let mut links = fields.iter().filter(|field| field.name == "link" && is_rel(field, "self"));
            links.find_map(|link| resolve(link.attribute("href")?, None))
        };
        Self { document: self.document.clone().or_else(own), ..self }
    }

    /// Returns what relative addresses refer to.
    pub(super) fn reference(&self) -> Option<&Url> {
        self.base.as_ref().or(self.document.as_ref())
    }
}

/// Returns the absolute web address that `written` means, if it means one.
pub(super) fn resolve(written: &str, base: Option<&Url>) -> Option<Url> {
    // `&amp;` in CDATA: escaped once more than the publisher's tool thought.
    let written = cdata::unwrap(written.trim().into()).replace("&amp;", "&");
    let url = match Url::parse(&written) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) if !written.is_empty() => base?.join(&written).ok()?,
        Err(_) => return None,
    };
    matches!(url.scheme(), "http" | "https" | "ftp").then_some(url)
}

/// Whether a link has a relation (RFC 4287 §4.2.7.2, RFC 8288 §2.1): one without any is an alternate, case does not
/// matter, and the address that IANA gives a relation means the relation.
pub(super) fn is_rel(link: &Element<'_>, name: &str) -> bool {
    let written = link.attribute("rel").unwrap_or("alternate");
    if written.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return written.eq_ignore_ascii_case(name);
    }
    let written = written.to_ascii_lowercase();
    written.split_ascii_whitespace().any(|rel| {
        let registered = rel
            .split_once("//www.iana.org/assignments/")
            .map_or(rel, |(_, path)| path.rsplit(['/', '#']).next().unwrap_or_default());
        registered == name
    })
}

/// Finds the root of a feed: the outermost element that can be one, whatever stands before or around it.
pub(super) fn feed_root<'t, 'a>(top: &'t Element<'a>) -> Option<&'t Element<'a>> {
    let is_root = |element: &&Element<'_>| match element.ns {
        Ns::Core => matches!(&*element.name, "rss" | "feed" | "channel" | "rdf" | "entry" | "item"),
        Ns::Rdf => element.name == "rdf",
        _ => false,
    };
    top.elements().find(is_root).or_else(|| top.elements().find_map(feed_root))
}

/// Returns every entry in document order with the place that it is in.
pub(super) fn entry_elements<'t, 'a>(root: &'t Element<'a>, place: &Place) -> Vec<(&'t Element<'a>, Place)> {
    let mut found = Vec::new();
    collect_entries(root, place, &mut found);
    found
}

fn collect_entries<'t, 'a>(element: &'t Element<'a>, place: &Place, found: &mut Vec<(&'t Element<'a>, Place)>) {
    let place = place.inside(element);
    if is_entry(element) {
        found.push((element, place));
    } else if CONTAINERS.contains(&&*element.name) {
        element.elements().for_each(|child| collect_entries(child, &place, found));
    }
}

fn is_entry(element: &Element<'_>) -> bool {
    element.ns == Ns::Core && matches!(&*element.name, "item" | "entry")
}

/// Returns the elements that speak of the feed itself.
pub(super) fn feed_fields<'t, 'a>(root: &'t Element<'a>) -> Vec<&'t Element<'a>> {
    let mut fields = Vec::new();
    if is_entry(root) {
        return fields; // a document of one entry
    }
    for child in root.elements() {
        match child.name.as_ref() {
            "channel" | "feed" => fields.extend(child.elements()),
            _ => fields.push(child),
        }
    }
    fields.retain(|field| !is_entry(field));
    fields
}

/// Names the dialect: `rss20`, `rss10`, `atom10`, …
pub(super) fn format(root: &Element<'_>) -> String {
    let version = root.attribute("version").unwrap_or_default();
    let speaks =
        |part: &str| root.attributes.iter().any(|(name, value)| name.starts_with("xmlns") && value.contains(part));
    let format = match (&*root.name, version) {
        ("feed" | "entry", "0.1") => "atom01",
        ("feed" | "entry", "0.2") => "atom02",
        ("feed" | "entry", "0.3") => "atom03",
        ("feed" | "entry", _) if speaks("purl.org/atom/ns") => "atom03",
        ("feed" | "entry", _) if speaks("w3.org/2005/Atom") => "atom10",
        ("feed" | "entry", _) => "atom",
        ("rdf", _) if speaks("netscape.com/rdf") => "rss090",
        ("rdf", _) => "rss10",
        (_, "0.90") => "rss090",
        (_, "0.91") => "rss091",
        (_, "0.92") => "rss092",
        (_, "0.93") => "rss093",
        (_, "0.94") => "rss094",
        (_, version) if version.starts_with('2') => "rss20",
        _ => "rss",
    };
    format.to_owned()
}

/// Says what a document is that is no feed.
pub(super) fn describe_document(text: &str, top: &Element<'_>) -> String {
    if let Some((_, found)) = FILES.iter().find(|(start, _)| text.starts_with(start)) {
        return (*found).to_owned();
    }
    let first = top.elements().next();
    let head = text.get(..text.floor_char_boundary(1024)).unwrap_or(text).to_ascii_lowercase();
    let is_html = head.starts_with("<!doctype html")
        || first.is_some_and(|first| matches!(&*first.name, "html" | "head" | "body" | "div" | "p" | "h1"));
    match (is_html, first) {
        (true, _) => match find(top, "title").and_then(html::line_of) {
            Some(title) => format!("an HTML page titled “{}”", title.chars().take(100).collect::<String>()),
            None => "an HTML page".to_owned(),
        },
        (false, Some(root)) => {
            format!("an XML document of another kind, `<{}>`", root.name.chars().take(40).collect::<String>())
        }
        (false, None) => "plain text".to_owned(),
    }
}

fn find<'t, 'a>(element: &'t Element<'a>, name: &str) -> Option<&'t Element<'a>> {
    element.elements().find_map(|child| if child.name == name { Some(child) } else { find(child, name) })
}

/// Reads `ttl`, `skipHours`, `skipDays` and `sy:*`.
pub(super) fn rhythm(fields: &[&Element<'_>]) -> Rhythm {
    let text = |ns, name: &str| fields.iter().find(|field| field.is(ns, name)).and_then(|field| field.text());
    let skipped = |name: &'static str| {
        fields.iter().filter(move |field| field.is(Ns::Core, name)).flat_map(|field| field.elements())
    };
    let minutes = text(Ns::Core, "ttl").and_then(|ttl| ttl.parse::<u32>().ok()).filter(|minutes| *minutes > 0);
    let mut skip_hours: Vec<u8> = skipped("skiphours")
        .filter_map(|hour| hour.text()?.parse::<u8>().ok())
        .filter(|hour| *hour <= 24)
        .map(|hour| hour % 24) // 0.91 counted 1 to 24
        .collect();
    skip_hours.sort_unstable();
    skip_hours.dedup();
    let mut skip_days: Vec<Weekday> = skipped("skipdays").filter_map(|day| day.text()?.parse().ok()).collect();
    skip_days.sort_unstable_by_key(Weekday::num_days_from_monday);
    skip_days.dedup();
    Rhythm {
        ttl: minutes.map(|minutes| TimeDelta::minutes(i64::from(minutes))),
        update_period: update_period(text(Ns::Sy, "updateperiod"), text(Ns::Sy, "updatefrequency")),
        skip_hours,
        skip_days,
    }
}

fn update_period(period: Option<Cow<'_, str>>, frequency: Option<Cow<'_, str>>) -> Option<TimeDelta> {
    let hours = match period?.to_ascii_lowercase().as_str() {
        "hourly" => 1,
        "daily" => 24,
        "weekly" => 24 * 7,
        "monthly" => 24 * 30,
        "yearly" => 24 * 365,
        _ => return None,
    };
    let frequency = frequency.and_then(|times| times.parse::<i32>().ok()).filter(|times| *times > 0).unwrap_or(1);
    TimeDelta::hours(hours).checked_div(frequency)
}

/// Reads where an entry's comments are: `comments`, `wfw:commentRss`, `slash:comments`, RFC 4685.
pub(super) fn comments(entry: &Element<'_>, base: Option<&Url>, circumstances: Circumstances<'_>) -> Comments {
    let Circumstances { zone, now, .. } = circumstances;
    let mut comments = Comments::default();
    for field in entry.elements() {
        let url = || field.text().and_then(|text| resolve(&text, base));
        let count = || field.text().and_then(|text| text.parse().ok());
        match (field.ns, &*field.name) {
            (Ns::Core, "comments") => comments.url = comments.url.or_else(url),
            (Ns::Wfw, "commentrss") => comments.feed = comments.feed.or_else(url),
            (Ns::Slash, "comments") | (Ns::Thr, "total") => comments.count = comments.count.or_else(count),
            (Ns::Core, "link") if is_rel(field, "replies") => {
                let url = field.attribute("href").and_then(|href| resolve(href, base));
                let is_feed = field.attribute("type").is_some_and(|kind| kind.contains("xml"));
                let place = if is_feed { &mut comments.feed } else { &mut comments.url };
                *place = place.take().or(url);
                let count = field.attribute("thr:count").and_then(|count| count.parse().ok());
                comments.count = comments.count.or(count);
                let updated = field.attribute("thr:updated").and_then(|date| dates::read_date(date, zone, now).date);
                comments.updated = comments.updated.max(updated);
            }
            _ => {}
        }
    }
    comments
}

/// Reads the feed that an entry was copied from.
pub(super) fn origin(entry: &Element<'_>, place: &Place) -> Option<Origin> {
    let source = entry.child(Ns::Core, "source")?;
    let place = place.inside(source);
    let link = |rel: &str| {
        let link = source.elements().find(|child| child.name == "link" && is_rel(child, rel));
        link.and_then(|link| resolve(link.attribute("href")?, place.reference()))
    };
    let url = source.attribute("url").and_then(|url| resolve(url, place.reference()));
    let title = match source.child(Ns::Core, "title") {
        Some(title) => html::line_of(title),
        None => html::line_of(source).filter(|_| source.elements().next().is_none()),
    };
    let origin = Origin { title, url: url.or_else(|| link("self")).or_else(|| link("alternate")) };
    (origin != Origin::default()).then_some(origin)
}

/// Returns the language that an entry or feed states in an element.
pub(super) fn stated_language(fields: &[&Element<'_>]) -> Option<String> {
    let is_language = |field: &&&Element<'_>| field.name == "language" && matches!(field.ns, Ns::Core | Ns::Dc);
    fields.iter().find(is_language).and_then(|field| field.text()).map(|text| text.replace('_', "-"))
}
