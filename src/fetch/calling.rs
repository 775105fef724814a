//! One request to the target of a post: behind the guard, in its host's turn, without redirects.
//!
//! The answer is told whatever its status: what that means is the target's to say. Secrets go to the address that the operator
//! wrote and nowhere else, so a redirect is an answer like any other.

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};

use super::client::{Client, Time};
use super::hosts::Clock;
use super::{FetchError, Route, waits};
use crate::feed::Timestamp;
use crate::outbox::{HttpAnswer, HttpCall, Verb};

/// Much of an answer that is read; the rest is left.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Largest number of headers of an answer that are kept.
const HEADERS_MAX: usize = 100;

impl Client {
    /// Sends a request and returns the answer, whatever its status.
    ///
    /// # Errors
    /// If no answer came, or its head broke off.
    ///
    /// # Cancellation
    /// The other side may have acted on a request whose answer nobody waits for.
    pub async fn call(&self, call: &HttpCall, route: &Route, now: Timestamp) -> Result<HttpAnswer, FetchError> {
        let outlet = self.way(&call.url, route).await?;
        let mut time = Time::new(self.settings().timeout, Clock::new(now));
        let visit = self.enter(&call.url, time.clock()).await?;
        let request = outlet.http(false).request(method(call.verb), call.url.clone());
        let request = request.headers(headers(call)?).body(call.body.clone());
        let response = time.within(request.send()).await.ok_or_else(|| self.too_slow(&call.url))?;
        let response = response.map_err(|error| self.before_answer(&call.url, &error, &outlet))?;
        self.check_peer(&call.url, &response, &outlet)?;
        let now = time.clock().now();
        let answer = HttpAnswer {
            status: response.status().as_u16(),
            headers: told(response.headers()),
            retry_after: waits::retry_after(response.headers(), now),
            body: Vec::new(),
        };
        // The status is known; a body that breaks off changes nothing of it.
        let body = time.within(beginning(response)).await.unwrap_or_default();
        drop(visit);
        Ok(HttpAnswer { body, ..answer })
    }
}

fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Delete => Method::DELETE,
    }
}

fn headers(call: &HttpCall) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.1"));
    // The answer is small, and read as it comes.
    headers.insert("accept-encoding", HeaderValue::from_static("identity"));
    for (name, value) in &call.headers {
        let bad = || FetchError::BadHeader { name: (*name).to_owned() };
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(*name == "authorization");
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().take(HEADERS_MAX).map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Reads the beginning of a body.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() >= ANSWER_BYTES_MAX {
            body.truncate(ANSWER_BYTES_MAX);
            break;
        }
    }
    body
}
