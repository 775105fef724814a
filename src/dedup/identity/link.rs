//! Canonical links: URLs without the parts that do not identify the entry.

use std::collections::BTreeSet;

use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::text::is_tracking;

/// Parameters that name the form or session in which a page is read. Compared without case.
const FORMS: [&str; 6] = ["print", "amp", "outputtype", "sid", "phpsessid", "jsessionid"];

/// Ends of a path that name the same page in another form.
const SAME_PAGE: [&str; 6] = ["/index.html", "/index.htm", "/index.php", "/amp", "/amp.html", "/print"];

/// The identifying part of a URL, for comparison only; `None` for a site's root.
///
/// Removed: scheme, user, `www.`, `m.`, `mobile.`, `amp.`, the ports 80 and 443, fragments, trailing and double
/// slashes, index files, `/amp`, `/print`, session ids, tracking parameters. The remaining parameters are sorted, each
/// once: any may be the article's number. A fragment that names a comment stays.
#[must_use]
pub fn canonical_link(url: &Url) -> Option<String> {
    let Some(host) = url.host_str() else {
        return Some(url.as_str().to_owned());
    };
    let port = url.port().filter(|port| ![80, 443].contains(port)).map(|port| format!(":{port}")).unwrap_or_default();
    let path = page_path(url.path());
    let query = identifying_query(url.query().unwrap_or_default());
    if path.is_empty() && query.is_empty() {
        return None;
    }
    let mark = if query.is_empty() { "" } else { "?" };
    let comment = url.fragment().filter(|fragment| names_comment(fragment)).map(|fragment| format!("#{fragment}"));
    Some(format!("{}{port}{path}{mark}{query}{}", site(host), comment.unwrap_or_default()))
}

/// `comment-77` (`WordPress`) and `forum12` (SPIP) are comments on the article, not the article.
fn names_comment(fragment: &str) -> bool {
    let kinds = ["comment", "commentaire", "forum", "respond"];
    kinds.iter().filter_map(|kind| fragment.strip_prefix(kind)).any(|rest| {
        let number = rest.trim_start_matches(['s', '-', '_']);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The host without prefixes that name a form of the site; `amp.dev` is a site of its own.
fn site(host: &str) -> &str {
    let mut site = host.trim_end_matches('.');
    while let Some((first, rest)) = site.split_once('.') {
        let is_form = matches!(first, "m" | "mobile" | "amp") || is_www(first);
        if !is_form || !rest.contains('.') {
            break;
        }
        site = rest;
    }
    site
}

fn is_www(label: &str) -> bool {
    label
        .strip_prefix("www")
        .is_some_and(|digits| digits.len() <= 1 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn page_path(path: &str) -> String {
    let parts = path.split('/').map(without_session).filter(|part| !["", ".", ".."].contains(part));
    let mut page: String = parts.flat_map(|part| ["/", part]).collect();
    while let Some(shorter) = SAME_PAGE.iter().chain([".amp"].iter()).find_map(|suffix| page.strip_suffix(suffix)) {
        page.truncate(shorter.trim_end_matches('/').len());
    }
    page
}

/// A segment of a path without `;jsessionid=…`.
fn without_session(part: &str) -> &str {
    let start = part.match_indices(';').find(|(start, _)| {
        part.get(start + 1..start + 12).is_some_and(|name| name.eq_ignore_ascii_case("jsessionid="))
    });
    start.and_then(|(start, _)| part.get(..start)).unwrap_or(part)
}

fn identifying_query(query: &str) -> String {
    let mut parameters: BTreeSet<String> = BTreeSet::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let (name, value) = (decoded(name), decoded(value));
        if identifies(&String::from_utf8_lossy(&name).to_lowercase(), &value) {
            let (name, value) = (byte_serialize(&name), byte_serialize(&value));
            parameters.insert(name.chain(["="]).chain(value).collect());
        }
    }
    let parameters: Vec<String> = parameters.into_iter().collect();
    parameters.join("&")
}

/// Whether a parameter may identify the page.
///
/// `sid` is a session in most software, but the story's number in PHP-Nuke and its kin.
fn identifies(name: &str, value: &[u8]) -> bool {
    let is_number = (1..10).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    !is_tracking(name) && (!FORMS.contains(&name) || name == "sid" && is_number)
}

/// The percent-decoded bytes of a part of a query. Old sites write Latin-1: as text, two words could become one.
fn decoded(part: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(&part.replace('+', " ")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(url: &str, expected: &str) {
        assert_eq!(canonical_link(&Url::parse(url).unwrap()).unwrap_or_default(), expected, "{url}");
    }

    #[test]
    fn forms_of_a_page_are_one() {
        for url in [
            "https://www.example.org/a/b",
            "http://m.example.org/a/b/",
            "https://www2.example.org:443//a//b#c",
            "http://user@amp.example.org:80/a/b/index.html",
            "https://www.mobile.example.org./a/b/amp",
            "https://example.org/a/b.amp",
            "https://example.org/a/b/print?print=1",
            "https://example.org/a;jsessionid=1F.n2/b;JSESSIONID=3",
            "https://example.org/a/b/index.php/amp?utm_source=rss&xtor=RSS-1&at_medium=x&fbclid",
        ] {
            check(url, "example.org/a/b");
        }
    }

    #[test]
    fn a_site_root_identifies_nothing() {
        check("https://www.example.org/", "");
        check("https://www.example.org/index.php?utm_campaign=x#top", "");
    }

    #[test]
    fn other_parameters_stay_sorted_and_once() {
        check("https://example.org/?page=2&id=7&id=7&", "example.org?id=7&page=2");
        check("https://example.org/spip.php?article12", "example.org/spip.php?article12=");
        check("https://example.org/?q=%e9t%C3%A9+%2B", "example.org?q=%E9t%C3%A9+%2B");
    }

    #[test]
    fn latin_1_words_stay_apart() {
        check("https://example.org/?q=%E9", "example.org?q=%E9");
        check("https://example.org/?q=%E8", "example.org?q=%E8");
    }

    #[test]
    fn a_session_goes_and_a_story_number_stays() {
        check("https://example.org/a?sid=8d3f0c5d8d3f0c5d8d3f0c5d8d3f0c5d", "example.org/a");
        check("https://example.org/article.php?sid=123", "example.org/article.php?sid=123");
    }

    #[test]
    fn a_name_that_only_begins_alike_is_no_tracking() {
        check("https://example.org/a?utm_=1&attr=2&pkg=3", "example.org/a?attr=2&pkg=3&utm_=1");
    }

    #[test]
    fn a_comment_is_not_its_article() {
        check("https://example.org/a#comment-77", "example.org/a#comment-77");
        check("https://example.org/a#forum12", "example.org/a#forum12");
        check("https://example.org/a#comments", "example.org/a");
        check("https://example.org/a#chapitre-2", "example.org/a");
    }

    #[test]
    fn another_port_is_another_site() {
        check("http://example.org:8080/a", "example.org:8080/a");
    }

    #[test]
    fn a_site_may_be_called_like_a_form() {
        check("https://amp.dev/a", "amp.dev/a");
        check("https://wwwx.example.org/a", "wwwx.example.org/a");
    }

    proptest! {
        #[test]
        fn what_is_canonical_stays(
            host in "(www\\.|m\\.|amp\\.){0,2}[a-z]{1,3}\\.[a-z]{2}(:[0-9]{2,3})?",
            path in "(/|/amp|/print|/index\\.php|/[a-z;=%.]{0,6}|;jsessionid=[a-z]{1,2}){0,5}",
            query in "([?&](utm_a|sid|id|[a-z%+é]{0,3})=?[a-f0-9%+]{0,3}){0,4}",
        ) {
            if let Some(canonical) = Url::parse(&format!("http://{host}{path}{query}")).ok().and_then(|url| canonical_link(&url)) {
                let again = Url::parse(&format!("http://{canonical}")).unwrap();
                prop_assert_eq!(canonical_link(&again), Some(canonical));
            }
        }
    }
}
