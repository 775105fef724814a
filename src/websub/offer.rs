//! Discovery (§4): the hubs and the topic that a feed names, in its document or in `Link` headers (RFC 8288 §3).

use serde::{Deserialize, Serialize};
use url::Url;

/// Hubs of one feed that are considered.
const HUBS_MAX: usize = 4;

/// Links that are read from the headers of one answer.
const LINKS_MAX: usize = 64;

/// Longest `Link` header that is read.
const HEADER_BYTES_MAX: usize = 8 << 10;

/// Longest address of a hub or topic.
const ADDRESS_BYTES_MAX: usize = 2048;

/// A topic, and the hubs that tell of its changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubOffer {
    /// The address that the feed gives itself (`rel="self"`).
    pub topic: Url,
    /// The hubs (`rel="hub"`), those with https first; never empty.
    pub hubs: Vec<Url>,
}

impl HubOffer {
    /// Makes an offer of a feed's own address and its hubs; `None` if either is missing.
    #[must_use]
    pub fn new(topic: Option<Url>, hubs: impl IntoIterator<Item = Url>) -> Option<Self> {
        let mut topic = topic.filter(is_address)?;
        topic.set_fragment(None);
        let mut distinct: Vec<Url> = Vec::new();
        for hub in hubs.into_iter().filter(is_address) {
            if distinct.len() < HUBS_MAX && !distinct.contains(&hub) {
                distinct.push(hub);
            }
        }
        // §8.2: subscribers favour hubs with https.
        distinct.sort_by_key(|hub| hub.scheme() != "https");
        (!distinct.is_empty()).then_some(Self { topic, hubs: distinct })
    }
}

fn is_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.as_str().len() <= ADDRESS_BYTES_MAX
}

/// Reads the offer of `Link` headers; `None` if they name no hub or no topic. Relative addresses refer to `base`.
#[must_use]
pub fn linked_offer<'v>(values: impl IntoIterator<Item = &'v str>, base: &Url) -> Option<HubOffer> {
    let (mut topic, mut hubs) = (None, Vec::new());
    let values = values.into_iter().filter(|value| value.len() <= HEADER_BYTES_MAX);
    for HeaderLink { target, rels } in values.flat_map(links).take(LINKS_MAX) {
        let Ok(url) = base.join(&target) else { continue };
        if rels.iter().any(|rel| rel == "self") {
            topic.get_or_insert_with(|| url.clone());
        }
        if rels.iter().any(|rel| rel == "hub") {
            hubs.push(url);
        }
    }
    HubOffer::new(topic, hubs)
}

/// Writes a `Link` header that names hubs and a topic (§7).
#[must_use]
pub fn link_value<'h>(hubs: impl IntoIterator<Item = &'h str>, topic: &str) -> String {
    let hubs = hubs.into_iter().map(|hub| format!("<{hub}>; rel=\"hub\""));
    hubs.chain([format!("<{topic}>; rel=\"self\"")]).collect::<Vec<_>>().join(", ")
}

/// One link of a header.
struct HeaderLink {
    target: String,
    /// In lower case.
    rels: Vec<String>,
}

/// Reads the links of one header; what cannot be read ends it.
fn links(value: &str) -> Vec<HeaderLink> {
    let mut links = Vec::new();
    let mut rest = value;
    while let Some((_, opened)) = rest.split_once('<') {
        let Some((target, parameters)) = opened.split_once('>') else { break };
        let end = end_of_link(parameters);
        let (own, others) = parameters.split_at(end);
        let parameters = parameters_of(own);
        let of = |name: &str| parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        // A link with an anchor is about something else.
        if of("anchor").is_none() {
            let rels = of("rel").unwrap_or_default().split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
            links.push(HeaderLink { target: target.trim().to_owned(), rels });
        }
        rest = others;
        if links.len() >= LINKS_MAX {
            break;
        }
    }
    links
}

/// The place of the comma that ends a link, outside quotes.
fn end_of_link(parameters: &str) -> usize {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in parameters.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => return at,
            _ => {}
        }
    }
    parameters.len()
}

/// The parameters of a link, names in lower case, values without quotes.
fn parameters_of(text: &str) -> Vec<(String, String)> {
    let (mut parts, mut part, mut is_quoted) = (Vec::new(), String::new(), false);
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => parts.push(std::mem::take(&mut part)),
            character => part.push(character),
        }
    }
    parts.push(part);
    let named = |part: &String| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    parts.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(headers: &[&str], expected: Option<(&str, &[&str])>) {
        let base = Url::parse("https://site.example/feeds/all").unwrap();
        let found = linked_offer(headers.iter().copied(), &base);
        let found = found.map(|offer| (offer.topic.to_string(), offer.hubs.iter().map(Url::to_string).collect()));
        let expected: Option<(String, Vec<String>)> =
            expected.map(|(topic, hubs)| (topic.to_owned(), hubs.iter().map(|hub| (*hub).to_owned()).collect()));
        assert_eq!(found, expected, "{headers:?}");
    }

    const HUB: &[&str] = &["https://hub.example/"];

    #[test]
    fn one_header_or_several_name_the_same() {
        check(
            &["<https://hub.example/>; rel=\"hub\"", "<https://site.example/feed>; rel=\"self\""],
            Some(("https://site.example/feed", HUB)),
        );
        check(
            &["<https://hub.example/>; rel=hub, </feed>; REL=\"Self\"; type=\"a,b;c\""],
            Some(("https://site.example/feed", HUB)),
        );
        check(
            &["<all>; rel=\"hub self\""],
            Some(("https://site.example/feeds/all", &["https://site.example/feeds/all"])),
        );
    }

    #[test]
    fn a_hub_without_a_topic_or_a_topic_without_a_hub_is_no_offer() {
        check(&["<https://hub.example/>; rel=hub"], None);
        check(&["</feed>; rel=self"], None);
        check(&["</feed>; rel=self, <javascript:1>; rel=hub"], None);
    }

    #[test]
    fn a_link_about_something_else_does_not_count() {
        check(&["<https://hub.example/>; rel=hub; anchor=\"/other\", </feed>; rel=self"], None);
    }

    #[test]
    fn hubs_with_https_come_first_and_none_twice() {
        check(
            &[
                "<http://a.example/>; rel=hub, <https://b.example/>; rel=hub, <http://a.example/>; rel=hub, </f>; rel=self",
            ],
            Some(("https://site.example/f", &["https://b.example/", "http://a.example/"])),
        );
    }

    #[test]
    fn broken_headers_name_what_can_be_read() {
        for broken in ["", "<", "<a", "<a>; rel=\"hub", ";;;,,,", "<<>>; rel", "<a>;rel=hub;\"\\", "\u{1F600}<é>;rel=é"]
        {
            check(&[broken], None);
        }
        let many = "</h>; rel=hub,".repeat(1000);
        check(&[&many, "</f>; rel=self"], None);
    }

    #[test]
    fn our_own_header_is_read_back() {
        let value = link_value(["https://hub.example/"], "https://site.example/feed");
        check(&[&value], Some(("https://site.example/feed", HUB)));
    }
}
