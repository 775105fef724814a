//! `[[feed]]`: the sources and their ids.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::findings::Findings;
use super::keys::Source;
use super::nearest::unknown;
use super::section::Section;
use super::table::{Key, KeyType};
use super::tree::Literal;
use super::values::read_texts;
use crate::text::secrets;

/// A part of addresses; [`unique`] notes its mistakes.
pub(super) const ID: KeyType<String> =
    KeyType::new("made of `a` to `z`, `0` to `9` and `-`, at most 64 of them", |literal, _, _| {
        literal.text().map(str::to_owned)
    });
pub(super) const TOPICS: KeyType<Vec<String>> = KeyType::new("a list of topics by id: `[\"laicite\"]`", topics);

/// Reads all sources, and notes the ids of all.
pub(super) fn read_sources(sections: &[Section<'_>], found: &mut Findings<'_>) -> Vec<Source> {
    let ids = ids(sections, found);
    unique_urls(sections, found);
    found.source_ids.clone_from(&ids);
    let source = |(section, id)| {
        let source = Source { id, ..Source::read(section, found)? };
        warn_of_secrets(&source, section, found);
        Some(source)
    };
    let mut sources: Vec<Source> = sections.iter().zip(ids).filter_map(source).collect();
    sources.shrink_to_fit();
    sources
}

fn topics(literal: &Literal, key: &Key, found: &mut Findings<'_>) -> Option<Vec<String>> {
    let topics = read_texts(literal, key, found)?;
    for (topic, literal) in topics.iter().filter(|(topic, _)| !found.topic_ids.iter().any(|id| id == topic)) {
        let known = found.topic_ids.iter().map(String::as_str);
        unknown(&literal.span, "topic", topic, known, &mut found.problems);
    }
    Some(topics.into_iter().map(|(topic, _)| topic.to_owned()).collect())
}

/// A secret in an address is one no more once `sources.opml` and `atom:source` show it.
fn warn_of_secrets(source: &Source, section: &Section<'_>, found: &mut Findings<'_>) {
    if let (false, Some((name, _)), Some(literal)) =
        (source.private, secrets(&source.url).next(), section.literal("url"))
    {
        let message = format!("`{name}` in this address looks like a secret, and addresses of feeds are published");
        found.warning(&literal.span, message).help("write `private = true` in this feed, and its address is not");
    }
}

fn unique_urls(sections: &[Section<'_>], found: &mut Findings<'_>) {
    let mut seen: HashMap<Url, &Literal> = HashMap::new();
    for literal in sections.iter().filter_map(|section| section.literal("url")) {
        let Some(mut url) = address(literal) else { continue };
        url.set_fragment(None);
        if let Some(first) = seen.get(&url) {
            let error = found.error(&literal.span, "this feed is listed twice");
            error.also(first.span.clone(), "first here").help("take one of them out");
        } else {
            seen.insert(url, literal);
        }
    }
}

fn address(literal: &Literal) -> Option<Url> {
    Url::parse(literal.text()?.trim()).ok()
}

/// Returns the id of each source: the one written, else one derived from its address.
fn ids(sections: &[Section<'_>], found: &mut Findings<'_>) -> Vec<String> {
    unique(sections, found);
    let mut taken: HashSet<String> = sections.iter().filter_map(Section::id).collect();
    let mut ids = Vec::new();
    for section in sections {
        let id = match (section.literal("id"), section.literal("url")) {
            (Some(_), _) => section.id(),
            (None, Some(url)) => address(url).map(|address| derived_id(&address, &url.span, &taken, found)),
            (None, None) => None,
        };
        let id = id.unwrap_or_default();
        taken.insert(id.clone());
        ids.push(id);
    }
    ids
}

/// Notes the ids that cannot be ids, and those that are written twice.
pub(super) fn unique(sections: &[Section<'_>], found: &mut Findings<'_>) {
    let mut written: HashMap<&str, &Literal> = HashMap::new();
    for literal in sections.iter().filter_map(|section| section.literal("id")) {
        let Some(id) = literal.text() else {
            found.error(&literal.span, "`id` must be a text in quotes");
            continue;
        };
        if !is_id(id) {
            let error = found.error(&literal.span, format!("`id` must be {}", ID.wanted));
            error.help(format!("write `{}`", slug(id)));
        }
        if let Some(first) = written.get(id) {
            let error = found.error(&literal.span, format!("the id `{id}` is used twice"));
            error.also(first.span.clone(), "first here").help("give one of them another id");
        } else {
            written.insert(id, literal);
        }
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

/// Derives an id, and warns if another feed has taken the short one: then only the order of the two decides which has it.
fn derived_id(url: &Url, span: &Range<usize>, taken: &HashSet<String>, found: &mut Findings<'_>) -> String {
    let (id, host) = (id_for(url, taken), host_words(url.host_str().unwrap_or_default()));
    if id != host {
        let warning = found.warning(span, format!("another feed is called `{host}` already, so this one is `{id}`"));
        warning.help(format!("write `id = \"{id}\"`, so that it keeps its history if the other one goes"));
    }
    id
}

/// The part of a host that names its owner.
fn host_words(host: &str) -> String {
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
        return slug(host);
    }
    let mut labels: Vec<&str> = host.split('.').filter(|label| !label.is_empty()).collect();
    // The top level, then a common level below it.
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

/// The words of a path without those that most paths of feeds have.
fn path_words(path: &str) -> String {
    let common = ["rss", "feed", "feeds", "flux", "xml", "atom", "php", "spip", "index", "fr", "detail"];
    let slug = slug(path);
    slug.split('-').filter(|word| !common.contains(word)).collect::<Vec<_>>().join("-")
}

fn cut(id: &str) -> String {
    id.chars().take(48).collect::<String>().trim_matches('-').to_owned()
}

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
    fn an_id_names_the_owner_of_the_host() {
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
    fn a_path_adds_its_own_words() {
        assert_eq!(path_words("/rss/textes.rss"), "textes");
        assert_eq!(path_words("/avis/feed/"), "avis");
        assert_eq!(path_words("/feeds/detail/ID_420120/(type)/instance"), "id-420120-type-instance");
    }
}
