//! The markup that nearly all entries have, sanitised without building a tree: known elements, nested as they are
//! written, in which a browser neither opens nor closes anything by itself.
//!
//! Safe by construction: only names of the lists here are written, and between them escaped text and escaped values of
//! attributes that [`super::ATTRIBUTES`] allows. The output has the very bytes that `ammonia` would write, which tests
//! compare. All other markup is left to `ammonia`.

use std::borrow::Cow;

use url::Url;

use super::{ATTRIBUTES, GENERIC_ATTRIBUTES, LINK_REL, SCHEMES};
use crate::text::markup::{Odd, Piece, Pieces, character};

/// The treatment of an element by the tree builder of HTML (§13.2.6.4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ElementKind {
    /// Stands wherever text does.
    Inline,
    /// Inline, and not within itself.
    Link,
    /// Inline, without content.
    Void,
    /// Not within a paragraph.
    Block,
    /// A block without content.
    Rule,
    Paragraph,
    Heading,
    /// A block that items stand in.
    List,
    Item,
    /// A block that names and descriptions stand in.
    Descriptions,
    Description,
}

/// Tells the kind of an element and its name, if it is one of those that may be shown and that are easily nested.
#[rustfmt::skip]
fn known(name: &str) -> Option<(ElementKind, &'static str)> {
    const KNOWN: [(ElementKind, &[&str]); 11] = [
        (ElementKind::Paragraph, &["p"]),
        (ElementKind::Link, &["a"]),
        (ElementKind::Void, &["br", "img", "wbr"]),
        (ElementKind::Inline, &[
            "strong", "em", "b", "i", "span", "u", "abbr", "bdi", "cite", "code", "del", "dfn", "ins", "kbd", "mark",
            "q", "s", "samp", "small", "sub", "sup", "time", "var",
        ]),
        (ElementKind::Item, &["li"]),
        (ElementKind::List, &["ul", "ol"]),
        (ElementKind::Heading, &["h1", "h2", "h3", "h4", "h5", "h6"]),
        (ElementKind::Block, &[
            "div", "blockquote", "figure", "figcaption", "section", "article", "aside", "details", "footer", "header",
            "summary",
        ]),
        (ElementKind::Rule, &["hr"]),
        (ElementKind::Descriptions, &["dl"]),
        (ElementKind::Description, &["dt", "dd"]),
    ];
    KNOWN.iter().find_map(|(kind, names)| Some((*kind, *names.iter().find(|known| **known == name)?)))
}

/// Returns what `ammonia` makes of markup.
///
/// # Errors
/// If that can only be told by building a tree.
pub(super) fn direct(html: &str, base: Option<&Url>) -> Result<String, Odd> {
    let mut direct =
        Direct { base, out: String::with_capacity(html.len() + html.len() / 4), open: Vec::new(), in_paragraph: false };
    let mut pieces = Pieces::of(html)?;
    while let Some(piece) = pieces.next()? {
        match piece {
            Piece::Text(text) => escape(text, false, &mut direct.out),
            Piece::Reference((first, second)) => {
                for c in [Some(first), second].into_iter().flatten() {
                    escape(c.encode_utf8(&mut [0; 4]), false, &mut direct.out);
                }
            }
            Piece::Start(name) => direct.start(name, &pieces.attributes)?,
            Piece::End(name) => direct.end(name)?,
        }
    }
    if direct.open.is_empty() { Ok(direct.out) } else { Err(Odd) }
}

struct Direct<'b> {
    base: Option<&'b Url>,
    out: String,
    open: Vec<(ElementKind, &'static str)>,
    in_paragraph: bool,
}

impl Direct<'_> {
    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) -> Result<(), Odd> {
        let (kind, name) = known(name).ok_or(Odd)?;
        let parent = self.open.last().map(|(kind, _)| *kind);
        let is_plain = match kind {
            ElementKind::Inline | ElementKind::Void => true,
            ElementKind::Link => self.open.iter().all(|(kind, _)| *kind != ElementKind::Link),
            ElementKind::Heading => {
                self.open.iter().all(|(kind, _)| *kind != ElementKind::Heading) && !self.in_paragraph
            }
            ElementKind::Block
            | ElementKind::Rule
            | ElementKind::Paragraph
            | ElementKind::List
            | ElementKind::Descriptions => !self.in_paragraph,
            ElementKind::Item => parent == Some(ElementKind::List),
            ElementKind::Description => parent == Some(ElementKind::Descriptions),
        };
        if !is_plain {
            return Err(Odd);
        }
        self.out.extend(["<", name]);
        self.attributes(name, attributes)?;
        match kind {
            ElementKind::Link => self.attribute("rel", LINK_REL),
            ElementKind::Void if name == "img" => self.attribute("loading", "lazy"),
            _ => {}
        }
        self.out.push('>');
        if !matches!(kind, ElementKind::Void | ElementKind::Rule) {
            self.in_paragraph |= kind == ElementKind::Paragraph;
            self.open.push((kind, name));
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Odd> {
        let (kind, open) = self.open.pop().filter(|(_, open)| *open == name).ok_or(Odd)?;
        self.in_paragraph &= kind != ElementKind::Paragraph;
        self.out.extend(["</", open, ">"]);
        Ok(())
    }

    /// Writes those attributes that may be shown.
    fn attributes(&mut self, element: &str, attributes: &[(&str, &str)]) -> Result<(), Odd> {
        let own = ATTRIBUTES.iter().find(|(known, _)| *known == element).map_or(&[] as &[&str], |(_, names)| names);
        for (at, (name, value)) in attributes.iter().enumerate() {
            let Some(name) = GENERIC_ATTRIBUTES.iter().chain(own).find(|known| *known == name) else { continue };
            // Of two the first counts.
            if attributes.iter().take(at).any(|(other, _)| other == name) {
                continue;
            }
            let value = unescape(value)?;
            if !matches!(*name, "href" | "src") || is_web_address(&value) {
                self.attribute(name, &value);
            } else {
                match Url::parse(&value) {
                    Ok(url) if SCHEMES.contains(&url.scheme()) => self.attribute(name, &value),
                    Err(url::ParseError::RelativeUrlWithoutBase) => {
                        if let Some(base) = self.base {
                            self.attribute(name, base.join(&value).map_err(|_| Odd)?.as_str());
                        }
                    }
                    Ok(_) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.extend([" ", name, "=\""]);
        escape(value, true, &mut self.out);
        self.out.push('"');
    }
}

/// Whether [`Url::parse`] is sure to take it: most addresses need no closer look.
fn is_web_address(value: &str) -> bool {
    let Some(rest) = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://")) else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    host.split('.').all(is_label)
}

/// Resolves the references of an attribute's value.
fn unescape(value: &str) -> Result<Cow<'_, str>, Odd> {
    if !value.contains('&') {
        return Ok(Cow::Borrowed(value));
    }
    let mut unescaped = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        unescaped.push_str(before);
        let word = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
        // `?a=1&copy=2`: an address that was not escaped.
        let is_text =
            after.get(word..).is_none_or(|after| after.starts_with('=')) || word == 0 && !after.starts_with('#');
        if is_text {
            unescaped.push('&');
            rest = after;
        } else {
            let ((first, second), length) = character(after)?;
            unescaped.push(first);
            unescaped.extend(second);
            rest = after.get(length..).unwrap_or_default();
        }
    }
    unescaped.push_str(rest);
    Ok(Cow::Owned(unescaped))
}

/// Writes text or a value as HTML §13.3 serialises it.
fn escape(text: &str, is_value: bool, out: &mut String) {
    for (number, part) in text.split('\u{a0}').enumerate() {
        if number > 0 {
            out.push_str("&nbsp;");
        }
        if is_value {
            html_escape::encode_double_quoted_attribute_to_string(part, out);
        } else {
            html_escape::encode_text_to_string(part, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{cleaner, tidy};
    use super::*;

    const NAMES: &str = "a|abbr|b|blockquote|br|code|dd|del|details|div|dl|dt|em|figure|h2|h3|hr|i|img|li|ol|p|pre|q|s|\
                         script|span|strong|sub|summary|table|td|u|ul|video|wbr|center|svg|font|nobr|button|math|section";

    fn attributes() -> impl Strategy<Value = String> {
        let name = "(href|src|title|alt|width|lang|class|hreflang|start|datetime|rel|loading|HREF|cite)";
        let value = prop_oneof![
            "https?://[a-z0-9.:@%-]{1,8}(/[a-z&=;?é ]{0,5})?",
            "(javascript:|mailto:|data:|tel:|//|/|\\.\\./|#|HTTP:|xn--a|\\[|ftp://a)[a-z0-9é&=]{0,4}",
            "[a-zé \\u{a0}<>'`\\n]{0,6}",
            "&(amp|lt|gt|quot|nbsp|copy|not|#39|#x3c|x|colon);?[a-z=]{0,2}",
        ];
        let one = (name, value, 0..4).prop_map(|(name, value, quote)| match quote {
            0 | 1 => format!(" {name}=\"{value}\""),
            2 => format!(" {name}='{}'", value.replace('\'', "")),
            _ => format!(" {name}={value}"),
        });
        prop::collection::vec(one, 0..4).prop_map(|attributes| attributes.concat())
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[a-zé \\n\\u{a0}>\"']{0,6}",
            1 => "&(amp|lt|gt|nbsp|eacute|notit|NotEqualTilde|x|#8217|#146|#0|#60);?",
        ]
    }

    /// Elements within elements, of which few may not stand so.
    fn nested() -> impl Strategy<Value = String> {
        text().prop_recursive(5, 40, 5, |inner| {
            let element = (NAMES, attributes(), prop::collection::vec(inner, 0..4))
                .prop_map(|(name, attributes, inner)| format!("<{name}{attributes}>{}</{name}>", inner.concat()));
            prop_oneof![1 => text(), 3 => element]
        })
    }

    /// Tags in any order.
    fn tangled() -> impl Strategy<Value = String> {
        let tag = (NAMES, attributes()).prop_map(|(name, attributes)| format!("<{name}{attributes}>"));
        let piece = prop_oneof![2 => text(), 2 => tag, 2 => NAMES.prop_map(|name| format!("</{name}>"))];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    #[track_caller]
    fn check(html: &str) {
        for base in [None, Url::parse("https://site.example/a/").ok().as_ref(), Url::parse("data:,x").ok().as_ref()] {
            for html in [html, &tidy(html, base, None)] {
                if let Ok(direct) = direct(html, base) {
                    assert_eq!(direct, cleaner(base).clean(html).to_string(), "{html}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_is_written_directly_is_what_ammonia_writes(html in nested()) {
            check(&html);
        }

        #[test]
        fn so_it_is_with_tags_in_any_order(html in tangled()) {
            check(&html);
        }
    }

    #[test]
    fn vectors_are_left_to_ammonia_or_come_out_the_same() {
        for vector in super::super::tests::VECTORS {
            check(vector);
            check(&format!("<p>{vector}"));
        }
    }

    #[test]
    fn ordinary_entries_are_written_directly() {
        for html in [
            "Un texte sans balises, 1 &lt; 2",
            "<p>L’école <a href=\"/a?b=1&amp;c=2\">num&eacute;rique</a><br /><img src=\"https://a.fr/i.png\" alt=\"\"></p>",
            "<div class='x'><h2>A</h2><ul><li>b</li><li><p>c</p></li></ul><blockquote><p><em>d</em></p></blockquote></div>",
        ] {
            assert!(direct(html, None).is_ok(), "{html}");
            check(html);
        }
    }
}
