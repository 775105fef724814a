//! The headers that we send and what we read from those that come back. Pure.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LINK, SERVER,
};
use url::Url;

use super::FetchError;
use super::body::Coding;
use crate::state::Validators;
use crate::websub::{HubOffer, linked_offer};

/// Types that we can read, feeds first. `*/*` since many servers send feeds under any other name.
const ACCEPT_FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
    application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1";

/// Longest validator that is kept; a longer one is left, never cut.
const VALIDATOR_BYTES_MAX: usize = 1024;

/// URLs of which validators are kept for one source.
const VALIDATORS_MAX: usize = 4;

/// Names us: program and version, where we publish, whom to ask (RFC 9110 §10.1.5).
pub(super) fn user_agent(site: &Url, contact: Option<&str>) -> String {
    let contact = contact.map(|contact| format!("; {contact}")).unwrap_or_default();
    let text = format!("veille/{} (+{site}{contact})", env!("CARGO_PKG_VERSION"));
    text.chars().filter(|character| matches!(character, ' '..='~')).collect()
}

/// Returns the headers of every request.
pub(super) fn always() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static(ACCEPT_FEEDS)),
        (ACCEPT_ENCODING, HeaderValue::from_static(Coding::ACCEPTED)),
    ])
}

/// Reads the source's own headers; none for a host that is not its own.
pub(super) fn extra(headers: Option<&[(String, String)]>) -> Result<HeaderMap, FetchError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers.unwrap_or_default() {
        let bad = || FetchError::BadHeader { name: name.clone() };
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        map.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, value);
    }
    Ok(map)
}

/// Returns the validators that `url` sent itself.
pub(super) fn known<'k>(validators: &'k [Validators], url: &Url) -> Option<&'k Validators> {
    validators.iter().find(|known| known.url == url.as_str() && is_of_use(known))
}

/// Adds the validators, byte for byte (RFC 9110 §13.1.2, §13.1.3), and the offer to take only what is new (RFC 3229).
pub(super) fn conditional(sent: Option<&Validators>, mut headers: HeaderMap) -> HeaderMap {
    let value = |bytes: &Option<Vec<u8>>| HeaderValue::from_bytes(bytes.as_ref()?).ok();
    if let Some(etag) = sent.and_then(|sent| value(&sent.etag)) {
        headers.insert(IF_NONE_MATCH, etag);
        headers.insert(HeaderName::from_static("a-im"), HeaderValue::from_static("feed"));
    }
    if let Some(date) = sent.and_then(|sent| value(&sent.last_modified)) {
        headers.insert(IF_MODIFIED_SINCE, date);
    }
    headers
}

/// Returns the validators to store after a new document: those of the answer, and what is known of other URLs.
pub(super) fn replaced(known: &[Validators], url: &Url, headers: &HeaderMap) -> Vec<Validators> {
    with(
        known,
        Validators {
            url: url.to_string(),
            etag: validator(headers, &ETAG),
            last_modified: validator(headers, &LAST_MODIFIED),
        },
    )
}

/// Returns the validators to store after a 304: what it carries replaces, the rest stays (RFC 9111 §4.3.4).
pub(super) fn refreshed(known: &[Validators], url: &Url, headers: &HeaderMap) -> Vec<Validators> {
    let old = self::known(known, url).cloned().unwrap_or_default();
    with(
        known,
        Validators {
            url: url.to_string(),
            etag: validator(headers, &ETAG).or(old.etag),
            last_modified: validator(headers, &LAST_MODIFIED).or(old.last_modified),
        },
    )
}

fn with(known: &[Validators], new: Validators) -> Vec<Validators> {
    let others: Vec<_> = known.iter().filter(|known| known.url != new.url).cloned().collect();
    is_of_use(&new).then_some(new).into_iter().chain(others).take(VALIDATORS_MAX).collect()
}

fn is_of_use(validators: &Validators) -> bool {
    validators.etag.is_some() || validators.last_modified.is_some()
}

fn validator(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let value = headers.get(name)?.as_bytes();
    (1..=VALIDATOR_BYTES_MAX).contains(&value.len()).then(|| value.to_vec())
}

/// Returns `Content-Type`; bytes that are not UTF-8 are replaced.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(CONTENT_TYPE)?.as_bytes()).into_owned())
}

/// Returns the hubs that `Link` headers name (`WebSub` §4).
pub(super) fn hub_offer(headers: &HeaderMap, url: &Url) -> Option<HubOffer> {
    linked_offer(headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()), url)
}

/// Tells whether a 226 was made the one way that we offered (RFC 3229 §10.5.2).
pub(super) fn is_feed_delta(headers: &HeaderMap) -> bool {
    let values = headers.get_all("im").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).all(|manipulation| manipulation.trim().eq_ignore_ascii_case("feed"))
}

/// Names the firewall that answered in the site's place, by the marks that the usual ones leave.
pub(super) fn firewall(headers: &HeaderMap) -> Option<&'static str> {
    let server = headers.get(SERVER).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let by_server = [("cloudflare", "Cloudflare"), ("akamaighost", "Akamai"), ("ddos-guard", "DDoS-Guard")];
    let by_header = [
        ("cf-mitigated", "Cloudflare"),
        ("x-datadome", "DataDome"),
        ("x-iinfo", "Imperva"),
        ("x-sucuri-id", "Sucuri"),
        ("x-amzn-waf-action", "AWS WAF"),
    ];
    let by_header = by_header.into_iter().find(|(header, _)| headers.contains_key(*header));
    by_header.or_else(|| by_server.into_iter().find(|(mark, _)| server.starts_with(mark))).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_user_agent(contact: Option<&str>, expected: &str) {
        let found = user_agent(&Url::parse("https://veille.example/").unwrap(), contact);
        assert_eq!(found, expected.replace("VERSION", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn the_user_agent_says_what_polls_where_it_publishes_and_whom_to_ask() {
        let expected = "veille/VERSION (+https://veille.example/; mailto:a@veille.example)";
        check_user_agent(Some("mailto:a@veille.example"), expected);
        check_user_agent(None, "veille/VERSION (+https://veille.example/)");
    }

    #[test]
    fn a_contact_cannot_bring_another_header() {
        check_user_agent(Some("a\r\nX: é"), "veille/VERSION (+https://veille.example/; aX: )");
    }
}
