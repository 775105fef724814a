//! HTML with every element closed in order, none deep, no tracking pixels. Linear in its input, safe by no means.
//!
//! Elements that are not shown are replaced by `div`, `ul`, `pre` or a blank: unwrapped, they would let words run together.

use std::borrow::Cow;
use std::collections::HashMap;

use url::Url;

use super::super::entity;
use super::formula;
use super::picture::{self, Picture};
use super::tag::{self, after_comment, after_raw, attribute, attributes, has_text, raw_content};
use crate::text::elements::{is_inline, is_known, is_void};

/// Longest text that is shown of an entry: a book, not an article.
const HTML_BYTES_MAX: usize = 512 * 1024;

/// Levels of open elements; browsers of 2026 stop at 512.
const DEPTH_MAX: usize = 100;

/// Elements whose content is no markup: left out with it.
const RAW: &[&str] = &["script", "style", "noembed", "noframes", "textarea", "title", "xmp", "svg"];

/// Elements whose content is what to show without them; `image` is an obsolete name that browsers turn into a picture.
const UNWRAPPED: &[&str] = &["applet", "embed", "iframe", "image", "object", "param"];

/// Elements that end where the next of their kind begins.
const SIBLINGS: &[&str] = &["dd", "dt", "li", "option", "p", "td", "th", "tr"];

/// Elements that a paragraph ends before.
const BLOCKS: &str = "\
    address article aside blockquote details div dl figure footer form h1 h2 h3 h4 h5 h6 header hr main nav \
    ol pre section table ul";

/// Elements that mean nothing outside of a table: a browser takes their tags away, and their texts run together.
const CELLS: &[&str] = &["caption", "tbody", "td", "tfoot", "th", "thead", "tr"];

/// Elements in which text can only stand inside of cells.
const TABLES: &[&str] = &["table", "tbody", "tfoot", "thead", "tr"];

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

/// Returns `html` with what is left open closed, what is too long cut, pixels gone, each picture once. An element that is
/// not shown, and parts words, gives way to one that is shown and parts them.
///
/// `page` is the page of the entry: places within the text are places there, not in the feed (RFC 3986 §4.4).
pub(super) fn tidy(html: &str, base: Option<&Url>, page: Option<&Url>) -> String {
    Tidy { page, ..Tidy::new(html, base, false) }.tidy()
}

/// Returns a page as [`tidy`] returns a text, with all its elements: they tell where its article is.
pub(in super::super) fn tidy_page(html: &str, base: Option<&Url>) -> String {
    Tidy::new(html, base, true).tidy()
}

/// Returns the element that is written in place of one that is not shown, or that validators warn of.
fn modern(name: &str) -> Option<&'static str> {
    match name {
        "acronym" => Some("abbr"),
        "address" | "center" | "dialog" | "fieldset" | "form" | "hgroup" | "legend" | "main" | "marquee" | "nav"
        | "search" => Some("div"),
        "dir" | "menu" => Some("ul"),
        "listing" | "plaintext" => Some("pre"),
        "strike" => Some("s"),
        "tt" => Some("code"),
        _ => None,
    }
}

/// Whether an element is written here and yet not shown.
fn is_left_out(name: &str) -> bool {
    matches!(
        name,
        "body"
            | "button"
            | "canvas"
            | "datalist"
            | "frameset"
            | "head"
            | "html"
            | "input"
            | "map"
            | "meter"
            | "optgroup"
            | "option"
            | "progress"
            | "select"
            | "slot"
            | "template"
    )
}

struct Tidy<'h> {
    base: Option<&'h Url>,
    page: Option<&'h Url>,
    rest: &'h str,
    is_page: bool,
    out: String,
    /// Open elements, outermost first.
    open: Vec<OpenTag<'h>>,
    /// Open `noscript` elements: they hold what is shown without scripts.
    noscripts: usize,
    /// Whether a `picture` is open, and whether it was shown.
    is_in_picture: bool,
    is_picture_shown: bool,
    /// The first source of that `picture` that is for all screens, else its first, until it is shown.
    source: Option<Picture>,
    /// Whether that is for small screens only.
    is_source_small: bool,
    /// Pictures written, and whether in `noscript`.
    pictures: HashMap<Url, bool>,
    /// The end of the last picture that may come again, and whether it is for those without scripts.
    late_picture: Option<(usize, bool)>,
    /// The last character of a text that nothing parts from the next.
    last: Option<char>,
    /// Whether something was there that nobody sees, and that parts words.
    is_parted: bool,
    /// Whether no formula ends from here on.
    has_no_formula: bool,
}

/// An open element.
struct OpenTag<'h> {
    /// In lower case.
    name: Cow<'h, str>,
    /// The name that was written in its place, if another.
    written: Option<&'static str>,
}

impl OpenTag<'_> {
    fn written(&self) -> &str {
        self.written.unwrap_or(&self.name)
    }
}

impl<'h> Tidy<'h> {
    fn new(html: &'h str, base: Option<&'h Url>, is_page: bool) -> Self {
        let rest = html.get(..html.floor_char_boundary(HTML_BYTES_MAX)).unwrap_or(html);
        Self {
            base,
            page: None,
            rest,
            is_page,
            out: String::with_capacity(rest.len() + 64),
            open: Vec::new(),
            noscripts: 0,
            is_in_picture: false,
            is_picture_shown: false,
            source: None,
            is_source_small: false,
            pictures: HashMap::new(),
            late_picture: None,
            last: None,
            is_parted: false,
            has_no_formula: false,
        }
    }

    fn tidy(mut self) -> String {
        while let Some((text, markup)) = self.rest.split_once('<') {
            self.text(text);
            self.rest = self.markup(markup);
        }
        self.text(self.rest);
        self.close_to(0);
        self.out
    }

    fn text(&mut self, text: &str) {
        let Some(last) = text.chars().next_back() else { return };
        // A browser moves text between cells to the front of the table, where it would run into the words before it.
        let is_between_cells = || self.open.last().is_some_and(|open| TABLES.contains(&&*open.name));
        if !self.is_page && !text.trim().is_empty() && is_between_cells() {
            self.out.extend(["<div>", text, "</div>"]);
            self.last = None;
            return;
        }
        // A reference is taken for a letter.
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '&' | ';');
        if std::mem::take(&mut self.is_parted) && self.last.is_some_and(is_word) && text.starts_with(is_word) {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.last = Some(last);
    }

    /// Takes in what follows a `<`; returns what comes after it.
    fn markup(&mut self, markup: &'h str) -> &'h str {
        if let Some(comment) = markup.strip_prefix("!--") {
            return after_comment(comment);
        }
        // Sections were unwrapped before: such a mark is talked about.
        if !self.is_page && markup.starts_with("![CDATA[") {
            self.text("&lt;");
            return markup;
        }
        if markup.starts_with(['!', '?']) {
            return markup.split_once('>').map_or("", |(_, after)| after);
        }
        let is_end = markup.starts_with('/');
        let named = markup.trim_start_matches('/');
        if !named.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.text("&lt;");
            return markup;
        }
        let Some(end) = tag::end(named) else { return "" }; // cut within a tag
        let (tag, after) = named.split_at_checked(end).unwrap_or((named, ""));
        let after = after.strip_prefix('>').unwrap_or(after);
        let name_end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
        let mut name = Cow::Borrowed(tag.get(..name_end).unwrap_or_default());
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            name.to_mut().make_ascii_lowercase();
        }
        if is_end {
            self.end(&name);
        } else if name == "xmp" && !self.is_page {
            return self.preformatted(after);
        } else if RAW.contains(&&*name) {
            self.is_parted = true;
            return after_raw(after, &name, tag);
        } else if name == "math" {
            return self.formula(tag, after);
        } else {
            self.start(name, tag);
        }
        after
    }

    fn start(&mut self, name: Cow<'h, str>, tag: &'h str) {
        match &*name {
            "img" | "amp-img" => return self.image(tag),
            "picture" if !self.is_page => {
                self.source = None;
                (self.is_in_picture, self.is_picture_shown) = (true, false);
                return;
            }
            "source" if self.is_in_picture => {
                self.offer(&attributes(tag).collect::<Vec<_>>());
                return;
            }
            "audio" | "video" => self.is_in_picture = false,
            "noscript" if !self.is_page => {
                self.noscripts += 1;
                self.is_parted = true;
                return;
            }
            name if UNWRAPPED.contains(&name) || !self.is_page && !is_known(name) => {
                self.is_parted = true;
                return;
            }
            _ => {}
        }
        let written = self.replacement(&name);
        let shown = written.unwrap_or(&name);
        let last = self.open.last().map(OpenTag::written).unwrap_or_default();
        let ends_last = self.open.last().is_some_and(|open| open.name == name) && SIBLINGS.contains(&&*name)
            || last == "p" && BLOCKS.split(' ').any(|block| block == shown);
        if ends_last {
            self.close_to(self.open.len().saturating_sub(1));
        }
        let is_void = is_void(&name);
        let is_written = is_void || self.open.len() < DEPTH_MAX;
        self.part(shown, is_written);
        if is_written {
            let rest = tag.get(name.len()..).unwrap_or_default().trim_end_matches('/');
            self.out.extend(["<", shown]);
            if shown == "a" {
                self.place_in_page(tag);
            }
            self.out.push_str(rest);
            self.missing_attributes(shown, tag);
            self.out.push('>');
            if !is_void {
                self.open.push(OpenTag { name, written });
            }
        }
    }

    /// Returns the name to write in place of `name`, if another.
    fn replacement(&self, name: &str) -> Option<&'static str> {
        if self.is_page {
            return None;
        }
        let is_stray = || CELLS.contains(&name) && !self.open.iter().any(|open| open.name == "table");
        modern(name).or_else(|| is_stray().then_some("div"))
    }

    /// Writes the address of a link to a place in the text; of two attributes of one name the first counts.
    fn place_in_page(&mut self, tag: &str) {
        let Some(page) = self.page.filter(|_| tag.contains('#')) else { return };
        if let Some(place) = attribute(tag, "href").filter(|address| address.starts_with('#'))
            && let Ok(url) = page.join(&entity::unescape(place.into()))
        {
            self.attribute("href", &url.as_str().replace('&', "&amp;"));
        }
    }

    /// Writes the attributes without which nothing could be played, or no language be known.
    fn missing_attributes(&mut self, name: &str, tag: &str) {
        let is_played = matches!(name, "audio" | "video");
        if is_played && !attributes(tag).any(|(key, _)| key.eq_ignore_ascii_case("controls")) {
            self.out.push_str(" controls");
        }
        if (is_played || name == "source")
            && attribute(tag, "src").is_none()
            && let Some(address) = attribute(tag, "data-src")
        {
            self.attribute("src", address);
        }
        if tag.len() > name.len() + "xml:lang".len()
            && tag.contains("xml:lang")
            && attribute(tag, "lang").is_none()
            && let Some(language) = attribute(tag, "xml:lang")
        {
            self.attribute("lang", language);
        }
    }

    /// Writes an attribute whose value is as it was written.
    fn attribute(&mut self, name: &str, value: &str) {
        self.out.extend([" ", name, "=\"", &value.replace('"', "&quot;"), "\""]);
    }

    /// An end tag without start says nothing.
    fn end(&mut self, name: &str) {
        match name {
            "noscript" if !self.is_page => {
                self.noscripts = self.noscripts.saturating_sub(1);
                self.is_parted = true;
            }
            "picture" if !self.is_page => self.end_picture(),
            name => {
                if let Some(level) = self.open.iter().rposition(|open| open.name == name) {
                    self.close_to(level);
                } else {
                    self.is_parted |= !is_inline(name);
                }
            }
        }
    }

    fn close_to(&mut self, level: usize) {
        while self.open.len() > level {
            let Some(open) = self.open.pop() else { return };
            self.part(open.written(), true);
            self.out.extend(["</", open.written(), ">"]);
        }
    }

    /// Notes that a tag stands between two words.
    fn part(&mut self, name: &str, is_written: bool) {
        if is_inline(name) {
            return;
        }
        if is_written && !is_left_out(name) {
            self.last = None;
        } else {
            self.is_parted = true;
        }
    }

    /// Writes the content of an `xmp`, in which all markup is text (HTML §15.3.4); returns what comes after it.
    fn preformatted(&mut self, after: &'h str) -> &'h str {
        let (content, after) = raw_content(after, "xmp").unwrap_or((after, ""));
        self.start(Cow::Borrowed("pre"), "pre");
        self.text(&content.replace('&', "&amp;").replace('<', "&lt;"));
        self.end("pre");
        after
    }

    /// Writes a formula as text; returns what comes after it.
    fn formula(&mut self, tag: &'h str, after: &'h str) -> &'h str {
        let stated = attribute(tag, "alttext").map(|text| text.replace('<', "&lt;"));
        let content = if tag.ends_with('/') { Some(("", after)) } else { None };
        let content = content.or_else(|| if self.has_no_formula { None } else { raw_content(after, "math") });
        // Without an end, its elements are unknown ones.
        self.has_no_formula |= content.is_none();
        let Some((content, after)) = content else { return after };
        let text = stated.unwrap_or_else(|| formula::formula_text(content).replace('&', "&amp;").replace('<', "&lt;"));
        self.text(&text);
        after
    }

    /// Takes in a source of a `picture`.
    fn offer(&mut self, attributes: &[(&str, &str)]) {
        let is_small = picture::is_for_small_screens(attributes);
        if (self.source.is_none() || self.is_source_small && !is_small)
            && let Some(source) = picture::offered_picture(attributes, self.base)
        {
            (self.source, self.is_source_small) = (Some(source), is_small);
        }
    }

    /// Writes a picture that shows something, unless it is another copy of one.
    fn image(&mut self, tag: &str) {
        let attributes: Vec<_> = attributes(tag).collect();
        let source = self.source.take().filter(|_| self.is_in_picture);
        self.is_picture_shown = true;
        let Some(shown) = picture::best_picture(&attributes, source, self.base) else { return };
        let value = |name: &str| {
            let found = attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| *value).filter(|value| !value.is_empty())
        };
        let is_dot = |name| value(name).is_some_and(|size| matches!(size.trim_end_matches("px"), "0" | "1"));
        if is_dot("width") || is_dot("height") || TRACKERS.iter().any(|part| shown.url.as_str().contains(part)) {
            return;
        }
        if self.is_copy(&shown) {
            return;
        }
        self.out.extend(["<img src=\"", &shown.url.as_str().replace('&', "&amp;"), "\""]);
        for name in ["alt", "title", "width", "height"] {
            if let Some(value) = value(name) {
                self.attribute(name, value);
            }
        }
        self.out.push('>');
        self.last = None;
        let is_plain = self.noscripts > 0;
        self.late_picture = (shown.is_lazy || is_plain).then_some((self.out.len(), is_plain));
        *self.pictures.entry(shown.url).or_default() |= is_plain;
    }

    /// Whether a picture is the one before it: once for scripts, once without.
    fn is_copy(&mut self, picture: &Picture) -> bool {
        if self.is_page {
            return false;
        }
        let is_plain = self.noscripts > 0;
        let known = self.pictures.get(&picture.url);
        let follows = || {
            let (end, was_plain) = self.late_picture?;
            self.out.get(end..).filter(|between| was_plain != is_plain && !has_text(between))
        };
        let is_copy = if is_plain {
            known.is_some() || follows().is_some()
        } else {
            picture.is_lazy && (known == Some(&true) || follows().is_some())
        };
        if is_copy {
            self.late_picture = None;
        }
        is_copy
    }

    /// Writes the picture of a `picture` that holds no `img`.
    fn end_picture(&mut self) {
        if let Some(Picture { url, .. }) = self.source.take().filter(|_| self.is_in_picture && !self.is_picture_shown) {
            let address = url.as_str().replace('&', "&amp;");
            self.image(&format!("img src=\"{address}\""));
        }
        self.is_in_picture = false;
    }
}
