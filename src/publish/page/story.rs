//! A story on a page.

use askama::Template;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use super::{EXCERPT_MAX, PageLink, days, html};
use crate::config::Site;
use crate::feed::Image;
use crate::publish::archive;
use crate::publish::item::{self, Item};
use crate::publish::words::{self, Words};
use crate::publish::{Edition, Format, legal};
use crate::story::Month;
use crate::text;

/// Longest side of a picture that is believed, in pixels.
const SIDE_MAX: u32 = 20_000;
/// Tags of publishers that are shown with a story, and their length in characters.
const TAGS_MAX: usize = 5;
const TAG_LENGTH_MAX: usize = 40;
/// Sources that told a story which are named with it; the others are counted.
const TELLERS_MAX: usize = 4;

/// A story on a page.
pub(in crate::publish) struct PageStory<'a> {
    pub(in crate::publish) title: &'a str,
    pub(in crate::publish) url: Option<&'a str>,
    pub(in crate::publish) language: Option<&'a str>,
    pub(in crate::publish) source: &'a str,
    /// RFC 3339, for machines.
    pub(in crate::publish) instant: String,
    pub(in crate::publish) day: String,
    pub(in crate::publish) excerpt: Option<String>,
    pub(in crate::publish) elsewhere: Vec<PageLink>,
    /// The hour at which it is shown, or its own day if it is shown on another.
    pub(super) hour: Option<String>,
    /// The id of its element.
    pub(super) anchor: String,
    /// The address of its element in the archive, from the page.
    pub(super) lasting: String,
    /// The page of its source, from the page.
    pub(super) source_page: Option<String>,
    /// Other sources that told it.
    pub(super) tellers: Vec<PageLink>,
    /// Number of the sources beyond them.
    pub(super) more_tellers: usize,
    pub(super) tags: Vec<String>,
    pub(super) picture: Option<PagePicture>,
    pub(super) why: String,
    pub(super) related: Vec<PageLink>,
    pub(super) comments: Option<PageLink>,
}

/// The picture of a story on a page.
pub(super) struct PagePicture {
    url: String,
    /// Empty if nobody described it: the title stands beside it.
    alt: String,
    /// Width and height, if the publisher says both.
    size: Option<(u32, u32)>,
}

#[derive(Template)]
#[template(path = "article.html", whitespace = "minimize")]
struct Article<'a> {
    words: &'a Words,
    item: PageStory<'a>,
}

impl From<&item::Link> for PageLink {
    fn from(link: &item::Link) -> Self {
        Self { url: link.url.clone(), title: link.title.clone().unwrap_or_else(|| link.url.clone()) }
    }
}

/// The page on which a story stands.
#[derive(Clone, Copy)]
pub(super) struct Stand<'a> {
    /// From the page to the site's root.
    pub(super) root: &'a str,
    /// The topic in whose archive the story is.
    pub(super) topic: &'a str,
    /// The day under which it is shown.
    pub(super) day: NaiveDate,
    /// Whether the pages of sources are linked: an old page would lead to some that are gone.
    pub(super) links_sources: bool,
}

/// Renders a story among others.
pub(super) fn story_element(
    edition: &Edition<'_>,
    item: &Item,
    stand: &Stand<'_>,
    picture: Option<PagePicture>,
) -> String {
    let item = PageStory { picture, ..on_page(edition, item, stand) };
    format!("{}\n", html(&Article { words: words::words_in(edition.site.language), item }).trim())
}

/// Renders a story that stands alone: with its day, without its picture.
pub(in crate::publish) fn lone_story(edition: &Edition<'_>, topic: &str, item: &Item) -> String {
    let root = edition.site.url.as_str();
    story_element(edition, item, &Stand { root, topic, day: NaiveDate::MIN, links_sources: false }, None)
}

pub(super) fn shown_picture(image: &Image) -> PagePicture {
    let side = |pixels: Option<u32>| pixels.filter(|pixels| (1..=SIDE_MAX).contains(pixels));
    PagePicture {
        url: legal::iri(image.url.as_str()),
        alt: image.alt.as_deref().map(|alt| legal::beginning(alt, EXCERPT_MAX)).unwrap_or_default(),
        size: side(image.width).zip(side(image.height)),
    }
}

/// Returns a story as pages show it at a place.
pub(super) fn on_page<'a>(edition: &Edition<'_>, item: &'a Item, stand: &Stand<'_>) -> PageStory<'a> {
    let (site, Stand { root, topic, .. }) = (edition.site, stand);
    let month = archive::path(topic, Month::of(item.published), Format::Page);
    let story = news(site, item);
    let is_on_its_day = days::day_in_zone(site, item.published) == stand.day;
    let own_day = (!is_on_its_day).then(|| story.day.clone());
    let id = &item.source.source_id;
    let has_page = stand.links_sources && edition.sources.get(id).is_some_and(|credit| credit.is_polled);
    let mut tellers: Vec<PageLink> = Vec::new();
    for link in &item.elsewhere {
        let title = link.teller.as_ref().filter(|name| tellers.iter().all(|other| other.title != **name));
        if let Some(title) = title.filter(|title| **title != item.source.title) {
            tellers.push(PageLink { url: link.url.clone(), title: title.clone() });
        }
    }
    let more_tellers = tellers.len().saturating_sub(TELLERS_MAX);
    tellers.truncate(TELLERS_MAX);
    PageStory {
        hour: own_day.or_else(|| days::hour(site, item.published)),
        lasting: format!("{root}{}#{}", month.trim_start_matches('/'), story.anchor),
        source_page: has_page.then(|| format!("{root}sources/{id}/")),
        tellers,
        more_tellers,
        ..story
    }
}

/// Returns a story as mails and pages show it, wherever it stands.
pub(in crate::publish) fn news<'a>(site: &Site, item: &'a Item) -> PageStory<'a> {
    let words = words::words_in(site.language);
    let comments = item.comments.url.as_ref().and_then(legal::link);
    PageStory {
        title: &item.title,
        url: item.url.as_deref(),
        language: item.language.as_deref(),
        source: &item.source.title,
        instant: super::instant(item.published),
        day: super::day(site, item.published),
        excerpt: excerpt(item, EXCERPT_MAX),
        elsewhere: item.elsewhere.iter().map(PageLink::from).collect(),
        hour: None,
        anchor: anchor(&item.id),
        lasting: String::new(),
        source_page: None,
        tellers: Vec::new(),
        more_tellers: 0,
        tags: tags(item),
        picture: None,
        why: item.why.join(", "),
        related: item.related.iter().map(PageLink::from).collect(),
        comments: comments.map(|url| PageLink { url, title: (words.comments)(item.comments.count) }),
    }
}

/// Returns the id of a story's element: a hash of its Atom id, so that it lasts as long.
fn anchor(id: &str) -> String {
    let hash = Sha256::digest(id);
    format!("n_{}", data_encoding::HEXLOWER.encode(hash.get(..6).unwrap_or(&hash)))
}

/// The publishers' own tags, each once.
fn tags(item: &Item) -> Vec<String> {
    // The last category is the topic.
    let publishers = item.categories.split_last().map(|(_, publishers)| publishers).unwrap_or_default();
    let mut tags: Vec<String> = Vec::new();
    for tag in publishers.iter().map(|tag| tag.label.as_ref().unwrap_or(&tag.term)) {
        let is_new = tags.iter().all(|other| other.to_lowercase() != tag.to_lowercase());
        if is_new && tags.len() < TAGS_MAX && tag.chars().count() <= TAG_LENGTH_MAX {
            tags.push(tag.clone());
        }
    }
    tags
}

/// The beginning of the text, cut at a word; none if it only repeats the title.
pub(super) fn excerpt(item: &Item, length: usize) -> Option<String> {
    let html = item.summary.as_deref().or(item.content.as_deref())?;
    let text = text::html_to_text(html);
    (!text.is_empty() && text != item.title).then(|| legal::beginning(&text, length))
}
