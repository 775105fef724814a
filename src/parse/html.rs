//! The content of a text construct as HTML or as plain text (RFC 4287 §3.1, Atom 0.3, and what RSS leaves open).
//!
//! A text declared as plain is plain. In a text of undeclared type, tags that are surely meant as such are markup
//! ([`talk`]). Base64 is read as such only where it decodes to text.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine};
use quick_xml::escape::minimal_escape;
use regex::Regex;
use url::Url;

use super::xml::{Element, Ns, XmlNode};
use super::{cdata, entity, scan, talk};
use crate::text::elements::{is_known, is_void};
use crate::text::{html_to_text, one_line};

/// Attributes that hold an address.
const ADDRESSES: &[&str] = &["href", "src", "poster"];

/// Longest title or name: some publishers put a whole post there, none a book.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// Publishers break lines and forget the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the HTML that an element holds or stands for, trimmed; `None` if blank or no text at all.
///
/// `base` is what relative addresses in it refer to: an `xml:base` further inside can be relative to it.
pub(super) fn html_of<'a>(element: &'a Element<'_>, base: Option<&Url>) -> Option<Cow<'a, str>> {
    let html = match kind(element) {
        TextKind::Html if is_text_only(element) => element.text()?,
        TextKind::Custom if is_text_only(element) => by_custom(element.text()?),
        TextKind::Plain if is_text_only(element) => Cow::Owned(paragraphs(&element.text()?)),
        TextKind::Open if is_text_only(element) => open(element.text()?),
        TextKind::Html | TextKind::Custom | TextKind::Plain | TextKind::Open | TextKind::Markup => {
            Cow::Owned(Xhtml { base: base.cloned(), is_line: false }.markup(element))
        }
        TextKind::Base64 => {
            let text = element.text()?;
            Cow::Owned(base64_text(&text).unwrap_or_else(|_| Some(escaped(&text)))?)
        }
        TextKind::Binary => return None,
    };
    let trimmed = html.trim();
    if trimmed.is_empty() {
        return None;
    }
    Some(if trimmed.len() == html.len() { html } else { Cow::Owned(trimmed.to_owned()) })
}

/// Returns one line of plain text. Where it may hold markup, that is gone, and references are resolved, also those that
/// were escaped twice.
pub(super) fn line_of(element: &Element<'_>) -> Option<String> {
    let text = match kind(element) {
        TextKind::Plain if is_text_only(element) => plain_line(&element.text()?),
        TextKind::Html | TextKind::Custom if is_text_only(element) => {
            unescaped(html_to_text(&talk::html_by_custom(element.text()?)))
        }
        TextKind::Open if is_text_only(element) => unescaped(open_line(&element.text()?)),
        TextKind::Html | TextKind::Custom | TextKind::Plain | TextKind::Open | TextKind::Markup => {
            unescaped(html_to_text(&Xhtml { base: None, is_line: true }.markup(element)))
        }
        TextKind::Base64 => {
            let text = element.text()?;
            unescaped(match base64_text(&text) {
                Err(_) => open_line(&text),
                Ok(html) => html_to_text(&html?),
            })
        }
        TextKind::Binary => return None,
    };
    let mut text = entity::clean(&text).into_owned();
    text.truncate(text.floor_char_boundary(LINE_BYTES_MAX));
    (!text.is_empty()).then_some(text)
}

/// Returns plain text as HTML.
pub(super) fn escaped(text: &str) -> String {
    minimal_escape(text).into_owned()
}

/// Returns plain text as HTML with its lines and paragraphs.
pub(super) fn paragraphs(text: &str) -> String {
    parted(&escaped(&cdata::unwrap(text.trim().into()).replace("\r\n", "\n").replace('\r', "\n")))
}

/// Returns one line of a text that is said to be plain.
///
/// A letter or an apostrophe inside a word that is written as a reference (`&eacute;cole`, `d&#039;une`) shows that the text
/// was escaped for HTML before. Other references are talked about: `&nbsp;`, `R&amp;D`.
pub(super) fn plain_line(text: &str) -> String {
    let text = cdata::unwrap(text.into());
    one_line(&if ESCAPED_WORD.is_match(&text) { entity::unescape(text) } else { text })
}

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static ESCAPED_WORD: LazyLock<Regex> = LazyLock::new(|| {
    let letter = "[a-zA-Z]{1,2}(?:acute|grave|circ|uml|cedil|tilde|ring|lig|slash|caron)";
    let reference = format!("&(?:#[0-9]{{1,7}}|#[xX][0-9a-fA-F]{{1,6}}|{letter}|[rl]squo|apos);");
    Regex::new(&format!(r"\p{{Alphabetic}}{reference}|{reference}\p{{Alphabetic}}")).expect("constant pattern")
});

/// Returns one line of a text of which nobody says what it is.
pub(super) fn open_line(text: &str) -> String {
    let text = cdata::unwrap(text.into());
    match talk::title_as_html(&text) {
        Some(html) => html_to_text(&html),
        None => one_line(&entity::unescape(text)),
    }
}

fn unescaped(text: String) -> String {
    entity::unescape(text.into()).into_owned()
}

enum TextKind {
    Html,
    /// HTML, since RSS has nothing else; many do not know that.
    Custom,
    Plain,
    /// Nobody says.
    Open,
    /// Its child elements are the markup.
    Markup,
    Base64,
    Binary,
}

fn kind(element: &Element<'_>) -> TextKind {
    let mode = element.attribute("mode").unwrap_or_default();
    let media_type = element.attribute("type").unwrap_or_default().to_ascii_lowercase();
    let is_feed_text = matches!(&*element.name, "description" | "encoded" | "fullitem" | "abstract");
    match media_type.split(';').next().unwrap_or_default().trim() {
        other if mode == "base64" && !is_text_type(other) && element.name == "content" => TextKind::Binary,
        _ if mode == "base64" => TextKind::Base64,
        "html" | "text/html" => TextKind::Html,
        "xhtml" | "application/xhtml+xml" => TextKind::Markup,
        "" if element.ns == Ns::Media => TextKind::Plain, // Media RSS: "plain" is the default
        "" if is_feed_text => TextKind::Custom,
        "" => TextKind::Open,
        "text" | "plain" => TextKind::Plain,
        other if other.ends_with("/xml") || other.ends_with("+xml") => TextKind::Markup,
        other if other.starts_with("text/") => TextKind::Plain,
        other if !other.contains('/') => TextKind::Open,
        other if other.starts_with("image/") || other.starts_with("audio/") || other.starts_with("video/") => {
            TextKind::Binary
        }
        // RFC 4287 §4.1.3.3: a file in base64, unless the type is a slip and the text is one. Only `content` may hold files;
        // elsewhere such a type says nothing but that the text is packed.
        _ if element.name == "content" && is_base64(element) => TextKind::Binary,
        _ => TextKind::Base64,
    }
}

/// Whether files of a media type are texts of an entry; one that is not named is.
fn is_text_type(media_type: &str) -> bool {
    let is_markup = media_type.ends_with("xml") || media_type.ends_with("html");
    !media_type.contains('/') || media_type.starts_with("text/") || is_markup
}

/// Whether an element holds a file in base64: text with blanks between words is none.
fn is_base64(element: &Element<'_>) -> bool {
    let text = element.text().unwrap_or_default();
    let packed: String = text.split(['\r', '\n']).map(str::trim).collect();
    is_text_only(element) && BASE64.decode(packed).is_ok()
}

/// Returns a text of which nobody says what it is as HTML.
fn open(text: Cow<'_, str>) -> Cow<'_, str> {
    match talk::undeclared_html(&text) {
        Some(Cow::Borrowed(_)) => text,
        Some(Cow::Owned(html)) => Cow::Owned(html),
        None => Cow::Owned(paragraphs(&text)),
    }
}

/// Returns a text that is HTML by custom as HTML. Without any element it is plain, apart from its references; lines may
/// have been broken by whatever wrote the feed, but no program leaves a line blank.
fn by_custom(text: Cow<'_, str>) -> Cow<'_, str> {
    let html = talk::html_by_custom(text);
    if talk::has_markup(&html) || !BLANK_LINE.is_match(&html) { html } else { Cow::Owned(parted(&html)) }
}

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static BLANK_LINE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\r?\n\s*\n|\r\s*\r").expect("constant pattern"));

/// Returns text with `<br>` for its line breaks and `<p>` around what stands between blank lines.
fn parted(text: &str) -> String {
    let broken = |paragraph: &str| {
        let lines = paragraph.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("<br>")
    };
    let mut paragraphs = BLANK_LINE.split(text).map(broken).filter(|paragraph| !paragraph.is_empty());
    match (paragraphs.next(), paragraphs.next()) {
        (first, None) => first.unwrap_or_default(),
        (first, second) => {
            let all = first.into_iter().chain(second).chain(paragraphs);
            all.map(|paragraph| format!("<p>{paragraph}</p>")).collect()
        }
    }
}

fn is_text_only(element: &Element<'_>) -> bool {
    element.elements().next().is_none()
}

/// Decodes base64; `None` if it holds a file that is no text.
fn base64_text(text: &str) -> Result<Option<String>, DecodeError> {
    let packed: String = text.split_whitespace().collect();
    let text = String::from_utf8(BASE64.decode(packed)?).ok();
    Ok(text.filter(|text| !text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace())))
}

/// Settings for writing child elements as HTML.
#[derive(Debug, Clone)]
struct Xhtml {
    /// The address that relative addresses refer to.
    base: Option<Url>,
    /// Whether it is a title or name: there a tag that is never closed is talked about.
    is_line: bool,
}

impl Xhtml {
    /// Returns what is inside an element, without the `div` that RFC 4287 §3.1.1.3 wraps around.
    fn markup(&self, element: &Element<'_>) -> String {
        let mut elements = element.elements();
        let mut out = String::new();
        match (elements.next(), elements.next()) {
            (Some(only), None) if is_wrapper(only) && has_no_text(element) => {
                let inner = self.inside(only);
                inner.write_nodes(only, matches!(inner, Cow::Owned(_)), &mut out);
            }
            _ => self.write_nodes(element, false, &mut out),
        }
        out
    }

    /// Returns how to write what is inside `element`.
    fn inside(&self, element: &Element<'_>) -> Cow<'_, Self> {
        match element.attribute("xml:base").and_then(|base| scan::resolve(base, self.base.as_ref())) {
            Some(base) => Cow::Owned(Self { base: Some(base), is_line: self.is_line }),
            None => Cow::Borrowed(self),
        }
    }

    /// `is_moved` says that an `xml:base` inside the text holds, which HTML does not know.
    fn write_nodes(&self, element: &Element<'_>, is_moved: bool, out: &mut String) {
        for node in &element.nodes {
            match node {
                XmlNode::Text(text) => out.push_str(&minimal_escape(&*cdata::unwrap(Cow::Borrowed(text)))),
                XmlNode::Element(child) => self.write_element(child, is_moved, out),
            }
        }
    }

    fn write_element(&self, element: &Element<'_>, is_moved: bool, out: &mut String) {
        let is_void = is_void(&element.name);
        let is_markup = element.unclosed.is_empty() || is_void || is_known(&element.name) && !self.is_line;
        if !is_markup {
            out.extend(["&lt;", &escaped(element.unclosed), "&gt;"]);
            self.write_nodes(element, is_moved, out);
            return;
        }
        let inner = self.inside(element);
        let is_moved = is_moved || matches!(inner, Cow::Owned(_));
        out.push('<');
        out.push_str(&element.name);
        let has_language = element.attribute("lang").is_some();
        for (name, value) in &element.attributes {
            let name = match &**name {
                "xml:lang" if !has_language => "lang",
                name if name.starts_with("xml") => continue,
                name => name,
            };
            let value = match inner.base.as_ref().filter(|_| is_moved && ADDRESSES.contains(&name)) {
                Some(base) => base.join(value).map_or(Cow::Borrowed(&**value), |url| Cow::Owned(String::from(url))),
                None => Cow::Borrowed(&**value),
            };
            out.extend([" ", name, "=\""]);
            out.push_str(&value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;"));
            out.push('"');
        }
        out.push('>');
        if is_void && element.nodes.is_empty() {
            return;
        }
        inner.write_nodes(element, is_moved, out);
        out.extend(["</", &element.name, ">"]);
    }
}

/// Whether an element only wraps a text, and says nothing of it that must stay.
fn is_wrapper(element: &Element<'_>) -> bool {
    matches!(&*element.name, "div" | "body")
        && ["xml:lang", "lang", "dir"].iter().all(|name| element.attribute(name).is_none())
}

fn has_no_text(element: &Element<'_>) -> bool {
    element.nodes.iter().all(|node| !matches!(node, XmlNode::Text(text) if !text.trim().is_empty()))
}
