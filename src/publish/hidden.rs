//! Private sources: their addresses, and the secrets in them, are taken out of everything that is published.
//!
//! A publisher repeats its feed's address where nobody expects it: as a link, in a text, in an enclosure. So each item is
//! looked through whole, and not only the places where we ourselves would write the address.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::feed::{Category, Enclosure, Image, Person};
use crate::publish::item::{Item, Link};
use crate::publish::{Credit, Edition, words};
use crate::state::{Monitored, Turn};
use crate::text;

/// An address in a text or in HTML.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?i)https?://[^\s"'<>`“”«»]+"#).expect("constant pattern"));

/// Marks around addresses, as HTML escapes them.
const ENDS: [&str; 7] = ["&quot;", "&#34;", "&#39;", "&apos;", "&lt;", "&gt;", "&nbsp;"];

/// Shortest value of a parameter that is looked for outside of addresses: shorter ones are in any text.
const SECRET_BYTES_MIN: usize = 6;

/// Addresses and secrets that no document may name.
#[derive(Debug, Clone, Default)]
pub struct Hidden {
    /// The addresses of private sources, as [`text::feed_key`] has them.
    addresses: HashSet<String>,
    /// The same without their queries, of those that hold a secret there.
    paths: HashSet<String>,
    /// Values of parameters of these addresses that look like secrets.
    secrets: Vec<String>,
}

impl Hidden {
    /// Gathers what private sources want hidden.
    #[must_use]
    pub fn of<'c>(credits: impl Iterator<Item = &'c Credit>) -> Self {
        let mut hidden = Self::default();
        for url in credits.flat_map(|credit| &credit.hidden) {
            hidden.addresses.insert(text::feed_key(url));
            if url.path() != "/" && text::secrets(url).next().is_some() {
                hidden.paths.insert(without_query(url.clone()));
            }
            let secrets = text::secrets(url).map(|(_, secret)| secret);
            // As they are, and as they stand in addresses.
            let both = secrets.flat_map(|secret| [byte_serialize(secret.as_bytes()).collect(), secret]);
            hidden.secrets.extend(both.filter(|secret| secret.len() >= SECRET_BYTES_MIN));
        }
        hidden.secrets.sort_unstable();
        hidden.secrets.dedup();
        hidden
    }

    fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// Returns an address that may be published: without parameters that hold what is hidden; `None` for one that may not.
    pub(super) fn url(&self, mut url: Url) -> Option<Url> {
        if self.is_empty() {
            return Some(url);
        }
        if self.is_address(&url) {
            return None;
        }
        if self.is_told_by(url.as_str()) || url.query_pairs().any(|(_, value)| self.is_told_by(&value)) {
            // Another page of the feed, or its address with something behind it.
            if self.paths.contains(&without_query(url.clone())) {
                return None;
            }
            let pairs = url.query_pairs().filter(|(_, value)| !self.is_told_by(value));
            let rest: Vec<(String, String)> =
                pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            url.set_query(None);
            if !rest.is_empty() {
                url.query_pairs_mut().extend_pairs(rest);
            }
        }
        (!self.is_told_by(url.as_str())).then_some(url)
    }

    fn is_address(&self, url: &Url) -> bool {
        self.addresses.contains(&text::feed_key(url))
    }

    /// Whether a part of an address holds a secret, or a hidden address, escaped or not: services that show other pages
    /// or feeds have their addresses in their own.
    fn is_told_by(&self, written: &str) -> bool {
        let plain = percent_encoding::percent_decode_str(written).decode_utf8_lossy();
        let holds = |secret: &String| written.contains(secret.as_str()) || plain.contains(secret.as_str());
        let inner = plain.match_indices("http").filter_map(|(at, _)| Url::parse(plain.get(at..)?).ok());
        self.secrets.iter().any(holds) || inner.into_iter().any(|inner| self.is_address(&inner))
    }

    /// Returns a text or HTML in which hidden addresses are their hosts only, and secrets dots.
    pub(super) fn text(&self, text: &str) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        let shown = ADDRESS.replace_all(text, |found: &regex::Captures<'_>| {
            let written = found.get(0).map_or("", |found| found.as_str());
            // A full stop may end the sentence or the address; a mark that HTML escapes ends it.
            let end = ENDS.iter().filter_map(|end| written.find(end)).min().unwrap_or(written.len());
            let bare =
                written.get(..end).unwrap_or(written).trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '}']);
            let rest = written.get(bare.len()..).unwrap_or_default();
            let shown = self.shown(bare);
            if shown == bare { self.shown(written) } else { shown + rest }
        });
        self.secrets.iter().fold(shown.into_owned(), |text, secret| text.replace(secret.as_str(), "…"))
    }

    /// Returns how an address of a text or of HTML is shown: of one that is hidden, its host only.
    fn shown(&self, written: &str) -> String {
        let plain = written.replace("&amp;", "&");
        let Ok(url) = Url::parse(&plain) else { return written.to_owned() };
        match self.url(url.clone()) {
            None => host(&url),
            Some(shown) if shown == url => written.to_owned(),
            Some(shown) if plain.len() < written.len() => shown.as_str().replace('&', "&amp;"),
            Some(shown) => shown.into(),
        }
    }

    /// Returns an Atom id that may be published: of one that is hidden, what [`super::id::published_id`] makes a hash of.
    pub(super) fn id<'i>(&self, id: &'i str) -> Cow<'i, str> {
        if self.is_empty() || self.text(id) == id { Cow::Borrowed(id) } else { Cow::Owned(format!("hidden {id}")) }
    }

    /// Returns a person without hidden addresses.
    pub(super) fn person(&self, person: Person) -> Person {
        let Person { name, email, uri } = person;
        Person { name: self.line(name), email: self.line(email), uri: self.line(uri) }
    }

    /// Returns an item without hidden addresses.
    pub(super) fn hide(&self, item: Item) -> Item {
        if self.is_empty() {
            return item;
        }
        let Item { title, url, authors, categories, summary, content, enclosures, mut comments, .. } = item;
        let Item { image, rights, elsewhere, related, via, mut source, .. } = item;
        comments.url = comments.url.and_then(|url| self.url(url));
        comments.feed = comments.feed.and_then(|url| self.url(url));
        source.title = self.text(&source.title);
        let category = |Category { term, scheme, label }| Category {
            term: self.text(&term),
            scheme: self.line(scheme),
            label: self.line(label),
        };
        let enclosure =
            |file: Enclosure| Some(Enclosure { url: self.url(file.url)?, title: self.line(file.title), ..file });
        Item {
            title: self.text(&title),
            url: url.and_then(|url| self.address(url)),
            authors: authors.into_iter().map(|person| self.person(person)).collect(),
            categories: categories.into_iter().map(category).collect(),
            summary: self.line(summary),
            content: self.line(content),
            enclosures: enclosures.into_iter().filter_map(enclosure).collect(),
            image: image.and_then(|image| self.image(image)),
            comments,
            rights: self.line(rights),
            elsewhere: elsewhere.into_iter().filter_map(|link| self.link(link)).collect(),
            related: related.into_iter().filter_map(|link| self.link(link)).collect(),
            via: via.and_then(|link| self.link(link)),
            source,
            ..item
        }
    }

    /// A picture that lacks a part of its address is none.
    fn image(&self, image: Image) -> Option<Image> {
        let is_shown = self.url(image.url.clone()).as_ref() == Some(&image.url);
        is_shown.then(|| Image { alt: self.line(image.alt), ..image })
    }

    fn line(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.text(&text))
    }

    fn link(&self, link: Link) -> Option<Link> {
        Some(Link { url: self.address(link.url)?, title: self.line(link.title), teller: self.line(link.teller) })
    }

    /// As [`Self::url`], of an address that is written already.
    fn address(&self, address: String) -> Option<String> {
        match Url::parse(&address).ok() {
            Some(url) => {
                let shown = self.url(url.clone())?;
                Some(if shown == url { address } else { shown.into() })
            }
            None => Some(self.text(&address)),
        }
    }
}

/// Returns why something changed, and in which language that is told; of a private source, without any path of an address.
pub(super) fn detail(edition: &Edition<'_>, turn: &Turn) -> Option<(String, &'static str)> {
    let (detail, tag) = words::words_in(edition.site.language).detail(turn)?;
    let is_private = match &turn.of {
        Monitored::Source(id) => edition.sources.get(id).is_some_and(Credit::is_private),
        Monitored::Hub(_) | Monitored::Config | Monitored::Machine(_) => false,
    };
    let detail = if is_private {
        let host_of = |found: &regex::Captures<'_>| {
            let written = found.get(0).map_or("", |found| found.as_str());
            Url::parse(written).map(|url| host(&url)).unwrap_or_default()
        };
        edition.hidden.text(&ADDRESS.replace_all(&detail, host_of))
    } else {
        edition.hidden.text(&detail)
    };
    Some((detail, tag))
}

fn without_query(mut url: Url) -> String {
    url.set_query(None);
    text::feed_key(&url)
}

/// Returns the address of a host, of all that is below it only that.
fn host(url: &Url) -> String {
    url.join("/").map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::newsroom::Newsroom;

    const ADDRESS: &str = "https://forge.example/prive/flux.atom?feed_token=geheim42&n=5";

    fn hidden() -> Hidden {
        let mut newsroom = Newsroom::new();
        let credit = newsroom.sources.get_mut("agence").unwrap();
        credit.hidden = vec![ADDRESS.parse().unwrap(), "https://neu.example/geheimer-weg/".parse().unwrap()];
        Hidden::of(newsroom.sources.values())
    }

    #[track_caller]
    fn check_url(url: &str, expected: &str) {
        let shown = hidden().url(url.parse().unwrap());
        assert_eq!(shown.map(String::from).unwrap_or_default(), expected);
    }

    #[test]
    fn an_address_is_hidden_however_it_is_written() {
        check_url(ADDRESS, "");
        check_url(&ADDRESS.replace("https", "http"), "");
        check_url(&format!("{ADDRESS}#top"), "");
        check_url(&format!("{ADDRESS}0&page=2"), "");
        check_url("http://neu.example/geheimer-weg", "");
        check_url("https://viewer.example/feed/https://neu.example/geheimer-weg", "");
    }

    #[test]
    fn other_addresses_lose_no_more_than_the_secret() {
        check_url("https://forge.example/prive/flux.atom", "https://forge.example/prive/flux.atom");
        check_url("https://forge.example/b?a=1&feed_token=geheim42", "https://forge.example/b?a=1");
        check_url(
            "https://viewer.example/?u=https%3A%2F%2Fneu.example%2Fgeheimer-weg&a=1",
            "https://viewer.example/?a=1",
        );
        check_url("https://forge.example/geheim42/a", "");
        check_url("https://neu.example/geheimer-weg/article", "https://neu.example/geheimer-weg/article");
    }

    #[track_caller]
    fn check_text(text: &str, expected: &str) {
        assert_eq!(hidden().text(text), expected);
    }

    #[test]
    fn texts_name_the_host_only() {
        let html = ADDRESS.replace('&', "&amp;");
        check_text(&format!("<a href=\"{html}\">flux</a>"), "<a href=\"https://forge.example/\">flux</a>");
        check_text(&format!("Voir ({ADDRESS})."), "Voir (https://forge.example/).");
        check_text("See https://neu.example/geheimer-weg.", "See https://neu.example/.");
        check_text("&quot;https://neu.example/geheimer-weg&quot;, oui", "&quot;https://neu.example/&quot;, oui");
        check_text("Le jeton est geheim42, oui", "Le jeton est …, oui");
        check_text(
            "<a href=\"https://a.example/?x=1&amp;y=2\">a</a>",
            "<a href=\"https://a.example/?x=1&amp;y=2\">a</a>",
        );
        check_text(
            "<a href=\"https://a.example/?t=geheim42&amp;x=1&amp;y=2\">",
            "<a href=\"https://a.example/?x=1&amp;y=2\">",
        );
    }

    #[test]
    fn without_private_sources_nothing_changes() {
        let newsroom = Newsroom::new();
        let hidden = Hidden::of(newsroom.sources.values());
        assert_eq!(hidden.text(ADDRESS), ADDRESS);
        assert_eq!(hidden.url(ADDRESS.parse().unwrap()).unwrap().as_str(), ADDRESS);
    }
}
