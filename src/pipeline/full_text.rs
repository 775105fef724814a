//! Full texts: the articles of the pages of entries whose feed gives only the beginning.
//!
//! Pages are fetched one after the other, each in its host's turn, and outside of any transaction. An entry whose page
//! fails keeps the feed's text. It is not asked for again, since the entry is published already.
//!
//! Fingerprints are of the feed's own text: so a page never makes an entry look changed, and is fetched once.

use std::cmp::Reverse;

use crate::config::Source;
use crate::feed::{Defect, Entry, Timestamp};
use crate::fetch;
use crate::parse;
use crate::text::{count, html_to_text};

/// Failed requests in a row after which a site is left alone until the next poll.
const FAILURES_MAX: usize = 3;

/// The `Accept` header of a page.
const ACCEPT: (&str, &str) = ("Accept", "text/html, application/xhtml+xml;q=0.9, */*;q=0.1");

/// Replaces the contents of entries by the articles of their pages; returns the defects.
///
/// The latest entries come first, at most `pages_max` of them. Credentials of the source's host are sent to no other
/// host.
///
/// # Cancellation
/// Writes nothing.
pub async fn full_text(
    client: &fetch::Client,
    source: &Source,
    mut entries: Vec<&mut Entry>,
    pages_max: usize,
    now: Timestamp,
) -> Vec<Defect> {
    let mut report = PagesReport::default();
    let mut ask = match fetch::Request::of(source, source.url.clone(), Vec::new()).await {
        Ok(ask) => ask,
        Err(error) => {
            report.note(&source.url, &error.into());
            return report.defects(pages_max);
        }
    };
    ask.headers.push((ACCEPT.0.to_owned(), ACCEPT.1.to_owned()));
    entries.retain(|entry| entry.url.is_some());
    entries.sort_by_key(|entry| Reverse(entry.published.or(entry.updated)));
    for (at, entry) in entries.into_iter().enumerate() {
        let Some(url) = entry.url.clone() else { continue };
        if at >= pages_max || report.failures_in_a_row >= FAILURES_MAX {
            report.left += 1;
            continue;
        }
        ask.url = url;
        match article(client, &ask, now).await {
            Ok(article) => {
                report.failures_in_a_row = 0;
                take(entry, article);
            }
            Err(error) => report.note(&ask.url, &error),
        }
    }
    report.defects(pages_max)
}

/// Why an entry has no more text than the feed gives.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error(transparent)]
    Fetch(#[from] fetch::FetchError),
    #[error(transparent)]
    Article(#[from] parse::ArticleError),
    #[error("the page could not be read: {0}")]
    Reader(#[from] tokio::task::JoinError),
    #[error("the server answers \"not modified\" to a first request")]
    NotModified,
}

async fn article(client: &fetch::Client, ask: &fetch::Request, now: Timestamp) -> Result<String, PageError> {
    let fetch::Fetched { answer, url, share, .. } = client.fetch(ask, now).await?;
    let fetch::Answer::Document(page) = answer else { return Err(PageError::NotModified) };
    let reading = tokio::task::spawn_blocking(move || {
        let _share = share;
        parse::article(&page.body, page.content_type.as_deref(), &url)
    });
    Ok(reading.await??)
}

/// Takes an article that is longer than the feed's text.
fn take(entry: &mut Entry, article: String) {
    let length = |html: &str| html_to_text(html).len();
    let own = [&entry.summary, &entry.content].into_iter().flatten().map(|html| length(html)).max();
    if length(&article) > own.unwrap_or(0) {
        entry.content = Some(article);
    }
}

#[derive(Default)]
struct PagesReport {
    failed: usize,
    first: String,
    failures_in_a_row: usize,
    left: usize,
}

impl PagesReport {
    fn note(&mut self, url: &url::Url, error: &PageError) {
        if self.failed == 0 {
            self.first = format!("{url}: {error}");
        }
        self.failed += 1;
        match error {
            PageError::Fetch(_) | PageError::NotModified => self.failures_in_a_row += 1,
            PageError::Article(_) | PageError::Reader(_) => self.failures_in_a_row = 0,
        }
    }

    fn defects(self, pages_max: usize) -> Vec<Defect> {
        let mut defects = Vec::new();
        let mut note = |code: &str, message| defects.push(Defect { code: code.to_owned(), message });
        if self.failed > 0 {
            note("full_text", format!("no full text for {}; {}", count(self.failed, "entry"), self.first));
        }
        if self.left > 0 {
            let why = if self.failures_in_a_row >= FAILURES_MAX {
                format!("{FAILURES_MAX} pages failed in a row")
            } else {
                format!("`poll.pages_max` is {pages_max}")
            };
            note("full_text_left", format!("{} not asked for full text: {why}", count(self.left, "entry")));
        }
        defects
    }
}
