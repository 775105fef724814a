//! Searches: the only answers that are made when they are asked for.
//!
//! A search takes some milliseconds of a processor. It is made on another thread than other answers, one at a time, so that
//! readers of pages and feeds do not wait for it. Searches that wait too long are turned away.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, header};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Front, POLICY, Response, allowed, max_age, plain, set};
use crate::publish::{Representation, Tree};
use hyper::header::{HeaderName, HeaderValue};

/// The page.
const PATH: &str = "/search/";
/// Longest query of an address, as it is written. 400 characters of any script take less.
const QUERY_BYTES_MAX: usize = 6 << 10;
/// Longest wait for searches that came before.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// Lets searches in, one at a time.
#[derive(Debug)]
pub(super) struct SearchGate(Arc<Semaphore>);

impl Default for SearchGate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// Answers a search; `None` if the path is not that of the search, or if there is none.
pub(super) async fn searched(front: &Front, request: &Parts, tree: &Tree, path: &str) -> Option<Response> {
    if path != PATH && format!("{path}/") != PATH {
        return None;
    }
    let index = front.search.load();
    index.as_ref().as_ref()?;
    let query = request.uri.query().unwrap_or_default();
    if query.len() > QUERY_BYTES_MAX {
        return Some(plain(StatusCode::URI_TOO_LONG, "This search is too long.\n".to_owned()));
    }
    if path != PATH {
        let mut response = plain(StatusCode::MOVED_PERMANENTLY, String::new());
        let query = request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        set(&mut response, header::LOCATION, &format!("search/{query}"));
        return Some(response);
    }
    if request.method == Method::OPTIONS {
        return Some(allowed(StatusCode::NO_CONTENT));
    }
    let gate = Arc::clone(&front.gate.0);
    let Ok(Ok(place)) = timeout(WAIT_MAX, gate.acquire_owned()).await else { return Some(later()) };
    let query = query.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        // Held to the end also if the client has gone meanwhile.
        let _place = place;
        let answer = index.as_ref().as_ref()?.answer(&query);
        let page = Representation::new(PATH.to_owned(), crate::publish::Format::Page, answer.html.into_bytes());
        Some((page, answer.is_refused))
    });
    let Ok(Some((page, is_refused))) = made.await else { return Some(later()) };
    let mut response = answer(request, &page, is_refused);
    if !is_refused {
        let seconds = max_age(tree, std::time::Instant::now());
        response.headers_mut().insert(header::CACHE_CONTROL, front.cache_control(seconds));
    }
    Some(response)
}

fn answer(request: &Parts, page: &Representation, is_refused: bool) -> Response {
    let etag = format!("\"{}\"", page.hash);
    let known = request.headers.get_all(header::IF_NONE_MATCH).into_iter();
    let is_known = known.filter_map(|value| value.to_str().ok()).any(|value| value.contains(&etag));
    if is_known && !is_refused {
        let mut response = plain(StatusCode::NOT_MODIFIED, String::new());
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        set(&mut response, header::ETAG, &etag);
        return response;
    }
    let status = if is_refused { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut response = plain(status, String::new());
    *response.body_mut() = http_body_util::Full::from(Bytes::clone(&page.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.format.media_type()));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(page.bytes.len()));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    if !is_refused {
        set(&mut response, header::ETAG, &etag);
    }
    response
}

/// Turns a search away for a moment.
fn later() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "Too many searches at once. Later, please.\n".to_owned());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
