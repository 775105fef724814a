//! HTML with every element closed in order, none deep, no tracking pixels. Linear in its input, safe by no means.

use std::borrow::Cow;

use quick_xml::escape::minimal_escape;
use url::Url;

use super::super::entity;
use super::super::scan::resolve;

/// Longest text that is shown of an entry: a book, not an article.
const HTML_BYTES_MAX: usize = 512 * 1024;

/// Levels of open elements; browsers of 2026 stop at 512.
const DEPTH_MAX: usize = 100;

/// Elements without content.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Elements whose content is no markup: left out with it.
const RAW: &[&str] = &["script", "style", "noembed", "noframes", "textarea", "title", "xmp", "svg", "math"];

/// Elements whose content is what to show without them; `image` is an obsolete name that browsers turn into a picture.
const UNWRAPPED: &[&str] = &["applet", "embed", "iframe", "image", "object", "param"];

/// Elements that end where the next of their kind begins.
const SIBLINGS: &[&str] = &["dd", "dt", "li", "option", "p", "td", "th", "tr"];

/// Elements that a paragraph ends before.
const BLOCKS: &str = "\
    address article aside blockquote details div dl figure footer form h1 h2 h3 h4 h5 h6 header hr main nav \
    ol pre section table ul";

/// Where a picture is kept until a script of the site would load it.
const LAZY_SOURCES: &[&str] = &["data-src", "data-lazy-src", "data-original"];

/// Parts of addresses of pictures that count readers.
const TRACKERS: &[&str] = &[
    "feedburner.com/~",
    "feeds.wordpress.com/1.0/",
    "stats.wordpress.com/",
    "pixel.wp.com/",
    "/piwik.php",
    "/matomo.php",
    "google-analytics.com/",
    "doubleclick.net/",
    "feedsportal.com/",
    "xiti.com/",
    "facebook.com/tr",
    "scorecardresearch.com/",
    "quantserve.com/",
    "/pixel.gif",
    "/tracking/pixel",
    "open.php?",
];

/// Returns `html` with what is left open closed, what is too long cut, pixels gone.
pub(in super::super) fn tidy<'h>(html: &'h str, base: Option<&'h Url>) -> String {
    let mut rest = html.get(..html.floor_char_boundary(HTML_BYTES_MAX)).unwrap_or(html);
    let mut tidy = Tidy { base, out: String::with_capacity(rest.len() + 64), open: Vec::new() };
    while let Some((text, markup)) = rest.split_once('<') {
        tidy.out.push_str(text);
        rest = tidy.markup(markup);
    }
    tidy.out.push_str(rest);
    tidy.close_to(0);
    tidy.out
}

struct Tidy<'h> {
    base: Option<&'h Url>,
    out: String,
    /// Names of open elements in lower case.
    open: Vec<Cow<'h, str>>,
}

impl<'h> Tidy<'h> {
    /// Takes in what follows a `<`; returns what comes after it.
    fn markup(&mut self, markup: &'h str) -> &'h str {
        if let Some(comment) = markup.strip_prefix("!--") {
            return comment.split_once("-->").map_or("", |(_, after)| after);
        }
        if markup.starts_with(['!', '?']) {
            return markup.split_once('>').map_or("", |(_, after)| after);
        }
        let is_end = markup.starts_with('/');
        let named = markup.trim_start_matches('/');
        if !named.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.out.push_str("&lt;");
            return markup;
        }
        let Some(end) = tag_end(named) else { return "" }; // cut within a tag
        let (tag, after) = named.split_at_checked(end).unwrap_or((named, ""));
        let after = after.strip_prefix('>').unwrap_or(after);
        let name_end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
        let mut name = Cow::Borrowed(tag.get(..name_end).unwrap_or_default());
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            name.to_mut().make_ascii_lowercase();
        }
        if is_end {
            self.end(&name);
        } else if RAW.contains(&&*name) {
            return after_raw(after, &name, tag);
        } else if !UNWRAPPED.contains(&&*name) {
            self.start(name, tag);
        }
        after
    }

    fn start(&mut self, name: Cow<'h, str>, tag: &str) {
        if name == "img" {
            self.image(tag);
            return;
        }
        let last = self.open.last().map(|name| &**name).unwrap_or_default();
        let ends_last =
            last == name && SIBLINGS.contains(&&*name) || last == "p" && BLOCKS.split(' ').any(|block| block == name);
        if ends_last {
            self.close_to(self.open.len().saturating_sub(1));
        }
        let is_void = VOID.contains(&&*name);
        if is_void || self.open.len() < DEPTH_MAX {
            self.out.extend(["<", tag.trim_end_matches('/'), ">"]);
            if !is_void {
                self.open.push(name);
            }
        }
    }

    /// An end tag without start says nothing.
    fn end(&mut self, name: &str) {
        if let Some(level) = self.open.iter().rposition(|open| open == name) {
            self.close_to(level);
        }
    }

    fn close_to(&mut self, level: usize) {
        while self.open.len() > level {
            let Some(name) = self.open.pop() else { return };
            self.out.extend(["</", &name, ">"]);
        }
    }

    /// Writes a picture that shows something.
    fn image(&mut self, tag: &str) {
        let resolve = |name| resolve(&entity::unescape(attribute(tag, name)?.into()), self.base);
        let is_dot = |name| attribute(tag, name).is_some_and(|size| matches!(size.trim_end_matches("px"), "0" | "1"));
        let Some(shown) = resolve("src").or_else(|| LAZY_SOURCES.iter().find_map(|name| resolve(name))) else { return };
        if is_dot("width") || is_dot("height") || TRACKERS.iter().any(|part| shown.as_str().contains(part)) {
            return;
        }
        self.out.extend(["<img src=\"", &minimal_escape(shown.as_str()), "\""]);
        for name in ["alt", "title", "width", "height"] {
            if let Some(value) = attribute(tag, name) {
                self.out.extend([" ", name, "=\"", &value.replace('"', "&quot;"), "\""]);
            }
        }
        self.out.push('>');
    }
}

/// Returns where the `>` of a tag is, which quotes can hide.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    let mut previous = b' ';
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if previous == b'=' => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            previous = byte;
        }
    }
    // A quote that never ends hides nothing.
    tag.find('>')
}

/// Returns what follows the end tag of an element whose content is left out.
fn after_raw<'h>(content: &'h str, name: &str, tag: &str) -> &'h str {
    if tag.ends_with('/') && matches!(name, "svg" | "math") {
        return content;
    }
    let mut rest = content;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return after.split_once('>').map_or("", |(_, after)| after);
        }
        rest = after;
    }
    ""
}

/// Returns the value of an attribute as it is written.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag.split_once(|c: char| c.is_ascii_whitespace() || c == '/')?.1;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=')?;
        let (key, after) = rest.split_at_checked(end)?;
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
            rest = after;
            continue;
        };
        let (value, after) = match value.chars().next()? {
            quote @ ('"' | '\'') => value.get(1..)?.split_once(quote)?,
            _ => value.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((value, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.trim()).filter(|value| !value.is_empty());
        }
        rest = after;
    }
}
