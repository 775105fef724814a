//! Lists of feeds that other readers export (OPML 1.0 and 2.0), well-formed or not.

use url::Url;

use super::xml::{self, Element};
use super::{Limits, decode};
use crate::text::one_line;

/// A feed of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpmlFeed {
    /// Where it is.
    pub url: Url,
    /// Plain text.
    pub title: Option<String>,
    /// Its categories (OPML 2.0 `category`), else the folders that it lies in, outermost first.
    pub tags: Vec<String>,
}

/// A list that was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outlines {
    /// In document order.
    pub feeds: Vec<OpmlFeed>,
    /// Addresses that are none of the web.
    pub odd: Vec<String>,
}

/// Reads the feeds of a list; `None` if the document is no OPML.
#[must_use]
pub fn outlines(bytes: &[u8]) -> Option<Outlines> {
    let (text, _) = decode::decode(bytes, None);
    let tree = xml::read(&text, &Limits::default());
    let opml = named(&tree.top, "opml")?;
    let mut found = Outlines::default();
    collect(named(opml, "body")?, &mut Vec::new(), &mut found);
    Some(found)
}

fn named<'t, 'a>(element: &'t Element<'a>, name: &str) -> Option<&'t Element<'a>> {
    element.elements().find(|child| child.name == name)
}

fn collect<'t>(element: &'t Element<'_>, folders: &mut Vec<&'t str>, found: &mut Outlines) {
    for outline in element.elements().filter(|child| child.name == "outline") {
        let title = outline.attribute("title").or_else(|| outline.attribute("text"));
        if let Some(address) = outline.attribute("xmlurl") {
            let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            if let Some(url) = url {
                found.feeds.push(OpmlFeed { url, title: title.map(one_line), tags: tags(outline, folders) });
            } else {
                found.odd.push(address.to_owned());
            }
        }
        let is_folder = outline.attribute("xmlurl").is_none();
        folders.extend(title.filter(|_| is_folder));
        collect(outline, folders, found);
        folders.truncate(folders.len() - usize::from(is_folder && title.is_some()));
    }
}

fn tags(outline: &Element<'_>, folders: &[&str]) -> Vec<String> {
    let clean = |tag: &str| Some(one_line(tag.trim().trim_matches('/'))).filter(|tag| !tag.is_empty());
    match outline.attribute("category") {
        Some(categories) => categories.split(',').filter_map(clean).collect(),
        None => folders.iter().copied().filter_map(clean).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what is read, as `url title [tags]`.
    fn check(body: &str, expected: &[&str]) {
        let found = outlines(format!("<opml version=\"2.0\"><head/><body>{body}</body></opml>").as_bytes()).unwrap();
        let shown = found.feeds.iter().map(|feed| {
            format!("{} {} {:?}", feed.url, feed.title.as_deref().unwrap_or_default(), feed.tags.join(" "))
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn folders_are_tags() {
        check(
            "<outline text='Presse'><outline text='École'><outline type='rss' text='A' xmlUrl='https://a.example/rss'/>\
             </outline></outline><outline text='B &amp; C' xmlUrl='https://b.example/rss'/>",
            &["https://a.example/rss A \"Presse École\"", "https://b.example/rss B & C \"\""],
        );
    }

    #[test]
    fn categories_go_before_folders() {
        check(
            "<outline text='Presse'><outline title='A' category='/presse,/école' xmlUrl='https://a.example/'/></outline>",
            &["https://a.example/ A \"presse école\""],
        );
    }

    #[test]
    fn what_is_no_web_address_is_told() {
        let found = outlines(b"<opml><body><outline xmlUrl='feed:x'/><outline text='t'/></body></opml>").unwrap();
        assert_eq!((found.feeds.len(), found.odd), (0, vec!["feed:x".to_owned()]));
    }

    #[test]
    fn other_documents_are_no_lists() {
        assert_eq!(outlines(b"<rss/>"), None);
        assert_eq!(outlines(b"\xff\xfe"), None);
    }

    #[test]
    fn a_list_that_breaks_off_is_read_as_far_as_it_goes() {
        let found = outlines(b"<opml><body><outline text='x'><outline text='a' xmlUrl='https://a.example/'/>").unwrap();
        assert_eq!(found.feeds.len(), 1);
    }
}
