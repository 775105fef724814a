//! Where a redirect leads, and to whom a source's secrets may be shown. Pure.

use url::Url;

use super::FetchError;
use super::error::{RedirectFault, shown_url};

/// Redirects that are followed in one fetch.
pub(super) const HOPS_MAX: usize = 5;

/// Tells whether an answer with `status` sends us elsewhere (RFC 9110 §15.4).
///
/// 300 leaves the choice to people, 304 is no redirect, 305 and 306 are out of use.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Tells whether a redirect with `status` is for good.
pub(super) fn is_permanent(status: u16) -> bool {
    matches!(status, 301 | 308)
}

/// Returns the URL that `location` means, seen from `url` (RFC 9110 §10.2.2), without user info and fragment.
pub(super) fn target(url: &Url, location: Option<&[u8]>) -> Result<Url, FetchError> {
    let bad = |fault| FetchError::BadRedirect { url: shown_url(url), fault };
    let location = location.ok_or_else(|| bad(RedirectFault::NoLocation))?;
    let target = url.join(&legible(location)).map_err(|_| bad(RedirectFault::Unreadable))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(bad(RedirectFault::Scheme(target.scheme().to_owned())));
    }
    Ok(without_user_info(&target))
}

/// Returns `url` without what is not part of the resource's address: user info and fragment.
pub(super) fn without_user_info(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    // Fails only for URLs that can have no user info.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Tells whether `url` may see the secrets that belong to `own`: the same host, not less protected.
///
/// http may become https on its usual port, never the other way round; another port is another service.
pub(super) fn is_own(own: &Url, url: &Url) -> bool {
    let is_same = own.scheme() == url.scheme() && own.port() == url.port();
    let is_upgrade = own.scheme() == "http" && url.scheme() == "https" && own.port().is_none() && url.port().is_none();
    own.host() == url.host() && (is_same || is_upgrade)
}

/// Bytes that are not UTF-8 (servers send latin-1 paths raw) become percent escapes.
fn legible(location: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        0..0x80 => char::from(*byte).to_string(),
        _ => percent_encoding::percent_encode_byte(*byte).to_owned(),
    };
    match std::str::from_utf8(location) {
        Ok(text) => text.to_owned(),
        Err(_) => location.iter().map(escape).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(location: &[u8], expected: &str) {
        let from = Url::parse("https://me:secret@example.org/a/feed?x=1").unwrap();
        assert_eq!(target(&from, Some(location)).unwrap().as_str(), expected);
    }

    fn check_own(own: &str, url: &str, expected: bool) {
        assert_eq!(is_own(&Url::parse(own).unwrap(), &Url::parse(url).unwrap()), expected, "{own} {url}");
    }

    #[test]
    fn a_location_may_be_relative() {
        check(b"new", "https://example.org/a/new");
        check(b"/new?y=2", "https://example.org/new?y=2");
        check(b"//other.example/new", "https://other.example/new");
    }

    #[test]
    fn a_location_in_latin_1_is_kept_byte_for_byte() {
        check(b"/actualit\xe9s", "https://example.org/actualit%E9s");
        check("/actualités".as_bytes(), "https://example.org/actualit%C3%A9s");
    }

    #[test]
    fn user_info_and_fragment_of_a_location_are_dropped() {
        check(b"https://you:word@other.example/new#top", "https://other.example/new");
    }

    #[test]
    fn secrets_belong_to_one_host_and_one_service() {
        check_own("https://example.org/a", "https://example.org/b", true);
        check_own("http://example.org/", "https://example.org/", true);
        check_own("https://example.org/", "http://example.org/", false);
        check_own("https://example.org/", "https://www.example.org/", false);
        check_own("https://example.org/", "https://example.org:8443/", false);
        check_own("http://example.org:8080/", "https://example.org/", false);
    }
}
