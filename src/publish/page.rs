//! Pages for people: home, topics, how to subscribe, archives, sources, errors. The home of `askama`; the templates are in
//! `templates/`.
//!
//! No script; nothing from other sites but pictures, if the operator wants them; links among our own pages relative: they
//! work below any prefix and as files. Only the pages of errors, which stand at any address, have absolute ones.
//! An id of an element is that of a topic or a source, or has a `_`, which theirs cannot have.
//!
//! Words such as "today" make the day of the edition a part of what a page is made from; an hour never is.

mod days;
mod home;
mod plot;
mod source;
mod story;
mod topic;

use askama::Template;
use chrono::{Datelike, NaiveDate};

use crate::config::{Language, Post, Site, Target};
use crate::feed::Timestamp;
use crate::outage::{Lack, Outage};
use crate::publish::channel::{Channel, publisher, site_address};
use crate::publish::words::{self, Words};
use crate::publish::{Edition, Format, Representation, legal};
use crate::story::Month;
use crate::topic::Topic;

pub(super) use home::home;
pub(super) use source::{page_of_source, sources};
pub(super) use story::{PageStory, lone_story, news};
pub(super) use topic::{VolumeDays, archive, topic, volume};

pub use days::day_in_zone;
pub use plot::abridged;
pub use source::{SourceYear, figures};

/// Stories of the home page, at most.
pub const RIVER_STORIES: usize = 40;
/// Length of an excerpt, in characters.
const EXCERPT_MAX: usize = 240;
/// Size of a page without its style sheet, in bytes. Further stories are in the archive. The page of a month, which shows all
/// of it, may be larger.
const PAGE_BYTES_MAX: usize = 60 * 1024;

/// The data that every page needs.
pub(super) struct Frame<'a> {
    pub(super) words: &'a Words,
    /// From the page to the site's root.
    pub(super) root: &'a str,
    /// The site's title.
    pub(super) site: &'a str,
    /// The page's public address.
    pub(super) address: String,
    /// The topic whose icon the page has; else it has that of the site.
    pub(super) icon_of: Option<String>,
    /// Whether the site can be searched.
    pub(super) is_searchable: bool,
}

#[derive(Template)]
#[template(path = "subscribe.html", whitespace = "minimize")]
struct Subscribe<'a> {
    frame: Frame<'a>,
    topic: Shown<'a>,
    title: String,
    atom: String,
    rss: String,
    json: String,
    /// Servers of the Mastodon accounts that post the topic's news.
    mastodon: Vec<String>,
    is_mailed: bool,
    contact: Option<String>,
}

#[derive(Template)]
#[template(path = "moved.html", whitespace = "minimize")]
struct MovedPage<'a> {
    frame: Frame<'a>,
    /// The topic's id now.
    id: &'a str,
    title: String,
}

#[derive(Template)]
#[template(path = "error.html", whitespace = "minimize")]
struct ErrorPage<'a> {
    frame: Frame<'a>,
    title: &'static str,
    told: &'static str,
    topics: Vec<Shown<'a>>,
}

/// An outage on a page.
struct OutageShown {
    told: &'static str,
    instant: String,
    day: String,
    /// For the operator, in English.
    reason: String,
}

/// A topic on a page.
struct Shown<'a> {
    id: &'a str,
    title: &'a str,
    description: Option<&'a str>,
}

pub(super) struct PageLink {
    pub(super) url: String,
    pub(super) title: String,
}

impl<'a> Frame<'a> {
    pub(super) fn new(edition: &Edition<'a>, root: &'a str, site: &'a str, path: &str) -> Self {
        let address = format!("{}{}", site_address(edition), path.trim_start_matches('/'));
        Self { is_searchable: edition.settings.search, ..Self::apart(edition.site.language, root, site, address) }
    }

    /// The frame of a page that is made while it is asked for.
    pub(super) fn apart(language: Language, root: &'a str, site: &'a str, address: String) -> Self {
        Self { words: words::words_in(language), root, site, address, icon_of: None, is_searchable: true }
    }

    /// Has the icon of a topic.
    fn with_icon(self, topic: &str) -> Self {
        Self { icon_of: Some(topic.to_owned()), ..self }
    }
}

/// Returns the path of the page on how to subscribe to a topic.
pub(super) fn subscribe_path(site: &Site, id: &str) -> String {
    format!("/{id}/{}/", words::words_in(site.language).page.subscribe_folder)
}

/// Renders how to subscribe to a topic.
pub(super) fn subscribe(edition: &Edition<'_>, channel: &Channel) -> Representation {
    subscribe_page(edition, channel, subscribe_path(edition.site, &channel.id), "../../")
}

/// Renders `/{topic}.html`: how to subscribe, for who opens one of its feeds in a browser, beside which it lies.
pub(super) fn opened_feed(edition: &Edition<'_>, channel: &Channel) -> Representation {
    subscribe_page(edition, channel, format!("/{}.html", channel.id), "./")
}

fn subscribe_page(edition: &Edition<'_>, channel: &Channel, path: String, root: &str) -> Representation {
    let site = site_title(edition);
    let frame = Frame::new(edition, root, &site, &subscribe_path(edition.site, &channel.id)).with_icon(&channel.id);
    let posts = edition.posts.iter().filter(|post| post.topics.contains(&channel.id));
    let (mut mastodon, mut is_mailed) = (Vec::new(), false);
    for Post { target, .. } in posts {
        match target {
            Target::Mastodon { server, .. } => mastodon.extend(server.host_str().map(str::to_owned)),
            Target::Mail { .. } => is_mailed = true,
            // Rooms, channels and services of a team are no readers' business.
            Target::Matrix { .. } | Target::Channel { .. } | Target::Webhook { .. } | Target::Command(_) => {}
        }
    }
    mastodon.sort_unstable();
    mastodon.dedup();
    let person = publisher(edition);
    let template = Subscribe {
        title: (frame.words.page.subscribe_to)(&channel.title),
        topic: shown(channel),
        atom: channel.address("atom"),
        rss: channel.address("rss"),
        json: channel.address("json"),
        mastodon,
        is_mailed,
        contact: person.email.map(|email| format!("mailto:{email}")).or(person.uri),
        frame,
    };
    page_of(path, &template)
}

/// Renders the page at one of a topic's former addresses, which leads on to the topic as it is called now.
pub(super) fn moved_page(edition: &Edition<'_>, topic: &Topic, path: String) -> Representation {
    let site = site_title(edition);
    let root = match path.trim_start_matches('/').matches('/').count() {
        0 => "./",
        1 => "../",
        _ => "../../",
    };
    let frame = Frame::new(edition, root, &site, &format!("/{}/", topic.id)).with_icon(&topic.id);
    let template = MovedPage {
        frame,
        id: &topic.id,
        title: legal::readable_line(&topic.title).unwrap_or_else(|| topic.id.clone()),
    };
    page_of(path, &template)
}

/// Renders `/404.html`, for addresses at which nothing is.
pub(super) fn not_found(edition: &Edition<'_>, channels: &[Channel]) -> Representation {
    let words = &words::words_in(edition.site.language).page;
    error_page(edition, channels, "/404.html", (words.not_found, words.not_found_told))
}

/// Renders `/503.html`, for what is missing for a moment.
pub(super) fn unavailable(edition: &Edition<'_>, channels: &[Channel]) -> Representation {
    let words = &words::words_in(edition.site.language).page;
    error_page(edition, channels, "/503.html", (words.later, words.later_told))
}

fn error_page(
    edition: &Edition<'_>,
    channels: &[Channel],
    path: &str,
    (title, told): (&'static str, &'static str),
) -> Representation {
    let site = site_title(edition);
    let root = format!("{}/", edition.site.url.path().trim_end_matches('/'));
    let frame = Frame::new(edition, &root, &site, "/");
    page_of(path.to_owned(), &ErrorPage { frame, title, told, topics: channels.iter().map(shown).collect() })
}

/// The things that this machine lacks.
fn outages(edition: &Edition<'_>) -> Vec<OutageShown> {
    let words = words::words_in(edition.site.language);
    let shown = |outage: &Outage| OutageShown {
        told: (words.outage)(outage.lack),
        instant: instant(outage.since),
        day: day(edition.site, outage.since),
        reason: match outage.lack {
            Lack::Network | Lack::Resources => outage.reason.clone(),
            // It names files of this machine, which are no readers' business.
            Lack::Store | Lack::Folder => String::new(),
        },
    };
    edition.outages.iter().map(shown).collect()
}

/// Returns `/style.css`: the operator's, else the same for every site.
pub(super) fn style(edition: &Edition<'_>) -> Representation {
    let shipped = include_str!("../../templates/style.css");
    let style = edition.settings.stylesheet.as_ref().map_or(shipped, |own| &own.text);
    Representation::new("/style.css".to_owned(), Format::Style, style.as_bytes().to_vec())
}

pub(super) fn page_of(path: String, template: &impl Template) -> Representation {
    Representation::new(path, Format::Page, html(template).into_bytes())
}

/// Renders a template, without the empty lines that its conditions leave.
pub(super) fn html(template: &impl Template) -> String {
    #[expect(clippy::expect_used, reason = "our values always format, and a String takes every byte")]
    let html = template.render().expect("renders into memory");
    let mut lines: String = html.split_inclusive('\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    if !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}

pub(super) fn site_title(edition: &Edition<'_>) -> String {
    publisher(edition).name.unwrap_or_else(|| edition.site.url.to_string())
}

fn shown(channel: &Channel) -> Shown<'_> {
    Shown { id: &channel.id, title: &channel.title, description: channel.description.as_deref() }
}

pub(super) fn month_in_words(words: &Words, month: Month) -> String {
    (words.month)(month.month.saturating_sub(1) as usize, month.year)
}

/// RFC 3339.
fn instant(date: Timestamp) -> String {
    date.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The day that it is on the clocks of the site's readers.
pub(super) fn day(site: &Site, date: Timestamp) -> String {
    date_in_words(site, date.with_timezone(&site.zone).date_naive())
}

fn date_in_words(site: &Site, date: NaiveDate) -> String {
    (words::words_in(site.language).day)(date.day(), date.month0() as usize, date.year())
}

#[cfg(test)]
mod tests;
