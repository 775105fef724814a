//! CDATA sections that were escaped with the rest of the text: their marks are text, and nobody means them (XML §2.7).

use std::borrow::Cow;

use super::entity;

const START: &str = "<![CDATA[";
const END: &str = "]]>";

/// Returns `text` without the marks of sections in it; what stands between them is kept as it is.
pub(super) fn unwrap(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("![CDATA[") {
        return text;
    }
    // Escaped twice: then the whole text is.
    let text = if text.trim_start().starts_with("&lt;![CDATA[") { entity::unescape(text) } else { text };
    let sections = text.matches(START).count();
    if sections == 0 {
        return text;
    }
    let without_starts = text.replace(START, "");
    let ends = without_starts.matches(END).count();
    let mut plain = without_starts.replacen(END, "", sections);
    // The section around it ended at the first `]]>` and took the sign with it.
    for _ in ends..sections {
        let Some(text) = plain.trim_end().strip_suffix("]]") else { break };
        plain.truncate(text.len());
    }
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
        check("<![CDATA[<![CDATA[Titre]]>]]>", "Titre");
        check("<![CDATA[<![CDATA[Titre]]]]", "Titre");
        check("<![CDATA[cut", "cut");
    }

    #[test]
    fn a_text_that_was_escaped_twice_is_read_once_more() {
        check("&lt;![CDATA[&lt;p&gt;A&lt;/p&gt;]]&gt;", "<p>A</p>");
    }

    #[test]
    fn what_an_article_shows_as_code_stays() {
        check("<pre>&lt;![CDATA[x]]&gt;</pre>", "<pre>&lt;![CDATA[x]]&gt;</pre>");
        check("a ]]> b", "a ]]> b");
    }
}
