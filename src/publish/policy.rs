//! Which pictures of other sites a page may load: its content security policy (CSP 3).
//!
//! The page states it itself, in a `meta` element, so that it holds for files on any web server too. `serve` repeats it in
//! the header, which would else forbid all of them.

use std::collections::BTreeSet;

use url::Host;

use crate::feed::Image;

/// The policy of everything that is served. No `img-src` but this one stands in it. The only form is that of the search.
const BASE: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// How a page states its policy.
const META: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"";

/// Bytes at the beginning of a page in which its policy stands.
const HEAD_MAX: usize = 16 * 1024;

/// Bytes of all origins of a page: proxies take headers of 4 KiB.
const ORIGINS_MAX: usize = 2048;

/// The origins of the pictures that a page shows.
#[derive(Debug, Default)]
pub(super) struct Origins {
    named: BTreeSet<String>,
    bytes: usize,
}

impl Origins {
    /// Takes a picture's origin in; returns whether the page may show it.
    pub(super) fn admit(&mut self, image: &Image) -> bool {
        let Some(origin) = origin(image) else { return false };
        let is_new = !self.named.contains(&origin);
        if is_new && self.bytes + origin.len() < ORIGINS_MAX {
            self.bytes += origin.len() + 1;
            self.named.insert(origin);
            true
        } else {
            !is_new
        }
    }

    /// Returns the `meta` element of the page; nothing if it shows no picture.
    pub(super) fn meta(&self) -> String {
        if self.named.is_empty() {
            return String::new();
        }
        let listed: String = self.named.iter().flat_map(|origin| [" ", origin]).collect();
        format!("{META}img-src 'self'{listed}\">")
    }
}

/// Returns where a picture comes from, as a policy names it: scheme, host, port. `None` if a policy has no word for it.
fn origin(image: &Image) -> Option<String> {
    let name = match image.url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(_) => return None,
    };
    // Addresses may hold signs in their host that end a word or a directive of a policy.
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let port = image.url.port().map(|port| format!(":{port}")).unwrap_or_default();
    is_plain.then(|| format!("{}://{name}{port}", image.url.scheme()))
}

/// Returns the value of the header for a page that states a policy; `None` if it states none, as most.
pub(super) fn header(page: &[u8]) -> Option<String> {
    let head = page.get(..page.len().min(HEAD_MAX))?;
    let head = String::from_utf8_lossy(head);
    let (_, stated) = head.split_once(META)?;
    let (stated, _) = stated.split_once('"')?;
    Some(BASE.replace("img-src 'self'", stated))
}

/// Returns the value of the header for everything else.
#[must_use]
pub const fn base() -> &'static str {
    BASE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(address: &str) -> Image {
        address.parse::<url::Url>().unwrap().into()
    }

    #[track_caller]
    fn check(address: &str, expected: Option<&str>) {
        assert_eq!(origin(&image(address)).as_deref(), expected);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        check("https://cdn.example/a.jpg?b#c", Some("https://cdn.example"));
        check("http://127.0.0.1:8080/a.jpg", Some("http://127.0.0.1:8080"));
        check("https://école.example/a.jpg", Some("https://xn--cole-9oa.example"));
    }

    #[test]
    fn a_host_that_would_say_more_than_itself_is_none() {
        check("https://[2001:db8::1]/a.jpg", None);
        check("https://a.example;script-src/a.jpg", None);
        check("https://a,b.example/a.jpg", None);
        check("https://*.example/a.jpg", None);
    }

    #[test]
    fn the_header_says_what_the_page_says() {
        let mut origins = Origins::default();
        for address in ["https://b.example:8443/1.png", "https://a.example/1.png", "https://a.example/2.png"] {
            assert!(origins.admit(&image(address)));
        }
        let page = format!("<!doctype html><html><head>{}</head>", origins.meta());
        let policy = header(page.as_bytes()).unwrap();
        assert!(policy.contains("; img-src 'self' https://a.example https://b.example:8443; "), "{policy}");
        assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("; frame-ancestors 'none'"), "{policy}");
        assert_eq!(header(b"<!doctype html><html><head></head>"), None);
    }

    #[test]
    fn a_page_of_very_many_origins_shows_the_pictures_of_the_first() {
        let mut origins = Origins::default();
        let admitted = (0..500).filter(|at| origins.admit(&image(&format!("https://cdn{at}.example/"))));
        assert!((50..200).contains(&admitted.count()));
        assert!(
            origins.admit(&image("https://cdn0.example/b.png")) && !origins.admit(&image("https://other.example/"))
        );
        assert!(origins.meta().len() < 2500);
    }
}
