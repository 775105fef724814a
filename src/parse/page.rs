//! A web page read as an entry: what it is called, and its article, else all its text.

use url::Url;

use super::{article, decode};
use crate::feed::Entry;
use crate::text::html_to_text;

/// Reads a page as an entry with its title and its article; where none can be told, with all its text, menus and all.
///
/// Cannot fail: any bytes are some text.
#[must_use]
pub fn page(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Entry {
    let (html, _) = decode::decode(bytes, content_type);
    let (head, body) = split_body(&html);
    Entry {
        title: title(head).map(html_to_text).filter(|title| !title.is_empty()),
        url: Some(url.clone()),
        content: Some(article(bytes, content_type, url).unwrap_or_else(|_| body.to_owned())),
        ..Entry::default()
    }
}

/// Parts a page where its body begins; one without has no head.
fn split_body(html: &str) -> (&str, &str) {
    let body = find(html, "<body").unwrap_or_default();
    html.split_at_checked(body).filter(|(head, _)| !head.is_empty()).unwrap_or((html, html))
}

fn title(head: &str) -> Option<&str> {
    let after = head.get(find(head, "<title")?..)?.split_once('>')?.1;
    after.get(..find(after, "</title")?)
}

/// Returns the first place of `tag`, in upper or lower case.
fn find(html: &str, tag: &str) -> Option<usize> {
    html.as_bytes().windows(tag.len()).position(|window| window.eq_ignore_ascii_case(tag.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, title: Option<&str>, text: &str) {
        let entry = page(html.as_bytes(), Some("text/html"), &Url::parse("https://a.example/").unwrap());
        assert_eq!((entry.title.as_deref(), &*html_to_text(&entry.content.unwrap())), (title, text), "{html}");
    }

    #[test]
    fn a_page_has_a_title_and_a_text() {
        let html = "<html><head><TITLE lang=fr>L&rsquo;école</title><style>p {}</style></head><Body><p>Un texte.</p>";
        check(html, Some("L’école"), "Un texte.");
    }

    #[test]
    fn a_page_without_head_is_all_text() {
        check("<p>Un <b>texte</b>", None, "Un texte");
        check("", None, "");
    }
}
