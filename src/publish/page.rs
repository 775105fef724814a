//! Pages for people: the home page and one a topic. The home of `askama`; the templates are in `templates/`.
//!
//! No script, nothing from other sites, links among our own pages relative: they work below any prefix and as files.

mod words;

use askama::Template;
use chrono::Datelike;

use crate::feed::Timestamp;
use crate::publish::channel::{Channel, publisher};
use crate::publish::item::Item;
use crate::publish::{Edition, Format, Representation, dates, legal};
use crate::text;
use words::Words;

/// News of each topic on the home page.
const HOME_NEWS: usize = 5;
/// Length of an excerpt, in characters.
const EXCERPT_MAX: usize = 300;

#[derive(Template)]
#[template(path = "home.html", whitespace = "minimize")]
struct Home<'a> {
    words: &'a Words,
    root: &'a str,
    title: &'a str,
    topics: Vec<Shown<'a>>,
}

#[derive(Template)]
#[template(path = "topic.html", whitespace = "minimize")]
struct Page<'a> {
    words: &'a Words,
    root: &'a str,
    title: &'a str,
    address: &'a str,
    topic: Shown<'a>,
}

/// A topic on a page.
struct Shown<'a> {
    id: &'a str,
    title: &'a str,
    description: Option<&'a str>,
    news: Vec<News<'a>>,
}

/// A story on a page.
struct News<'a> {
    title: &'a str,
    url: Option<&'a str>,
    language: Option<&'a str>,
    source: &'a str,
    /// RFC 3339, for machines.
    instant: String,
    day: String,
    excerpt: Option<String>,
    why: String,
    related: Vec<Link>,
    comments: Option<Link>,
}

struct Link {
    url: String,
    title: String,
}

/// Renders `/`.
pub(super) fn home(edition: &Edition<'_>, channels: &[Channel]) -> Representation {
    let words = words::of(edition.site.language);
    let title = site_title(edition);
    let topics = channels.iter().map(|channel| shown(words, channel, HOME_NEWS)).collect();
    let updated = channels.iter().map(|channel| channel.updated).max().unwrap_or(dates::EMPTY);
    page("/".to_owned(), &Home { words, root: "", title: &title, topics }, updated)
}

/// Renders `/{topic}/`.
pub(super) fn topic(edition: &Edition<'_>, channel: &Channel) -> Representation {
    let words = words::of(edition.site.language);
    let title = site_title(edition);
    let topic = shown(words, channel, usize::MAX);
    let template = Page { words, root: "../", title: &title, address: &channel.page, topic };
    page(format!("/{}/", channel.id), &template, channel.updated)
}

/// Returns `/style.css`, the same for every site.
pub(super) fn style() -> Representation {
    let style = include_bytes!("../../templates/style.css").to_vec();
    Representation::new("/style.css".to_owned(), Format::Style, style, dates::EMPTY)
}

fn page(path: String, template: &impl Template, updated: Timestamp) -> Representation {
    #[expect(clippy::expect_used, reason = "our values always format, and a String takes every byte")]
    let html = template.render().expect("renders into memory");
    Representation::new(path, Format::Page, html.into_bytes(), updated)
}

fn site_title(edition: &Edition<'_>) -> String {
    publisher(edition).name.unwrap_or_else(|| edition.site.url.to_string())
}

fn shown<'a>(words: &Words, channel: &'a Channel, limit: usize) -> Shown<'a> {
    Shown {
        id: &channel.id,
        title: &channel.title,
        description: channel.description.as_deref(),
        news: channel.items.iter().take(limit).map(|item| news(words, item)).collect(),
    }
}

fn news<'a>(words: &Words, item: &'a Item) -> News<'a> {
    let related = item
        .related
        .iter()
        .map(|link| Link { url: link.url.clone(), title: link.title.clone().unwrap_or_else(|| link.url.clone()) });
    News {
        title: &item.title,
        url: item.url.as_deref(),
        language: item.language.as_deref(),
        source: &item.source.title,
        instant: item.published.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        day: (words.day)(item.published.day(), item.published.month0() as usize, item.published.year()),
        excerpt: excerpt(item),
        why: item.why.join(", "),
        related: related.collect(),
        comments: item
            .comments
            .url
            .as_ref()
            .and_then(legal::link)
            .map(|url| Link { url, title: (words.comments)(item.comments.count) }),
    }
}

/// The beginning of the text, cut at a word; none if it only repeats the title.
fn excerpt(item: &Item) -> Option<String> {
    let html = item.summary.as_deref().or(item.content.as_deref())?;
    let text = text::html_to_text(html);
    (!text.is_empty() && text != item.title).then(|| legal::beginning(&text, EXCERPT_MAX))
}

#[cfg(test)]
mod tests;
