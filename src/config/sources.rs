//! `[[feed]]`: the sources.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;
use std::path::Path;

use chrono_tz::Tz;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::access::{Proxy, access};
use super::diagnostic::Problems;
use super::keys::Key;
use super::nearest::nearest;
use super::section::{Section, flag, text, texts};
use super::settings::{schedule, url};
use super::tree::{Node, Value};
use super::{PollSettings, Source};
use crate::schedule::Schedule;
use crate::text::secrets;

/// What sources share.
#[derive(Debug)]
struct Shared<'a> {
    /// That of `[poll]`, unless it is wrong.
    schedule: Option<Schedule>,
    /// Feeds with the same pattern share it: with its walk it takes some kB.
    schedules: HashMap<String, Schedule>,
    topic_ids: &'a [String],
    /// That of `[poll]`.
    proxy: Proxy,
    /// What paths are relative to.
    folder: &'a Path,
}

/// Reads all sources but for their ids, which are given.
pub(super) fn sources(
    sections: &[Section<'_>],
    ids: &[String],
    topic_ids: &[String],
    poll: Option<&PollSettings>,
    folder: &Path,
    problems: &mut Problems,
) -> Vec<Source> {
    unique_urls(sections, problems);
    let schedule = poll.map(|poll| poll.schedule.clone());
    let proxy = poll.map(|poll| poll.proxy.clone()).unwrap_or_default();
    let mut shared = Shared { schedule, schedules: HashMap::new(), topic_ids, proxy, folder };
    sections.iter().zip(ids).filter_map(|(section, id)| source(section, id, &mut shared, problems)).collect()
}

fn source(section: &Section<'_>, id: &str, shared: &mut Shared<'_>, problems: &mut Problems) -> Option<Source> {
    if section.node("url").is_none() {
        section.missing("url", problems);
    }
    let url = section.read("url", url, problems);
    let title = section.read("title", text, problems);
    let schedule = match section.node("schedule") {
        None => shared.schedule.clone(),
        Some(_) => section.read_with("schedule", problems, |node, key, problems| shared.own(node, key, problems)),
    };
    let topics = section.read_with("topics", problems, |node, key, problems| shared.topics(node, key, problems));
    let tags = section.read("tags", tags, problems);
    let access = access(section, &shared.proxy, shared.folder, problems);
    let enabled = section.read("enabled", flag, problems);
    let full_text = section.read("full_text", flag, problems);
    let dedup = section.read("dedup", flag, problems);
    let private = section.read("private", flag, problems);
    if let (Some(url), Some(false), Some(node)) = (&url, private, section.node("url")) {
        warn_of_secrets(url, node, problems);
    }
    Some(Source {
        id: id.to_owned(),
        url: url?,
        title,
        schedule: schedule?,
        topics,
        tags: tags?,
        access: access?,
        enabled: enabled?,
        full_text: full_text?,
        dedup: dedup?,
        private: private?,
    })
}

impl Shared<'_> {
    fn own(&mut self, node: &Node, key: &Key, problems: &mut Problems) -> Option<Schedule> {
        if let Value::Text(text) = &node.value
            && let Some(known) = self.schedules.get(text)
        {
            return Some(known.clone());
        }
        let zone = self.schedule.as_ref().map_or(Tz::UTC, Schedule::zone);
        let own = schedule(node, key, zone, problems)?;
        if let Value::Text(text) = &node.value {
            self.schedules.insert(text.clone(), own.clone());
        }
        Some(own)
    }

    fn topics(&self, node: &Node, key: &Key, problems: &mut Problems) -> Option<Vec<String>> {
        let mut topics = Vec::new();
        for (text, node) in texts(node, key, problems)? {
            if !self.topic_ids.iter().any(|id| id == text) {
                unknown(&node.span, "topic", text, self.topic_ids.iter().map(String::as_str), problems);
            }
            topics.push(text.to_owned());
        }
        Some(topics)
    }
}

/// Notes a name that stands for nothing, and the nearest that does.
pub(super) fn unknown<'a>(
    span: &Range<usize>,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Problems,
) {
    let error = problems.error(span, format!("there is no {what} `{name}`"));
    let all = known.clone().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, known) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None if all.is_empty() => error.help(format!("this config has no {what} at all")),
        None => error.help(format!("there are {all}")),
    };
}

/// A secret in an address is one no more once `sources.opml` and `atom:source` show it.
fn warn_of_secrets(url: &Url, node: &Node, problems: &mut Problems) {
    if let Some((name, _)) = secrets(url).next() {
        let message = format!("`{name}` in this address looks like a secret, and addresses of feeds are published");
        problems.warning(&node.span, message).help("write `private = true` in this feed, and its address is not");
    }
}

fn tags(node: &Node, key: &Key, problems: &mut Problems) -> Option<Vec<String>> {
    Some(texts(node, key, problems)?.into_iter().map(|(text, _)| text.to_owned()).collect())
}

fn unique_urls(sections: &[Section<'_>], problems: &mut Problems) {
    let mut seen: HashMap<Url, &Node> = HashMap::new();
    for node in sections.iter().filter_map(|section| section.node("url")) {
        let Some(mut url) = plain_url(node) else { continue };
        url.set_fragment(None);
        if let Some(first) = seen.get(&url) {
            let error = problems.error(&node.span, "this feed is listed twice");
            error.also(first.span.clone(), "first here").help("take one of them out");
        } else {
            seen.insert(url, node);
        }
    }
}

fn plain_url(node: &Node) -> Option<Url> {
    match &node.value {
        Value::Text(text) => Url::parse(text.trim()).ok(),
        _ => None,
    }
}

/// Returns the id of each source: the one written, else one derived from its address.
pub(super) fn ids(sections: &[Section<'_>], problems: &mut Problems) -> Vec<String> {
    let mut written: HashMap<&str, &Node> = HashMap::new();
    for node in sections.iter().filter_map(|section| section.node("id")) {
        unique_id(node, &mut written, problems);
    }
    let mut taken: HashSet<String> = written.into_keys().map(str::to_owned).collect();
    let mut ids = Vec::new();
    for section in sections {
        let written =
            section.node("id").map(|node| if let Value::Text(id) = &node.value { id.clone() } else { String::new() });
        let url = section.node("url").filter(|_| written.is_none());
        let derived = url.and_then(|node| Some((node, plain_url(node)?)));
        let derived = derived.map(|(node, url)| derived_id(&url, &node.span, &taken, problems));
        let id = written.or(derived).unwrap_or_default();
        taken.insert(id.clone());
        ids.push(id);
    }
    ids
}

/// Notes an id that cannot be one, or that is written a second time.
pub(super) fn unique_id<'n>(node: &'n Node, written: &mut HashMap<&'n str, &'n Node>, problems: &mut Problems) {
    let Value::Text(id) = &node.value else {
        problems.error(&node.span, "`id` must be a text in quotes");
        return;
    };
    if !is_id(id) {
        let error = problems.error(&node.span, format!("`id` must be {}", super::keys::Kind::Id.wanted()));
        error.help(format!("write `{}`", slug(id)));
    }
    if let Some(first) = written.get(id.as_str()) {
        let error = problems.error(&node.span, format!("the id `{id}` is used twice"));
        error.also(first.span.clone(), "first here").help("give one of them another id");
    } else {
        written.insert(id, node);
    }
}

/// Tells whether a text can be an id.
#[must_use]
pub fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Returns an id for the feed at `url` that is not `taken`: its host (`www.education.gouv.fr` is `education`), else host
/// and path.
#[must_use]
pub fn id_for<S: BuildHasher>(url: &Url, taken: &HashSet<String, S>) -> String {
    let host = host_words(url.host_str().unwrap_or_default());
    if !taken.contains(&host) {
        return host;
    }
    let longer = cut(&format!("{host}-{}", path_words(url.path())));
    let hashed = || format!("{}-{:08x}", cut(&host), xxh3_64(url.as_str().as_bytes()) >> 32);
    if longer.len() > host.len() && !taken.contains(&longer) { longer } else { hashed() }
}

/// Only the order of feeds of one host decides which has the short id, hence the warning on the others.
fn derived_id(url: &Url, span: &Range<usize>, taken: &HashSet<String>, problems: &mut Problems) -> String {
    let (id, host) = (id_for(url, taken), host_words(url.host_str().unwrap_or_default()));
    if id != host {
        let warning = problems.warning(span, format!("another feed is called `{host}` already, so this one is `{id}`"));
        warning.help(format!("write `id = \"{id}\"`, so that it keeps its history if the other one goes"));
    }
    id
}

/// The part of a host that names who it belongs to.
fn host_words(host: &str) -> String {
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
        return slug(host);
    }
    let mut labels: Vec<&str> = host.split('.').filter(|label| !label.is_empty()).collect();
    // The top level, then what is common to many below it.
    for common in [&[][..], &["gouv", "gov", "asso", "co", "ac", "com", "org", "edu"][..]] {
        if labels.len() > 1 && labels.last().is_some_and(|last| common.is_empty() || common.contains(last)) {
            labels.pop();
        }
    }
    let is_technical = |label: &str| {
        matches!(label, "m" | "rss" | "feed" | "feeds")
            || label.strip_prefix("www").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    while labels.len() > 1 && labels.first().is_some_and(|first| is_technical(first)) {
        labels.remove(0);
    }
    cut(&slug(&labels.join("-")))
}

/// The words of a path that are not the same for every feed.
fn path_words(path: &str) -> String {
    let common = ["rss", "feed", "feeds", "flux", "xml", "atom", "php", "spip", "index", "fr", "detail"];
    let slug = slug(path);
    slug.split('-').filter(|word| !common.contains(word)).collect::<Vec<_>>().join("-")
}

fn cut(id: &str) -> String {
    id.chars().take(48).collect::<String>().trim_matches('-').to_owned()
}

/// Makes an id of any text.
fn slug(text: &str) -> String {
    let text = crate::text::fold(text);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-");
    if slug.is_empty() { "feed".into() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, id: &str) {
        let url = Url::parse(url).unwrap();
        assert_eq!(host_words(url.host_str().unwrap()), id, "{url}");
    }

    #[test]
    fn an_id_names_who_the_host_belongs_to() {
        check("https://www.education.gouv.fr/rss.xml", "education");
        check("https://www2.assemblee-nationale.fr/feeds", "assemblee-nationale");
        check("https://www.cert.ssi.gouv.fr/feed/", "cert-ssi");
        check("https://eduscol.education.fr/rss.xml", "eduscol-education");
        check("https://gouv.fr/", "gouv");
        check("http://127.0.0.1:8000/a.xml", "127-0-0-1");
        check("http://localhost/", "localhost");
        check("http://[::1]/", "1");
    }

    #[test]
    fn a_path_adds_what_is_its_own() {
        assert_eq!(path_words("/rss/textes.rss"), "textes");
        assert_eq!(path_words("/avis/feed/"), "avis");
        assert_eq!(path_words("/feeds/detail/ID_420120/(type)/instance"), "id-420120-type-instance");
    }
}
