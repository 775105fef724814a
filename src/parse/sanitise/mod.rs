//! From what a publisher wrote to what may be shown: the only home of `ammonia`.
//!
//! [`tidy`] comes first, for time (a tree of unclosed elements costs the square of their number) and for what a list of
//! allowed attributes cannot say; `ammonia` comes last and decides what is safe. Markup so plain that its answer is known
//! is written without it ([`direct`]).

mod direct;
mod formula;
mod picture;
mod tag;
mod tidy;

use std::cell::LazyCell;
use std::collections::HashMap;

use ammonia::{Builder, UrlRelative};
use url::Url;

use direct::direct;
use tidy::tidy;
pub(super) use tidy::tidy_page;

use crate::feed::{Entry, Image, Person};
use crate::text::html_to_text;
use crate::text::markup::Odd;

/// Elements that may be shown: text, lists, tables, pictures, sound. No `bdo`, of which validators warn: it disguises text.
const ELEMENTS: &str = "\
    a abbr article aside audio b bdi blockquote br caption cite code col colgroup dd del details dfn div \
    dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p pre q rp rt \
    ruby s samp section small source span strong sub summary sup table tbody td tfoot th thead time tr track u \
    ul var video wbr";

/// Elements whose content is code, or means nothing outside of them.
const DROPPED_WHOLE: &str = "script style svg math template noembed noframes select textarea title xmp";

const SCHEMES: &[&str] = &["http", "https", "mailto", "tel", "ftp"];

/// Side of the largest smiley or icon, in pixels.
const SIGN_MAX: u32 = 48;

/// Pictures of a text that are looked at for the entry's own.
const PICTURES_MAX: usize = 20;

/// The `rel` of every link: the linked site learns nothing of the page that a reader comes from.
const LINK_REL: &str = "noopener noreferrer";

/// Attributes of every element.
const GENERIC_ATTRIBUTES: &[&str] = &["lang", "dir", "title"];

/// Attributes of one element. No `cite`: no browser shows where it leads, and `ammonia` does not look at it.
const ATTRIBUTES: &[(&str, &[&str])] = &[
    ("a", &["href", "hreflang"]),
    ("audio", &["src", "controls"]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("del", &["datetime"]),
    ("img", &["src", "alt", "width", "height"]),
    ("ins", &["datetime"]),
    ("li", &["value"]),
    ("ol", &["start", "reversed", "type"]),
    ("source", &["src", "type"]),
    ("td", &["colspan", "rowspan", "headers"]),
    ("th", &["colspan", "rowspan", "headers", "scope"]),
    ("time", &["datetime"]),
    ("track", &["src", "kind", "srclang", "label", "default"]),
    ("video", &["src", "controls", "poster", "width", "height"]),
];

/// Makes an entry safe to show: summary and content sanitised, their links and images absolute.
///
/// The other fields are plain text already. The same entry gives the same result; that result may be nested in another
/// way when it is read again, for what stood between two elements is gone.
#[must_use]
pub fn sanitise(mut entry: Entry) -> Entry {
    let page = entry.url.as_ref();
    let base = entry.base.as_ref().or(page);
    let cleaner = LazyCell::new(|| cleaner(base));
    let clean = |html: Option<String>| {
        let tidy = tidy(&html?, base, page);
        let mut html = direct(&tidy, base).unwrap_or_else(|Odd| cleaner.clean(&tidy).to_string());
        html.truncate(html.trim_end().len());
        html.drain(..html.len() - html.trim_start().len());
        (!html.is_empty()).then_some(html)
    };
    entry.summary = clean(entry.summary.take());
    entry.content = clean(entry.content.take());
    entry.authors.iter_mut().for_each(drop_unsafe_uri);
    let texts = || [&entry.content, &entry.summary].into_iter().flatten();
    entry.image = entry.image.take().or_else(|| texts().find_map(|html| first_picture(html)));
    entry
}

/// Returns the first picture of sanitised HTML that is no mere sign.
fn first_picture(html: &str) -> Option<Image> {
    let tags =
        html.split("<img ").skip(1).take(PICTURES_MAX).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag);
    let mut pictures = tags.filter_map(|tag| {
        let value = |name: &str| tag.split_once(name)?.1.split_once('"').map(|(value, _)| value);
        let size = |name| value(name).and_then(|size| size.trim_end_matches("px").parse::<u32>().ok());
        let (width, height) = (size(" width=\""), size(" height=\""));
        let is_sign = |size: Option<u32>| size.is_some_and(|size| size <= SIGN_MAX);
        let url = Url::parse(&value("src=\"")?.replace("&amp;", "&")).ok()?;
        let is_picture = matches!(url.scheme(), "http" | "https") && !url.path().contains("/emoji/");
        let alt = || Some(html_to_text(value(" alt=\"")?)).filter(|alt| !alt.is_empty());
        (is_picture && !is_sign(width) && !is_sign(height)).then(|| Image { url, alt: alt(), width, height })
    });
    pictures.next()
}

fn drop_unsafe_uri(person: &mut Person) {
    person.uri = person.uri.take().filter(|uri| Url::parse(uri).is_ok_and(|uri| SCHEMES.contains(&uri.scheme())));
}

fn cleaner(base: Option<&Url>) -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.split(' ').collect())
        .clean_content_tags(DROPPED_WHOLE.split(' ').collect())
        .generic_attributes(GENERIC_ATTRIBUTES.iter().copied().collect())
        .tag_attributes(
            ATTRIBUTES.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect::<HashMap<_, _>>(),
        )
        .url_schemes(SCHEMES.iter().copied().collect())
        .url_relative(base.map_or(UrlRelative::Deny, |base| UrlRelative::RewriteWithBase(base.clone())))
        .link_rel(Some(LINK_REL))
        .set_tag_attribute_value("img", "loading", "lazy");
    builder
}

#[cfg(test)]
mod tests;
