//! `veille inspect URL|FILE`: what a feed holds once read, and which topics each entry would get. Stores nothing.

mod people;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use serde::Serialize;
use url::Url;

use super::output::Paint;
use super::{Failure, open, output};
use crate::config::{Config, Source};
use crate::feed::{Category, Comments, Defect, Enclosure, Entry, Feed, Person, Timestamp};
use crate::fetch;
use crate::parse;
use crate::pipeline;
use crate::story::Plain;
use crate::tag;
use crate::text::web_address;
use crate::topic::{Label, Matcher};

#[derive(Debug, clap::Args)]
pub(super) struct InspectOptions {
    /// An address or a file
    #[arg(value_name = "URL|FILE")]
    place: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Fetch each entry's page and take the article out, as a feed with `full_text` in the config does
    #[arg(long)]
    full_text: bool,
}

/// The JSON that is printed; the keys are a contract.
#[derive(Debug, Serialize)]
struct Inspected<'a> {
    feed: FeedLine<'a>,
    entries: Vec<InspectedEntry<'a>>,
    defects: &'a [Defect],
}

#[derive(Debug, Serialize)]
struct FeedLine<'a> {
    format: &'a str,
    title: Option<&'a str>,
    url: Option<&'a Url>,
    description: Option<&'a str>,
    language: Option<&'a str>,
    updated: Option<Timestamp>,
    generator: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct InspectedEntry<'a> {
    id: Option<&'a str>,
    url: Option<&'a Url>,
    title: Option<&'a str>,
    summary: Option<&'a str>,
    content: Option<&'a str>,
    published: Option<Timestamp>,
    updated: Option<Timestamp>,
    authors: &'a [Person],
    categories: Vec<&'a str>,
    enclosures: &'a [Enclosure],
    image: Option<&'a Url>,
    language: Option<&'a str>,
    comments: InspectedComments<'a>,
    topics: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct InspectedComments<'a> {
    url: Option<&'a Url>,
    feed: Option<&'a Url>,
    count: Option<u64>,
}

/// The document to read.
struct InspectedDocument {
    body: Vec<u8>,
    content_type: Option<String>,
    url: Option<Url>,
}

pub(super) fn run(config: Option<PathBuf>, options: &InspectOptions) -> Result<(), Failure> {
    let config = open::config_if_any(config)?;
    let address = web_address(&options.place);
    let source = source(&config, address.clone());
    let now = Utc::now();
    let document = match address {
        Some(_) => open::runtime()?.block_on(fetched(&config, &source, now))?,
        None => from_file(&config, Path::new(&options.place))?,
    };
    let limits = parse::Limits { entries_max: config.poll.entries_max, ..parse::Limits::default() };
    let InspectedDocument { body, content_type, url } = document;
    let zone = source.schedule.zone();
    let mut feed = parse::read(&body, content_type.as_deref(), url.as_ref(), zone, &limits, now)?;
    let as_written = feed.entries.clone();
    if options.full_text || source.full_text {
        let defects = open::runtime()?.block_on(full_texts(&config, &source, &mut feed.entries, now))?;
        feed.defects.extend(defects);
    }
    feed.entries = std::mem::take(&mut feed.entries).into_iter().map(parse::sanitise).collect();
    let matcher = Matcher::new(config.topics.clone());
    let labels: Vec<Vec<Label>> = feed
        .entries
        .iter()
        .map(|entry| tag::labels(&matcher, entry, &Plain::of(entry), &source.id, Some(&source)))
        .collect();
    let text = if options.json {
        format!("{}\n", serde_json::to_string(&inspected(&feed, &labels))?)
    } else {
        people::report(&feed, &labels, &as_written, Paint::of_stdout())
    };
    Ok(output::print(&text)?)
}

async fn fetched(config: &Config, source: &Source, now: Timestamp) -> Result<InspectedDocument, Failure> {
    let client = fetch::Client::new(&fetch::Settings::new(&config.site, &config.poll))?;
    let request = fetch::Request::of(source, source.url.clone(), Vec::new()).await?;
    let fetched = client.fetch(&request, now).await.map_err(|error| {
        let hint = error.hint().map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
        anyhow::anyhow!("{error}{hint}")
    })?;
    match fetched.answer {
        fetch::Answer::Document(document) => Ok(InspectedDocument {
            body: document.body.to_vec(),
            content_type: document.content_type,
            url: Some(fetched.url),
        }),
        fetch::Answer::NotModified => {
            Err(anyhow::anyhow!("the server answers \"not modified\" to a first request").into())
        }
    }
}

/// Fetches the articles of entries with a page that no other entry has.
async fn full_texts(
    config: &Config,
    source: &Source,
    entries: &mut [Entry],
    now: Timestamp,
) -> Result<Vec<Defect>, Failure> {
    let mut entries_by_page: HashMap<String, usize> = HashMap::new();
    for url in entries.iter().filter_map(|entry| entry.url.as_ref()) {
        *entries_by_page.entry(url.to_string()).or_default() += 1;
    }
    let is_own =
        |entry: &&mut Entry| entry.url.as_ref().is_some_and(|url| entries_by_page.get(url.as_str()) == Some(&1));
    let client = fetch::Client::new(&fetch::Settings::new(&config.site, &config.poll))?;
    let entries = entries.iter_mut().filter(is_own).collect();
    Ok(pipeline::full_text(&client, source, entries, config.poll.pages_max, now).await)
}

fn from_file(config: &Config, path: &Path) -> Result<InspectedDocument, Failure> {
    let cannot_read = |error: std::io::Error| anyhow::anyhow!("cannot read `{}`: {error}", path.display());
    let size = std::fs::metadata(path).map_err(cannot_read)?.len();
    let limit = config.poll.body_bytes_max;
    if size > limit {
        let text = format!("`{}` has {size} bytes; `poll.body_max` allows {limit}", path.display());
        return Err(anyhow::anyhow!(text).into());
    }
    let body = std::fs::read(path).map_err(cannot_read)?;
    Ok(InspectedDocument { body, content_type: None, url: None })
}

/// The source of this address in the config, whose tags and topics count; else one without any.
fn source(config: &Config, url: Option<Url>) -> Source {
    let known = config.sources.iter().find(|source| Some(&source.url) == url.as_ref());
    known.cloned().unwrap_or_else(|| Source {
        id: "inspected".into(),
        url: url.unwrap_or_else(|| config.site.url.clone()),
        title: None,
        schedule: config.poll.schedule.clone(),
        topics: None,
        tags: Vec::new(),
        access: Arc::default(),
        enabled: true,
        full_text: false,
        dedup: true,
        private: false,
    })
}

fn inspected<'a>(feed: &'a Feed, labels: &'a [Vec<Label>]) -> Inspected<'a> {
    Inspected {
        feed: FeedLine {
            format: &feed.format,
            title: feed.title.as_deref(),
            url: feed.url.as_ref(),
            description: feed.description.as_deref(),
            language: feed.language.as_deref(),
            updated: feed.updated,
            generator: feed.generator.as_deref(),
        },
        entries: feed.entries.iter().zip(labels).map(|(entry, labels)| inspected_entry(entry, labels)).collect(),
        defects: &feed.defects,
    }
}

fn inspected_entry<'a>(entry: &'a Entry, labels: &'a [Label]) -> InspectedEntry<'a> {
    let Comments { url, feed, count, updated: _ } = &entry.comments;
    InspectedEntry {
        id: entry.id.as_deref(),
        url: entry.url.as_ref(),
        title: entry.title.as_deref(),
        summary: entry.summary.as_deref(),
        content: entry.content.as_deref(),
        published: entry.published,
        updated: entry.updated,
        authors: &entry.authors,
        categories: entry.categories.iter().map(tag_name).collect(),
        enclosures: &entry.enclosures,
        image: entry.image.as_ref().map(|image| &image.url),
        language: entry.language.as_deref(),
        comments: InspectedComments { url: url.as_ref(), feed: feed.as_ref(), count: *count },
        topics: labels.iter().map(|label| label.topic.as_str()).collect(),
    }
}

fn tag_name(category: &Category) -> &str {
    category.label.as_deref().unwrap_or(&category.term)
}
