//! CDATA sections that were escaped with the rest of the text: their marks are text, and nobody means them (XML §2.7).

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::entity;

/// The marks of a section. XML knows them in capitals only; whoever escaped them did not know XML.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)<!\[CDATA\[|\]\]>").expect("constant pattern"));

const END: &str = "]]>";

/// Returns `text` without the marks of sections in it; what stands between them is kept as it is.
///
/// A mark without its partner belongs to a section only at the end of the text that it would be: anywhere else the text
/// talks about it.
pub(super) fn unwrap(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("![") && !text.trim_end().ends_with(END) {
        return text;
    }
    // Escaped twice: then the whole text is.
    let is_escaped = |text: &str| text.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("&lt;![CDATA["));
    let text = if is_escaped(text.trim_start()) { entity::unescape(text) } else { text };
    let mut gone = Vec::new();
    let mut open = Vec::new();
    for mark in MARK.find_iter(&text) {
        if mark.as_str() != END {
            open.push(mark);
        } else if let Some(start) = open.pop() {
            gone.extend([start.range(), mark.range()]);
        } else if text.get(mark.end()..).is_some_and(|after| after.trim().is_empty()) {
            gone.push(mark.range());
        }
    }
    // The section around it ended at the first `]]>` and took the sign with it.
    let mut end = text.trim_end().len();
    while !open.is_empty() && text.get(..end).is_some_and(|text| text.ends_with("]]")) {
        gone.extend(open.pop().map(|start| start.range()));
        gone.push(end - 2..end);
        end = text.get(..end - 2).map_or(0, |text| text.trim_end().len());
    }
    // The text was cut.
    let mut read = 0;
    for start in open {
        if text.get(read..start.start()).is_none_or(|before| !before.trim().is_empty()) {
            break;
        }
        read = start.end();
        gone.push(start.range());
    }
    if gone.is_empty() {
        return text;
    }
    gone.sort_unstable_by_key(|range| range.start);
    let mut plain = String::with_capacity(text.len());
    let mut written = 0;
    for range in gone {
        plain.push_str(text.get(written..range.start).unwrap_or_default());
        written = range.end;
    }
    plain.push_str(text.get(written..).unwrap_or_default());
    Cow::Owned(plain.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(unwrap(text.into()), expected);
    }

    #[test]
    fn the_marks_of_a_section_are_no_text() {
        check("<![CDATA[La cantine ouvre.]]>", "La cantine ouvre.");
        check("Avant <![CDATA[milieu]]> après.", "Avant milieu après.");
        check("<![CDATA[ un ]]><![CDATA[deux]]>", "un deux");
    }

    #[test]
    fn so_it_is_with_sections_in_sections() {
        check("<![CDATA[Titre]]", "Titre");
        check("Avant <![CDATA[Titre]]", "Avant Titre");
        check("<![CDATA[<![CDATA[Titre]]>]]>", "Titre");
        check("<![CDATA[<![CDATA[Titre]]]]", "Titre");
        check("<![CDATA[cut", "cut");
        check("Titre]]>", "Titre");
        check("<![cdata[Titre]]>", "Titre");
    }

    #[test]
    fn a_text_that_was_escaped_twice_is_read_once_more() {
        check("&lt;![CDATA[&lt;p&gt;A&lt;/p&gt;]]&gt;", "<p>A</p>");
    }

    #[test]
    fn what_an_article_shows_as_code_stays() {
        check("<pre>&lt;![CDATA[x]]&gt;</pre>", "<pre>&lt;![CDATA[x]]&gt;</pre>");
        check("a ]]> b", "a ]]> b");
        check("Comment écrire <![CDATA[ en XML", "Comment écrire <![CDATA[ en XML");
        check("Un <![CDATA[a]]> et <![CDATA[", "Un a et <![CDATA[");
    }
}
