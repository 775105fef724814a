//! The paragraph at the end of a text that we publish with `publish.footer`: who else told it, and what is related.
//!
//! It is no part of what the publisher said. So a veille that reads our feeds takes it out, and holds the entry to be the
//! same whether we write the paragraph or not.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// The class by which the paragraph is known.
pub const FOOTER_CLASS: &str = "veille-footer";

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static FOOTER: LazyLock<Regex> = LazyLock::new(|| {
    let class = r#"(?:"(?:[^"]*\s)?veille-footer(?:\s[^"]*)?"|'(?:[^']*\s)?veille-footer(?:\s[^']*)?'|veille-footer)"#;
    let pattern = format!(r"(?is)\s*<p(?:\s[^<>]*)?\sclass\s*=\s*{class}(?:\s[^<>]*)?>.*?</p\s*>\s*");
    Regex::new(&pattern).expect("constant pattern")
});

/// Returns HTML without such paragraphs.
#[must_use]
pub fn without_footer(html: &str) -> Cow<'_, str> {
    if html.contains(FOOTER_CLASS) { FOOTER.replace_all(html, "") } else { Cow::Borrowed(html) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(without_footer(html), expected);
    }

    #[test]
    fn the_paragraph_goes_however_its_class_is_written() {
        check(
            "<p>Un.</p>\n<p class=\"veille-footer\" lang=\"fr\">Aussi chez\u{a0}: <a href=\"/\">B</a></p>",
            "<p>Un.</p>",
        );
        check("Un<P lang='fr' CLASS='a veille-footer b'>x\ny</P> ", "Un");
        check("Un<p class=veille-footer>x</p><p>Deux</p>", "Un<p>Deux</p>");
    }

    #[test]
    fn other_paragraphs_stay() {
        for html in
            ["<p class=\"veille-footer2\">a</p>", "<p>veille-footer</p>", "<div class=\"veille-footer\">a</div>"]
        {
            check(html, html);
        }
    }
}
