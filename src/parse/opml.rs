//! Lists of feeds that other readers export (OPML 1.0 and 2.0), well-formed or not.
//!
//! Not followed: lists that a list names (`type="include"`). Nobody chose their feeds, and they may form a circle.

use url::Url;

use super::xml::{self, Element};
use super::{Limits, decode};
use crate::text::{fold, one_line, web_address};

/// A feed of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpmlFeed {
    /// Its address.
    pub url: Url,
    /// Plain text.
    pub title: Option<String>,
    /// Its categories (OPML 2.0 `category`), then the folders that it lies in, outermost first; none twice.
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
            if let Some(url) = web_address(address) {
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
    let mut tags = categories(outline.attribute("category").unwrap_or_default());
    for folder in folders.iter().map(|folder| one_line(folder)).filter(|folder| !folder.is_empty()) {
        if !tags.iter().any(|tag| fold(tag) == fold(&folder)) {
            tags.push(folder);
        }
    }
    tags
}

/// Reads the members of a `category`, parted by commas; what stands between quotation marks is a member as it is.
fn categories(list: &str) -> Vec<String> {
    let mut categories = Vec::new();
    let mut rest = list.trim_start();
    while !rest.is_empty() {
        let (category, after) = quoted(rest).unwrap_or_else(|| {
            let (member, after) = rest.split_once(',').unwrap_or((rest, ""));
            (one_line(member.trim().trim_matches('/')), after)
        });
        if !category.is_empty() && !categories.contains(&category) {
            categories.push(category);
        }
        rest = after.trim_start();
    }
    categories
}

/// Reads a member between quotation marks, doubled ones within it standing for one (RFC 4180 §2), as we export it.
fn quoted(list: &str) -> Option<(String, &str)> {
    let mut member = String::new();
    let mut rest = list.strip_prefix('"')?;
    loop {
        let (text, after) = rest.split_once('"')?;
        member.push_str(text);
        if let Some(after) = after.strip_prefix('"') {
            member.push('"');
            rest = after;
        } else {
            let after = after.trim_start();
            return if after.is_empty() { Some((member, "")) } else { Some((member, after.strip_prefix(',')?)) };
        }
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
    fn folders_follow_the_categories() {
        check(
            "<outline text='Veille'><outline text='Droit'><outline text='A' category='presse' xmlUrl='https://a.example/'/>\
             </outline></outline>",
            &["https://a.example/ A \"presse Veille Droit\""],
        );
    }

    #[test]
    fn a_category_between_quotation_marks_may_hold_what_parts_others() {
        let read = |list: &str| categories(list).join("|");
        assert_eq!(
            read(r#"presse,"Paris, Lyon","/a/", "il dit ""non""",x/y"#),
            r#"presse|Paris, Lyon|/a/|il dit "non"|x/y"#
        );
        assert_eq!(read(r#""a" b,"c,d"#), r#""a" b|"c|d"#);
        assert_eq!(read(",, /a/ ,,a"), "a");
    }

    #[test]
    fn addresses_of_feeds_are_addresses_of_the_web() {
        check(
            "<outline text='A' xmlUrl='feed://a.example/'/><outline text='B' xmlUrl='feed:https://b.example/'/>",
            &["http://a.example/ A \"\"", "https://b.example/ B \"\""],
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
