//! The article of a web page, told apart from all that stands around it. The only home of `dom_smoothie` and `dom_query`.
//!
//! A page is made safe to work on first (`tidy_page`: closed, shallow, of bounded size), then [`blocks`] takes away what is
//! known not to be the article, and only then is the article looked for.

mod blocks;

use dom_query::Document;
use dom_smoothie::{Config, Readability, ReadabilityError};
use url::Url;

use super::{decode, sanitise};
use crate::feed::Entry;
use crate::text::html_to_text;

/// Elements of a page that is looked at: the longest reports have some thousands.
const ELEMENTS_MAX: usize = 20_000;

/// Shortest text, in bytes, that is taken for an article: less is a notice, a form, a consent.
const TEXT_BYTES_MIN: usize = 140;

/// Text, in bytes, with which the search ends; below it the search is repeated with a milder judgement.
const TEXT_BYTES_ENOUGH: usize = 250;

/// Bytes at the beginning of a page in which it can say its charset (HTML §4.2.5.4).
const CHARSET_BYTES_MAX: usize = 1024;

/// The reason why a page gave no article.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArticleError {
    /// The address leads to a file: a PDF, a picture, a sound.
    #[error("not a web page but {media_type}")]
    NotAPage {
        /// As the server says.
        media_type: String,
    },
    /// It is larger than any article.
    #[error("page has more than {elements_max} elements")]
    TooLarge {
        /// The limit.
        elements_max: usize,
    },
    /// There are menus, forms and notices only.
    #[error("no article found in the page")]
    NoArticle,
}

/// Returns the article of a web page: sanitised HTML with absolute links.
///
/// `content_type` is the value of the HTTP header, `url` the address that the page came from. Tags, comments, links to
/// other articles, menus and notices are left out: they would speak for the article where topics are decided.
/// Its tags are not added to the entry's: many sites send the same keywords with every page.
///
/// # Errors
/// When there is none, or none that can be told from the rest of the page.
pub fn article(bytes: &[u8], content_type: Option<&str>, url: &Url) -> Result<String, ArticleError> {
    if let Some(media_type) = foreign(content_type) {
        return Err(ArticleError::NotAPage { media_type });
    }
    let label = label(bytes, content_type);
    let (html, _) = decode::decode(bytes, label.as_deref().or(content_type));
    let page = sanitise::tidy_page(&html, Some(url));
    if page.matches('<').count() > 2 * ELEMENTS_MAX {
        return Err(ArticleError::TooLarge { elements_max: ELEMENTS_MAX });
    }
    let document = Document::from(page);
    blocks::remove(&document);
    let config = Config {
        max_elements_to_parse: ELEMENTS_MAX,
        char_threshold: TEXT_BYTES_ENOUGH,
        disable_json_ld: true,
        ..Config::default()
    };
    let found =
        Readability::with_document(document, Some(url.as_str()), Some(config)).and_then(|mut page| page.parse());
    let content = match found {
        Ok(found) => found.content.to_string(),
        Err(ReadabilityError::TooManyElements(_, elements_max)) => return Err(ArticleError::TooLarge { elements_max }),
        Err(ReadabilityError::GrabFailed | ReadabilityError::BadDocumentURL) => return Err(ArticleError::NoArticle),
    };
    let entry = Entry { content: Some(content), base: Some(url.clone()), ..Entry::default() };
    let is_article = |html: &String| html_to_text(html).len() >= TEXT_BYTES_MIN;
    sanitise::sanitise(entry).content.filter(is_article).ok_or(ArticleError::NoArticle)
}

/// The media type of what is no page. Servers that say nothing, or "text", are not believed.
fn foreign(content_type: Option<&str>) -> Option<String> {
    let media_type = content_type?.split(';').next()?.trim().to_ascii_lowercase();
    let is_page = media_type.is_empty() || media_type.contains("html") || media_type.starts_with("text/");
    (!is_page && !media_type.ends_with("xml")).then_some(media_type)
}

/// The charset that the page gives itself, as a `Content-Type`, unless the header has one.
fn label(bytes: &[u8], content_type: Option<&str>) -> Option<String> {
    if content_type.is_some_and(|header| header.to_ascii_lowercase().contains("charset=")) {
        return None;
    }
    let head = String::from_utf8_lossy(bytes.get(..CHARSET_BYTES_MAX).unwrap_or(bytes)).to_ascii_lowercase();
    let (_, after) = head.split_once("charset=")?;
    let name = after.trim_start_matches(['"', '\'', ' ']).split(['"', '\'', ' ', ';', '/', '>']).next()?;
    Some(format!("text/html; charset={name}"))
}

#[cfg(test)]
mod tests;
