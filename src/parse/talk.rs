//! Tags that are markup, and tags that a text talks about: `Le <em>vrai</em> rôle de <video>` has one of each.
//!
//! Nobody escapes a text twice who does not know that it must be: so a tag is told by its name, and by whether it has a
//! partner. Linear in the text.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::text::elements::{is_known, is_void};

/// Elements that hide what follows them if they are never closed.
const SWALLOWING: &[&str] = &[
    "audio", "iframe", "math", "noembed", "noframes", "object", "script", "select", "style", "svg", "template",
    "textarea", "title", "video", "xmp",
];

/// Elements whose content is code, or is not shown.
const HIDDEN: &[&str] = &["iframe", "noembed", "noframes", "script", "style", "template", "textarea", "title", "xmp"];

/// Elements that nobody closes who does not have to (HTML §13.1.2.4).
const OPTIONAL_ENDS: &[&str] =
    &["body", "dd", "dt", "head", "html", "li", "optgroup", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr"];

/// Elements without content that mean something without attributes.
const BREAKS: &[&str] = &["br", "hr", "wbr"];

/// Words and signs between two tags that are talked about.
const LISTING: &[&str] =
    &["et", "ou", "and", "or", "und", "oder", "y", "e", "&", "&amp;", ",", "/", "+", "vs", "vs.", "à", "…"];

/// Attributes that need no value.
const VALUELESS: &[&str] = &[
    "allowfullscreen",
    "async",
    "autoplay",
    "compact",
    "controls",
    "default",
    "defer",
    "hidden",
    "ismap",
    "itemscope",
    "loop",
    "muted",
    "noshade",
    "nowrap",
    "open",
    "playsinline",
    "reversed",
];

/// Signs of code.
const CODE: [char; 5] = ['{', '}', '(', ';', '='];

/// Longest text between two tags that are talked about.
const WORDS_BYTES_MAX: usize = 1000;

/// Returns a title or name as HTML: only known elements that are closed, or void and whole, are markup. `None` if it has no tag.
pub(super) fn title_as_html(text: &str) -> Option<Cow<'_, str>> {
    let tags = tags(text);
    (!tags.is_empty()).then(|| {
        let is_talked_about = |tag: &WrittenTag<'_>| tag.is_listed || HIDDEN.contains(&&*tag.name) && !tag.holds_code;
        // The elements of a formula mean nothing outside a formula.
        let has_formula = tags.iter().any(|tag| tag.name == "math" && tag.is_paired);
        let is_element =
            |tag: &WrittenTag<'_>| tag.is_paired && (has_formula || is_known(&tag.name)) || tag.is_whole_void();
        escape(text, &tags, |tag| is_element(tag) && !is_talked_about(tag))
    })
}

/// Returns a text as HTML, if it is HTML though nobody says so.
pub(super) fn undeclared_html(text: &str) -> Option<Cow<'_, str>> {
    let tags = tags(text);
    let is_sure = |tag: &WrittenTag<'_>| {
        is_known(&tag.name)
            && (tag.is_paired || tag.is_whole_void() || !tag.is_prose && OPTIONAL_ENDS.contains(&&*tag.name))
    };
    tags.iter().any(is_sure).then(|| escape(text, &tags, is_markup))
}

/// Returns a text that is HTML by custom, in which tags that would hide the rest are escaped.
pub(super) fn html_by_custom(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_ordinary(&text) {
        return text;
    }
    match escape(&text, &tags(&text), is_markup) {
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => Cow::Owned(escaped),
    }
}

/// Whether each tag is of a known element that hides nothing. A quick look: it takes any doubt for a no.
fn is_ordinary(text: &str) -> bool {
    text.match_indices('<').all(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = rest.get(..length).unwrap_or_default();
        let after = rest.get(length..).unwrap_or_default();
        let is_ended = !after.starts_with(['-', ':', '_', '.', '<']);
        let is_prose = || after.starts_with(' ') && after.split(['>', '<']).next().is_some_and(is_prose);
        name.is_empty() || is_ended && is_known(name) && !SWALLOWING.contains(&name) && !is_prose()
    })
}

/// Whether a text has a tag of HTML at all.
pub(super) fn has_markup(text: &str) -> bool {
    names(text).any(|(_, name, _)| is_known(&name))
}

fn is_markup(tag: &WrittenTag<'_>) -> bool {
    tag.is_paired
        || tag.is_whole_void()
        || is_known(&tag.name)
            && !tag.is_prose
            && (!SWALLOWING.contains(&&*tag.name) || tag.has_attributes || tag.holds_code)
}

/// Whether words stand where attributes would, as in `if a<b then c>d`: no value, and no attribute that needs none.
fn is_prose(attributes: &str) -> bool {
    let mut words = attributes.trim_end_matches('/').split_ascii_whitespace().peekable();
    words.peek().is_some() && !attributes.contains('=') && !words.all(|word| VALUELESS.contains(&word))
}

struct WrittenTag<'t> {
    /// The place of its `<`.
    at: usize,
    /// In lower case.
    name: Cow<'t, str>,
    has_attributes: bool,
    /// Whether it is none: words stand in the place of its attributes.
    is_prose: bool,
    /// Whether a tag of the other kind belongs to it.
    is_paired: bool,
    /// Whether only a word of a list stands between the two: `<i> et </i>`.
    is_listed: bool,
    /// Whether what it holds, or all that follows it, has signs of code.
    holds_code: bool,
}

impl WrittenTag<'_> {
    /// Whether it is an element without content that can be meant as one: `<img>` alone shows nothing.
    fn is_whole_void(&self) -> bool {
        is_void(&self.name) && !self.is_prose && (self.has_attributes || BREAKS.contains(&&*self.name))
    }
}

/// Finds what looks like tags: where they are, their names in lower case, and what stands between name and `>`.
fn names(text: &str) -> impl Iterator<Item = (usize, Cow<'_, str>, &str)> {
    text.match_indices('<').filter_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        let named = rest.strip_prefix('/').unwrap_or(rest);
        named.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(())?;
        let end = named.find(['>', '<']).filter(|end| named.get(*end..).is_some_and(|end| end.starts_with('>')))?;
        let tag = named.get(..end)?;
        let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '/').next()?;
        let attributes = tag.get(name.len()..)?;
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        Some((at, name, attributes))
    })
}

fn tags(text: &str) -> Vec<WrittenTag<'_>> {
    let mut tags: Vec<WrittenTag<'_>> = Vec::new();
    let mut open: HashMap<Cow<'_, str>, Vec<usize>> = HashMap::new();
    for (at, name, attributes) in names(text) {
        let mut tag = WrittenTag {
            at,
            name: name.clone(),
            has_attributes: !attributes.trim_end_matches('/').trim().is_empty(),
            is_prose: is_prose(attributes),
            is_paired: false,
            is_listed: false,
            holds_code: false,
        };
        if text.get(at + 1..).is_some_and(|rest| rest.starts_with('/')) {
            let start = open.get_mut(&name).and_then(Vec::pop).and_then(|start| tags.get_mut(start));
            if let Some(start) = start {
                let inner = text.get(start.at + 1..at).and_then(|inner| inner.split_once('>'));
                start.is_paired = true;
                start.is_listed =
                    inner.is_some_and(|(_, inner)| inner != inner.trim() && LISTING.contains(&inner.trim()));
                tag.is_listed = start.is_listed;
                start.holds_code = inner.is_some_and(|(_, inner)| is_code(&start.name, inner));
                tag.is_paired = true;
                tag.holds_code = start.holds_code;
            }
        } else {
            open.entry(name).or_default().push(tags.len());
        }
        tags.push(tag);
    }
    // Text after the last code sign is no code.
    let last = text.rfind(CODE).unwrap_or_default();
    for tag in tags.iter_mut().filter(|tag| !tag.is_paired) {
        tag.holds_code = tag.at < last && matches!(&*tag.name, "script" | "style");
    }
    tags
}

/// Whether the content of an element that is not shown is code: `<script>` and `</script>` may be talked about, too.
fn is_code(name: &str, inner: &str) -> bool {
    let is_words = || inner.len() <= WORDS_BYTES_MAX && !inner.trim().is_empty() && !inner.contains(CODE);
    HIDDEN.contains(&name) && !is_words()
}

/// Returns `text` with the tags escaped that are none.
fn escape<'t>(text: &'t str, tags: &[WrittenTag<'_>], is_markup: impl Fn(&WrittenTag<'_>) -> bool) -> Cow<'t, str> {
    let mut out = String::new();
    let mut written = 0;
    // In front of the first tag, and between two, any `<` begins none.
    for tag in tags.iter().filter(|tag| !is_markup(tag)) {
        out.push_str(text.get(written..tag.at).unwrap_or_default());
        out.push_str("&lt;");
        written = tag.at + 1;
    }
    if written == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(written..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(title: &str, expected: &str) {
        assert_eq!(title_as_html(title).unwrap(), expected);
    }

    #[test]
    fn known_elements_with_both_tags_are_markup() {
        for title in [
            "Le <em>vrai</em> titre",
            "Soit <math><mi>x</mi></math>",
            "<B>Gras</b>",
            "un<br>deux <img src=x>",
            "a<script>b(1)</script>",
        ] {
            check(title, title);
        }
    }

    #[test]
    fn a_tag_without_partner_is_talked_about() {
        check("Une balise <script> suffit", "Une balise &lt;script> suffit");
        check("<b> ou <strong> ?", "&lt;b> ou &lt;strong> ?");
        check("<a> et <area>, <img /> et <br/>", "&lt;a> et &lt;area>, &lt;img /> et <br/>");
        check("Fermez </div> !", "Fermez &lt;/div> !");
        check("Le <em>vrai</em> rôle de <video>", "Le <em>vrai</em> rôle de &lt;video>");
        check("Les balises <script> et </script>", "Les balises &lt;script> et &lt;/script>");
        check("Entre <i> et </i>, <b>rien</b>", "Entre &lt;i> et &lt;/i>, <b>rien</b>");
    }

    #[test]
    fn unknown_elements_are_text() {
        check("Vec<String> et Map<K, V>", "Vec&lt;String> et Map&lt;K, V>");
        check("<nom>x</nom>", "&lt;nom>x&lt;/nom>");
    }

    #[test]
    fn a_sign_that_begins_no_tag_is_none() {
        assert!(title_as_html("1 < 2, a <b et c").is_none());
        assert!(title_as_html("<3").is_none());
    }

    #[test]
    fn html_by_custom_is_cut_short_by_no_word() {
        let html = |text: &'static str| html_by_custom(text.into());
        assert_eq!(html("L’élément <video> arrive."), "L’élément &lt;video> arrive.");
        assert_eq!(html("Un <p-x> et"), "Un &lt;p-x> et");
        assert_eq!(html("<p>Un Vec<String>, <em>vite</em>"), "<p>Un Vec&lt;String>, <em>vite</em>");
        for text in [
            "<p>a <b>coupé",
            "a<script>if (b) {",
            "<video src=x>a",
            "<o:p>a</o:p>",
            "<p-x>a</p-x>",
            "<iframe src='x'> b",
        ] {
            assert_eq!(html(text), text);
        }
    }

    #[test]
    fn a_text_of_which_nobody_says_what_it_is_is_html_if_a_tag_is_sure() {
        assert!(undeclared_html("Un <video> et un <canvas>").is_none());
        assert_eq!(undeclared_html("<p>Un <video> et").unwrap(), "<p>Un &lt;video> et");
    }
}
