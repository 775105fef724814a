//! Boilerplate in sanitised HTML: its text goes, and with it the elements that hold nothing else.

use std::borrow::Cow;

use super::{SUSPECT, tail, without_boilerplate};
use crate::text::tags::{Kind, TagSpan, tags};

/// Bytes at the end of a text in which boilerplate is suspected, with the addresses of its links.
const SUSPECT_MAX: usize = 2_048;

/// Elements that part no words.
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "samp",
    "small", "span", "strong", "sub", "sup", "u", "var",
];

/// Elements that are kept behind boilerplate: they show something.
const SHOWN: [&str; 9] = ["audio", "iframe", "img", "math", "object", "picture", "svg", "table", "video"];

/// Returns sanitised HTML without the boilerplate that it ends with; `title` is the plain title of its entry, or empty.
#[must_use]
pub fn without_boilerplate_in_html<'a>(html: &'a str, title: &str) -> Cow<'a, str> {
    if !html.get(tail(html, SUSPECT_MAX)..).is_some_and(|html| SUSPECT.is_match(html)) {
        return Cow::Borrowed(html);
    }
    let (text, places) = read(html);
    let kept = without_boilerplate(&text, title);
    if kept.len() == text.len() || kept.len() == text.trim_end().len() {
        return Cow::Borrowed(html);
    }
    // The first character that goes, blanks left out.
    let first = kept.len() + text.get(kept.len()..).map_or(0, |gone| gone.len() - gone.trim_start().len());
    match places.get(first).and_then(|cut| without_tail(html, *cut)) {
        Some(kept) => Cow::Owned(kept),
        None => Cow::Borrowed(html),
    }
}

/// The text of HTML, runs of blanks as one, and for each of its bytes the place of its character in the HTML.
fn read(html: &str) -> (String, Vec<usize>) {
    let (mut text, mut places) = (String::with_capacity(html.len()), Vec::with_capacity(html.len()));
    let mut push = |c: char, place: usize| {
        let c = if c.is_whitespace() { ' ' } else { c };
        if c != ' ' || !text.ends_with(' ') {
            text.push(c);
            places.resize(text.len(), place);
        }
    };
    for TagSpan { kind, start, end } in tags(html) {
        match kind {
            Kind::Text => {
                let mut at = start;
                while let Some(rest) = html.get(at..end).filter(|rest| !rest.is_empty()) {
                    let mut references = REFERENCES.iter().filter(|_| rest.starts_with('&'));
                    let reference = references.find(|(reference, _)| rest.starts_with(reference));
                    let one = || rest.chars().next().map(|c| (c, c.len_utf8()));
                    let Some((c, length)) = reference.map(|(name, c)| (*c, name.len())).or_else(one) else { break };
                    push(c, at);
                    at += length;
                }
            }
            Kind::Open(name) | Kind::Void(name) | Kind::Close(name) if !INLINE.contains(&name) => push(' ', start),
            Kind::Open(_) | Kind::Void(_) | Kind::Close(_) => {}
        }
    }
    (text, places)
}

/// The character references that our sanitiser writes.
const REFERENCES: [(&str, char); 5] = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&nbsp;", ' '), ("&quot;", '"')];

/// HTML without the text from `cut` on, and without elements that hold nothing else; `None` if that would take away what
/// shows something.
fn without_tail(html: &str, cut: usize) -> Option<String> {
    let tags: Vec<TagSpan<'_>> = tags(html).collect();
    let is_blank = |start: usize, end: usize| html.get(start..end).is_some_and(|text| text.trim().is_empty());
    // From the cut back over what begins right before it.
    let first = tags.iter().position(|tag| tag.end > cut)?;
    let (mut from, mut place) = (cut, first);
    if tags.get(first).is_some_and(|tag| is_blank(tag.start, cut)) {
        while let Some(tag) = place.checked_sub(1).and_then(|before| tags.get(before)) {
            let begins = match tag.kind {
                Kind::Open(name) | Kind::Void(name) => !SHOWN.contains(&name),
                Kind::Text => is_blank(tag.start, tag.end),
                Kind::Close(_) => false,
            };
            if !begins {
                break;
            }
            (from, place) = (tag.start, place - 1);
        }
    }
    let mut kept = html.get(..from)?.trim_end().to_owned();
    let mut depth = 0_usize;
    for tag in tags.get(place..)? {
        let source = html.get(tag.start..tag.end)?;
        match tag.kind {
            Kind::Open(name) if SHOWN.contains(&name) => return None,
            Kind::Open(_) => depth += 1,
            // The end tag of an element that began before the cut.
            Kind::Close(_) if depth == 0 => kept.push_str(source),
            Kind::Close(_) => depth -= 1,
            Kind::Void("img") => kept.push_str(source),
            Kind::Void(_) | Kind::Text => {}
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(without_boilerplate_in_html(html, "Le plan & vélo"), expected, "{html}");
    }

    #[test]
    fn the_last_paragraph_goes_with_its_links() {
        check(
            "<p>Un texte.</p>\n<p>L’article <a href=\"https://a.example/1?a=1&amp;b=2\">Le plan &amp; vélo</a> est apparu en \
             premier sur <a href=\"https://a.example\">Mairie</a>.</p>\n",
            "<p>Un texte.</p>",
        );
        check(
            "<div><p>Un texte.</p><p><a href=\"/1\">Lire la suite de <b>Le plan &amp; vélo</b></a></p></div>",
            "<div><p>Un texte.</p></div>",
        );
    }

    #[test]
    fn a_link_at_the_end_of_a_paragraph_goes_alone() {
        check("<p>Un texte… <a href=\"/1\">Lire la suite</a></p>", "<p>Un texte…</p>");
        check("<p>Un texte<br>\n[<a href=\"/1\">Read more</a>]</p>", "<p>Un texte</p>");
        check("Un texte. Read more →", "Un texte.");
    }

    #[test]
    fn what_shows_something_stays() {
        check(
            "<p>Un texte. <a href=\"/1\">Lire la suite</a></p><img src=\"/a.png\">",
            "<p>Un texte.</p><img src=\"/a.png\">",
        );
        let video = "<p>Un texte. <a href=\"/1\">Lire la suite</a></p><video src=\"/a.mp4\"></video>";
        check(video, video);
    }

    #[test]
    fn a_text_of_boilerplate_alone_is_nothing() {
        check("<p><a href=\"/1\">Lire la suite</a></p>", "");
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for html in
            ["<p>Pour lire la suite,  lisez.</p> ", "<p title=\"a > b\">Un texte</p>", "", "<p>Lire", "<", "a < b"]
        {
            check(html, html);
        }
    }
}
