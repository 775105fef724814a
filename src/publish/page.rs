//! Pages for people: home, topics, their archives, sources. The home of `askama`; the templates are in `templates/`.
//!
//! No script; nothing from other sites but pictures, if the operator wants them; links among our own pages relative: they
//! work below any prefix and as files.
//! An id of an element is that of a topic or a source, or has a `_`, which theirs cannot have.

use askama::Template;
use chrono::Datelike;

use crate::config::{Language, ShownImages, Site};
use crate::feed::{Image, Timestamp};
use crate::outage::{Lack, Outage};
use crate::publish::archive::{self, Volume};
use crate::publish::channel::{Channel, publisher, site_address};
use crate::publish::hidden;
use crate::publish::item::{self, Item};
use crate::publish::policy::Origins;
use crate::publish::words::{self, Words};
use crate::publish::{CONFIG, Edition, Format, POST, Representation, legal};
use crate::state::{Health, Monitored, Turn};
use crate::story::Month;
use crate::text;
use crate::topic::Topic;

/// News of each topic on the home page.
pub const HOME_NEWS: usize = 5;
/// Length of an excerpt, in characters.
const EXCERPT_MAX: usize = 300;
/// Longest side of a picture that is believed, in pixels.
const SIDE_MAX: u32 = 20_000;

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
#[template(path = "home.html", whitespace = "minimize")]
struct Home<'a> {
    frame: Frame<'a>,
    outages: Vec<OutageShown>,
    topics: Vec<Shown<'a>>,
}

#[derive(Template)]
#[template(path = "topic.html", whitespace = "minimize")]
struct TopicPage<'a> {
    frame: Frame<'a>,
    topic: Shown<'a>,
    /// The stories, rendered: each an [`Article`].
    articles: &'a str,
    /// The `meta` element with the policy for the pictures of other sites, or nothing.
    policy: String,
    /// A volume's month, as people write it.
    month: Option<String>,
    previous: Option<PageLink>,
    next: Option<PageLink>,
}

#[derive(Template)]
#[template(path = "article.html", whitespace = "minimize")]
struct Article<'a> {
    words: &'a Words,
    item: PageStory<'a>,
}

#[derive(Template)]
#[template(path = "archive.html", whitespace = "minimize")]
struct Archive<'a> {
    frame: Frame<'a>,
    topic: Shown<'a>,
    months: Vec<PageLink>,
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
#[template(path = "sources.html", whitespace = "minimize")]
struct Sources<'a> {
    frame: Frame<'a>,
    outages: Vec<OutageShown>,
    groups: Vec<Group>,
    hubs: Vec<HubShown>,
    /// The words for a hub in trouble.
    hub_trouble: &'static str,
}

/// An outage on a page.
struct OutageShown {
    told: &'static str,
    instant: String,
    day: String,
    /// For the operator, in English.
    reason: String,
}

/// A hub on a page.
struct HubShown {
    address: String,
    /// Why it takes no announcements.
    trouble: Option<String>,
}

/// Sources that fare alike.
struct Group {
    id: &'static str,
    heading: &'static str,
    sources: Vec<SourceShown>,
}

/// A source on a page.
struct SourceShown {
    id: String,
    title: String,
    site: Option<String>,
    feed: Option<String>,
    /// Its current problem.
    trouble: Option<Trouble>,
    moved_to: Option<String>,
}

struct Trouble {
    health: &'static str,
    instant: String,
    day: String,
    /// With its language.
    detail: Option<(String, &'static str)>,
}

/// A topic on a page.
struct Shown<'a> {
    id: &'a str,
    title: &'a str,
    description: Option<&'a str>,
    news: Vec<PageStory<'a>>,
}

/// A story on a page.
pub(super) struct PageStory<'a> {
    pub(super) title: &'a str,
    pub(super) url: Option<&'a str>,
    pub(super) language: Option<&'a str>,
    pub(super) source: &'a str,
    /// RFC 3339, for machines.
    pub(super) instant: String,
    pub(super) day: String,
    pub(super) excerpt: Option<String>,
    picture: Option<PagePicture>,
    why: String,
    pub(super) elsewhere: Vec<PageLink>,
    related: Vec<PageLink>,
    comments: Option<PageLink>,
}

/// The picture of a story on a page.
struct PagePicture {
    url: String,
    /// Empty if nobody described it: the title stands beside it.
    alt: String,
    /// Width and height, if the publisher says both.
    size: Option<(u32, u32)>,
}

pub(super) struct PageLink {
    pub(super) url: String,
    pub(super) title: String,
}

impl From<&item::Link> for PageLink {
    fn from(link: &item::Link) -> Self {
        Self { url: link.url.clone(), title: link.title.clone().unwrap_or_else(|| link.url.clone()) }
    }
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

/// Renders `/`.
pub(super) fn home(edition: &Edition<'_>, channels: &[Channel]) -> Representation {
    let site = site_title(edition);
    let frame = Frame::new(edition, "./", &site, "/");
    let topics = channels.iter().map(|channel| shown(edition.site, channel, HOME_NEWS)).collect();
    page_of("/".to_owned(), &Home { frame, outages: outages(edition), topics })
}

/// Renders `/{topic}/`.
pub(super) fn topic(edition: &Edition<'_>, channel: &Channel) -> Representation {
    newest(edition, channel, format!("/{}/", channel.id), "../")
}

/// Renders `/{topic}.html`: the page of a topic for who opens one of its feeds in a browser, beside which it lies.
pub(super) fn opened_feed(edition: &Edition<'_>, channel: &Channel) -> Representation {
    newest(edition, channel, format!("/{}.html", channel.id), "./")
}

fn newest(edition: &Edition<'_>, channel: &Channel, path: String, root: &str) -> Representation {
    let site = site_title(edition);
    let frame = Frame::new(edition, root, &site, &format!("/{}/", channel.id)).with_icon(&channel.id);
    let mut origins = Origins::default();
    let is_shown = edition.settings.images == ShownImages::Linked;
    let mut picture = |item: &Item| item.image.as_ref().filter(|image| is_shown && origins.admit(image)).map(picture);
    let articles: String = channel.items.iter().map(|item| story(edition.site, item, picture(item))).collect();
    let topic = shown(edition.site, channel, 0);
    let policy = origins.meta();
    let template = TopicPage { frame, topic, articles: &articles, policy, month: None, previous: None, next: None };
    page_of(path, &template)
}

/// Renders a story as it stands among others on the page of a volume. Without its picture: a volume is written story by
/// story, and its head, which would name where pictures come from, is written first.
pub(super) fn article_element(site: &Site, item: &Item) -> String {
    story(site, item, None)
}

fn story(site: &Site, item: &Item, picture: Option<PagePicture>) -> String {
    let item = PageStory { picture, ..news(site, item) };
    format!("\n{}\n", html(&Article { words: words::words_in(site.language), item }))
}

fn picture(image: &Image) -> PagePicture {
    let side = |pixels: Option<u32>| pixels.filter(|pixels| (1..=SIDE_MAX).contains(pixels));
    PagePicture {
        url: legal::iri(image.url.as_str()),
        alt: image.alt.as_deref().map(|alt| legal::beginning(alt, EXCERPT_MAX)).unwrap_or_default(),
        size: side(image.width).zip(side(image.height)),
    }
}

/// Renders `/{topic}/archive/`: the months, newest first.
pub(super) fn archive(edition: &Edition<'_>, channel: &Channel, months: &[Month]) -> Representation {
    let site = site_title(edition);
    let path = format!("/{}/archive/", channel.id);
    let frame = Frame::new(edition, "../../", &site, &path).with_icon(&channel.id);
    let words = frame.words;
    let months =
        months.iter().rev().map(|month| PageLink { url: format!("{month}/"), title: month_in_words(words, *month) });
    let template = Archive { frame, topic: shown(edition.site, channel, 0), months: months.collect() };
    page_of(path, &template)
}

/// Renders the page at one of a topic's former addresses, which leads on to the topic as it is called now.
pub(super) fn moved_page(edition: &Edition<'_>, topic: &Topic, path: String) -> Representation {
    let site = site_title(edition);
    let root = if path.ends_with("/archive/") {
        "../../"
    } else if path.ends_with('/') {
        "../"
    } else {
        "./"
    };
    let frame = Frame::new(edition, root, &site, &format!("/{}/", topic.id)).with_icon(&topic.id);
    let template = MovedPage {
        frame,
        id: &topic.id,
        title: legal::readable_line(&topic.title).unwrap_or_else(|| topic.id.clone()),
    };
    page_of(path, &template)
}

/// A character that no text of ours holds (XML has no word for it): it shows where the stories belong.
const STORIES: &str = "\0";

/// Renders what stands before and after the stories of `/{topic}/archive/{month}/`.
pub(super) fn volume(
    edition: &Edition<'_>,
    channel: &Channel,
    volume: &Volume<'_>,
    is_empty: bool,
) -> (Vec<u8>, Vec<u8>) {
    let site = site_title(edition);
    let path = archive::path(&channel.id, volume.month, Format::Page);
    let frame = Frame::new(edition, "../../../", &site, &path).with_icon(&channel.id);
    let words = frame.words;
    let neighbour = |month: Month| PageLink { url: format!("../{month}/"), title: month_in_words(words, month) };
    let template = TopicPage {
        topic: shown(edition.site, channel, 0),
        articles: if is_empty { "" } else { STORIES },
        policy: String::new(),
        month: Some(month_in_words(words, volume.month)),
        previous: volume.previous.map(neighbour),
        next: volume.next.map(neighbour),
        frame,
    };
    let html = html(&template);
    let (head, tail) = html.split_once(STORIES).unwrap_or((&html, ""));
    (head.into(), tail.into())
}

pub(super) fn month_in_words(words: &Words, month: Month) -> String {
    (words.month)(month.month.saturating_sub(1) as usize, month.year)
}

/// Renders `/sources/`: how the sources are that are polled.
pub(super) fn sources(edition: &Edition<'_>) -> Representation {
    let site = site_title(edition);
    let frame = Frame::new(edition, "../", &site, "/sources/");
    let polled = edition.sources.iter().filter(|(_, credit)| credit.is_polled);
    let mut sources: Vec<(bool, SourceShown)> = polled
        .map(|(id, credit)| {
            let item::Attribution { title, url, site, .. } = item::attribution(edition, id);
            let trouble = credit.health.as_ref().and_then(|turn| trouble(edition, turn));
            let moved_to = credit.moved_to.as_ref().filter(|_| !credit.is_private()).and_then(legal::link);
            let is_read = credit.about.format.is_some();
            (is_read, SourceShown { id: id.clone(), title, site, feed: url, trouble, moved_to })
        })
        .collect();
    sources.sort_by_key(|(_, source)| source.title.to_lowercase());
    let (ill, others): (Vec<_>, Vec<_>) = sources.into_iter().partition(|(_, source)| source.trouble.is_some());
    let (well, unread): (Vec<_>, Vec<_>) = others.into_iter().partition(|(is_read, _)| *is_read);
    let of = |sources: Vec<(bool, SourceShown)>| sources.into_iter().map(|(_, source)| source);
    let words = frame.words;
    let operators = edition.config.iter().map(|turn| config(edition, turn));
    let operators = operators.chain(edition.posts.iter().filter_map(|turn| post(edition, turn)));
    let groups = [
        Group { id: "in_trouble", heading: words.in_trouble, sources: operators.chain(of(ill)).collect() },
        Group { id: "unread", heading: words.unread, sources: of(unread).collect() },
        Group { id: "well", heading: words.in_order, sources: of(well).collect() },
    ];
    let groups = groups.into_iter().filter(|group| !group.sources.is_empty()).collect();
    let hub_trouble = (frame.words.health)(Health::Unreachable);
    let hubs = hubs(edition);
    page_of("/sources/".to_owned(), &Sources { frame, outages: outages(edition), groups, hubs, hub_trouble })
}

/// The config, as long as something is wrong with it, stands first: no source can mend it.
fn config(edition: &Edition<'_>, turn: &Turn) -> SourceShown {
    let (id, title) = (CONFIG.to_owned(), CONFIG.to_owned());
    SourceShown { id, title, site: None, feed: None, trouble: trouble(edition, turn), moved_to: None }
}

/// A post that cannot send. The reason is told where no reader looks: it may name servers.
fn post(edition: &Edition<'_>, turn: &Turn) -> Option<SourceShown> {
    let Monitored::Post(id) = &turn.of else { return None };
    let title = (words::words_in(edition.site.language).post)(id);
    let (id, trouble) = (format!("{POST}{id}"), trouble(edition, turn));
    Some(SourceShown { id, title, site: None, feed: None, trouble, moved_to: None })
}

/// The hubs of the config. Dates of announcements are left out: the page would change with each one.
fn hubs(edition: &Edition<'_>) -> Vec<HubShown> {
    let trouble =
        |hub: &str| edition.hubs.iter().filter(|told| told.hub == hub).find_map(|told| told.last_error.clone());
    let hubs = edition.settings.hubs.iter();
    hubs.map(|hub| HubShown { address: legal::iri(hub.as_str()), trouble: trouble(hub.as_str()) }).collect()
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

fn trouble(edition: &Edition<'_>, turn: &Turn) -> Option<Trouble> {
    let words = words::words_in(edition.site.language);
    (turn.health != Health::Recovered).then(|| Trouble {
        health: (words.health)(turn.health),
        instant: instant(turn.date),
        day: day(edition.site, turn.date),
        detail: hidden::detail(edition, turn),
    })
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

pub(super) fn html(template: &impl Template) -> String {
    #[expect(clippy::expect_used, reason = "our values always format, and a String takes every byte")]
    template.render().expect("renders into memory")
}

pub(super) fn site_title(edition: &Edition<'_>) -> String {
    publisher(edition).name.unwrap_or_else(|| edition.site.url.to_string())
}

fn shown<'a>(site: &Site, channel: &'a Channel, limit: usize) -> Shown<'a> {
    Shown {
        id: &channel.id,
        title: &channel.title,
        description: channel.description.as_deref(),
        news: channel.items.iter().take(limit).map(|item| news(site, item)).collect(),
    }
}

pub(super) fn news<'a>(site: &Site, item: &'a Item) -> PageStory<'a> {
    PageStory {
        title: &item.title,
        url: item.url.as_deref(),
        language: item.language.as_deref(),
        source: &item.source.title,
        instant: instant(item.published),
        day: day(site, item.published),
        excerpt: excerpt(item),
        picture: None,
        why: item.why.join(", "),
        elsewhere: item.elsewhere.iter().map(PageLink::from).collect(),
        related: item.related.iter().map(PageLink::from).collect(),
        comments: item
            .comments
            .url
            .as_ref()
            .and_then(legal::link)
            .map(|url| PageLink { url, title: (words::words_in(site.language).comments)(item.comments.count) }),
    }
}

/// RFC 3339.
fn instant(date: Timestamp) -> String {
    date.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The day that it is on the clocks of the site's readers.
pub(super) fn day(site: &Site, date: Timestamp) -> String {
    let date = date.with_timezone(&site.zone);
    (words::words_in(site.language).day)(date.day(), date.month0() as usize, date.year())
}

/// The beginning of the text, cut at a word; none if it only repeats the title.
fn excerpt(item: &Item) -> Option<String> {
    let html = item.summary.as_deref().or(item.content.as_deref())?;
    let text = text::html_to_text(html);
    (!text.is_empty() && text != item.title).then(|| legal::beginning(&text, EXCERPT_MAX))
}

#[cfg(test)]
mod tests;
