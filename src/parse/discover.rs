//! The feeds that a page names.

use url::Url;

use super::decode;
use crate::text::{alternates, one_line, without_feed_scheme};

/// Media types of feeds. Not `application/json`, which many pages name for other things.
const FEEDS: [&str; 6] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/xml",
    "text/xml",
];

/// A feed that a page names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its address.
    pub url: Url,
    /// The name that the page gives it.
    pub title: Option<String>,
}

/// Returns the feeds that a page names, in its order, each once. `base` is the page's address.
#[must_use]
pub fn discover(bytes: &[u8], content_type: Option<&str>, base: &Url) -> Vec<Candidate> {
    let (text, _) = decode::decode(bytes, content_type);
    let found = alternates(&text);
    let base = found.base.and_then(|written| base.join(&written).ok()).unwrap_or_else(|| base.clone());
    let mut candidates: Vec<Candidate> = Vec::new();
    for link in found.links.into_iter().filter(|link| FEEDS.contains(&link.media_type.as_str())) {
        let href = without_feed_scheme(&link.href).unwrap_or(&link.href);
        let Ok(mut url) = base.join(href) else { continue };
        url.set_fragment(None);
        let is_new = candidates.iter().all(|known| known.url != url);
        if is_new && matches!(url.scheme(), "http" | "https") {
            candidates.push(Candidate { url, title: link.title.map(|title| one_line(&title)) });
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, urls: &[&str]) {
        let base = Url::parse("https://site.example/pages/accueil.html").unwrap();
        let found = discover(html.as_bytes(), Some("text/html; charset=utf-8"), &base);
        assert_eq!(found.iter().map(|candidate| candidate.url.as_str()).collect::<Vec<_>>(), urls);
    }

    #[test]
    fn feeds_are_found_in_order_and_once() {
        check(
            "<link rel=alternate type=application/rss+xml href=/rss title=Actualités>\
             <link rel=alternate type=application/json href=/wp-json>\
             <link rel=alternate type=application/atom+xml href=atom.xml>\
             <link rel=alternate type=application/rss+xml href=/rss#top>\
             <link rel=alternate type=text/xml href=feed:x>",
            &["https://site.example/rss", "https://site.example/pages/atom.xml"],
        );
    }

    #[test]
    fn the_scheme_of_feeds_stands_for_that_of_the_page() {
        check(
            "<link rel=alternate type=application/rss+xml href='feed://site.example/rss'>\
             <link rel=alternate type=application/atom+xml href='feed:http://site.example/atom'>\
             <link rel=alternate type=application/atom+xml href='feed:https://site.example/rss'>",
            &["https://site.example/rss", "http://site.example/atom"],
        );
    }

    #[test]
    fn the_base_of_the_page_counts() {
        check(
            "<base href=//cdn.example/><link rel=alternate type=application/rss+xml href=rss>",
            &["https://cdn.example/rss"],
        );
    }
}
