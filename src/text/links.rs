//! The `link` elements of a page: where it says that it can be read otherwise (HTML §4.6.7.1, "alternate").

use std::cell::RefCell;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::without_feed_scheme;

/// An element `link rel="alternate"`, or a link with the scheme `feed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alternate {
    /// As written.
    pub href: String,
    /// `type`, in lower case, without parameters.
    pub media_type: String,
    /// For people.
    pub title: Option<String>,
}

/// The alternates of a page, and what relative addresses in it refer to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Alternates {
    /// `base href`, as written.
    pub base: Option<String>,
    /// In document order.
    pub links: Vec<Alternate>,
}

/// Finds the alternates of a page, well-formed or not.
#[must_use]
pub fn alternates(html: &str) -> Alternates {
    let tokenizer = Tokenizer::new(Links::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    // The tokeniser stops only for a script that the sink asks it to run; ours never does.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Links(RefCell<Alternates>);

impl TokenSink for Links {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && tag.kind == TagKind::StartTag
        {
            let mut found = self.0.borrow_mut();
            match &*tag.name {
                "base" if found.base.is_none() => found.base = attribute(&tag, "href"),
                "link" => found.links.extend(alternate(&tag)),
                "a" => found.links.extend(handed_over(&tag)),
                _ => {}
            }
        }
        TokenSinkResult::Continue
    }
}

fn alternate(tag: &Tag) -> Option<Alternate> {
    let rel = attribute(tag, "rel")?.to_lowercase();
    let media_type = attribute(tag, "type")?.to_lowercase();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
    let is_alternate = rel.split_whitespace().any(|word| word == "alternate");
    let link = Alternate { href: attribute(tag, "href")?, media_type, title: attribute(tag, "title") };
    is_alternate.then_some(link)
}

/// A link with the scheme `feed` is meant for readers, whatever stands around it; which format it has, nobody says.
fn handed_over(tag: &Tag) -> Option<Alternate> {
    let href = attribute(tag, "href").filter(|href| without_feed_scheme(href).is_some())?;
    Some(Alternate { href, media_type: "application/rss+xml".to_owned(), title: attribute(tag, "title") })
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name)?;
    let value = found.value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, hrefs: &[&str]) {
        let found = alternates(html);
        assert_eq!(found.links.iter().map(|link| link.href.as_str()).collect::<Vec<_>>(), hrefs, "{html}");
    }

    #[test]
    fn alternates_are_found_however_they_are_written() {
        check("<link rel=alternate type=application/rss+xml href=/feed>", &["/feed"]);
        check(
            "<LINK REL='Alternate home' TYPE='Application/Atom+XML; charset=utf-8' HREF=' /a?b&amp;c '/>",
            &["/a?b&c"],
        );
        check("<div><p><link rel=alternate type=text/xml href=x>", &["x"]);
    }

    #[test]
    fn links_that_browsers_hand_to_readers_are_alternates() {
        check(
            "<a href='feed://a.example/rss'>RSS</a><a href=FEED:https://b.example/>",
            &["feed://a.example/rss", "FEED:https://b.example/"],
        );
        check("<a href=/rss>RSS</a><a href=feed:>", &[]);
    }

    #[test]
    fn other_links_are_not() {
        check(
            "<link rel=stylesheet type=text/css href=a><link rel=alternate hreflang=en href=b><link type=c href=d>",
            &[],
        );
        check("<!-- <link rel=alternate type=text/xml href=x> -->", &[]);
        check("<link rel=alternate type=text/xml href=''>", &[]);
    }

    #[test]
    fn the_first_base_counts() {
        assert_eq!(alternates("<base href=/a/><base href=/b/>").base.as_deref(), Some("/a/"));
    }
}
