//! What a text construct says, as HTML or as plain text (RFC 4287 §3.1, Atom 0.3, and what RSS leaves open).
//!
//! Types are claims: text that holds markup is read as markup, base64 only where it decodes to text.

use std::borrow::Cow;

use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine};
use quick_xml::escape::minimal_escape;

use super::entity;
use super::xml::{Element, XmlNode};
use crate::text::{html_to_text, one_line};

/// Elements of HTML without content, which must not be written with an end tag.
const VOID: &[&str] = &["area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Elements that show that text is HTML.
const KNOWN: &str = "\
    a abbr acronym address article aside audio b big blockquote br button caption center cite code col dd \
    del details dfn div dl dt em figcaption figure font footer form h1 h2 h3 h4 h5 h6 header hr i iframe img \
    ins kbd label li main mark nav ol object p picture pre q s samp script section small source span strike \
    strong style sub summary sup svg table tbody td tfoot th thead time tr tt u ul var video wbr";

/// Longest title or name: some publishers put a whole post there, none a book.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// Publishers break lines and forget the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the HTML that an element holds or stands for, trimmed; `None` if blank or no text at all.
pub(super) fn html<'a>(element: &'a Element<'_>) -> Option<Cow<'a, str>> {
    let html = match kind(element) {
        TextKind::Html if is_text_only(element) => element.text()?,
        TextKind::Plain if is_text_only(element) => {
            let text = element.text()?;
            if looks_like_html(&text) { text } else { Cow::Owned(escaped(&text)) }
        }
        TextKind::Html | TextKind::Plain | TextKind::Markup => Cow::Owned(inner_markup(element)),
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

/// Returns one line of plain text: markup gone, references resolved, also those that were escaped twice.
pub(super) fn line(element: &Element<'_>) -> Option<String> {
    let text = match kind(element) {
        TextKind::Html if is_text_only(element) => html_to_text(&element.text()?),
        TextKind::Plain if is_text_only(element) => plain_line(&element.text()?),
        TextKind::Html | TextKind::Plain | TextKind::Markup => html_to_text(&inner_markup(element)),
        TextKind::Base64 => {
            let text = element.text()?;
            base64_text(&text).map_or_else(|_| Some(plain_line(&text)), |html| Some(html_to_text(&html?)))?
        }
        TextKind::Binary => return None,
    };
    let mut text = entity::clean(&entity::unescape(text.into())).into_owned();
    text.truncate(text.floor_char_boundary(LINE_BYTES_MAX));
    (!text.is_empty()).then_some(text)
}

/// Returns plain text as HTML.
pub(super) fn escaped(text: &str) -> String {
    minimal_escape(text).into_owned()
}

/// Returns one line of a text that nobody says to be HTML.
pub(super) fn plain_line(text: &str) -> String {
    if looks_like_html(text) { html_to_text(text) } else { one_line(&entity::unescape(text.into())) }
}

enum TextKind {
    Html,
    Plain,
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
        "" if is_feed_text => TextKind::Html,
        "" | "text" | "plain" => TextKind::Plain,
        other if other.ends_with("/xml") || other.ends_with("+xml") => TextKind::Markup,
        other if other.starts_with("text/") || !other.contains('/') => TextKind::Plain,
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

fn is_text_only(element: &Element<'_>) -> bool {
    element.elements().next().is_none()
}

/// Decodes base64; `None` if it holds a file that is no text.
fn base64_text(text: &str) -> Result<Option<String>, DecodeError> {
    let packed: String = text.split_whitespace().collect();
    Ok(String::from_utf8(BASE64.decode(packed)?).ok())
}

/// Whether all tags in it are of HTML, and one at least is there.
fn looks_like_html(text: &str) -> bool {
    let mut tags = text.split('<').skip(1).map(|tag| {
        let name = tag.trim_start_matches('/');
        name.get(..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())).unwrap_or_default()
    });
    let has_end = text.contains('>');
    let mut is_any = false;
    has_end
        && tags.all(|name| {
            is_any = true;
            KNOWN.split(' ').any(|known| known.eq_ignore_ascii_case(name))
        })
        && is_any
}

/// Returns what is inside an element as HTML, without the `div` that RFC 4287 §3.1.1.3 wraps around.
fn inner_markup(element: &Element<'_>) -> String {
    let mut inner = element;
    let mut elements = element.elements();
    if let (Some(only), None) = (elements.next(), elements.next())
        && matches!(&*only.name, "div" | "body")
        && element.nodes.iter().all(|node| !matches!(node, XmlNode::Text(text) if !text.trim().is_empty()))
    {
        inner = only;
    }
    let mut out = String::new();
    write_nodes(inner, &mut out);
    out
}

fn write_nodes(element: &Element<'_>, out: &mut String) {
    for node in &element.nodes {
        match node {
            XmlNode::Text(text) => out.push_str(&minimal_escape(&**text)),
            XmlNode::Element(child) => write_element(child, out),
        }
    }
}

fn write_element(element: &Element<'_>, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in element.attributes.iter().filter(|(name, _)| !name.starts_with("xml")) {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        out.push_str(&minimal_escape(&**value).replace('"', "&quot;"));
        out.push('"');
    }
    out.push('>');
    if VOID.contains(&&*element.name) && element.nodes.is_empty() {
        return;
    }
    write_nodes(element, out);
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
}
