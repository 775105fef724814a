//! Addresses of feeds as people and programs write them, and when two of them are the same feed's.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use url::Url;

/// Returns what stands in a `feed:` address: an absolute address (`feed:https://…`), or one without scheme (`feed://…`).
///
/// The scheme was never registered, and says only that a feed is there; browsers hand such addresses to readers.
#[must_use]
pub fn without_feed_scheme(written: &str) -> Option<&str> {
    let written = written.trim();
    let (scheme, rest) = written.split_at_checked("feed:".len())?;
    let bare = rest.trim_start_matches('/');
    let is_web = |address: &str| ["http://", "https://"].iter().any(|scheme| starts_with(address, scheme));
    if !scheme.eq_ignore_ascii_case("feed:") {
        None
    } else if starts_with(bare, "feed:") {
        without_feed_scheme(bare)
    } else if is_web(bare) {
        Some(bare)
    } else {
        (rest.starts_with("//") && !bare.is_empty()).then_some(rest)
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Reads an address of the web; `feed:` and `feed://` stand for http, unless https is written.
#[must_use]
pub fn web_address(written: &str) -> Option<Url> {
    let url = match without_feed_scheme(written) {
        Some(rest) if rest.starts_with("//") => Url::parse(&format!("http:{rest}")),
        Some(rest) => Url::parse(rest),
        None => Url::parse(written.trim()),
    };
    url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Returns what two addresses of one feed have in common: all but http or https, the path's last slash, user info and
/// fragment.
#[must_use]
pub fn feed_key(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{port}{}{query}", url.host_str().unwrap_or_default(), url.path().trim_end_matches('/'))
}

/// Words of a parameter's name that say that its value is a secret.
const SECRET_WORDS: [&str; 16] = [
    "token",
    "key",
    "apikey",
    "secret",
    "sig",
    "signature",
    "auth",
    "password",
    "passwd",
    "pwd",
    "pass",
    "passkey",
    "authkey",
    "authtoken",
    "accesskey",
    "credential",
];

/// Returns the parameters of an address that look like secrets, with their values.
pub fn secrets(url: &Url) -> impl Iterator<Item = (String, String)> {
    let pairs = url.query_pairs().filter(|(name, value)| !value.is_empty() && is_secret(name));
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
}

/// Returns an address without the parameters whose names or values `is_left_out` names.
fn without_parameters(url: &Url, is_left_out: impl Fn(&str, &str) -> bool) -> Cow<'_, Url> {
    if !url.query_pairs().any(|(name, value)| is_left_out(&name, &value)) {
        return Cow::Borrowed(url);
    }
    let kept: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(name, value)| !is_left_out(name, value)).collect();
    let mut bare = url.clone();
    bare.set_query(None);
    if !kept.is_empty() {
        bare.query_pairs_mut().extend_pairs(kept);
    }
    Cow::Owned(bare)
}

/// Whether two addresses differ, and only in parameters that look like secrets: a new token leads to the same feed.
#[must_use]
pub fn differ_in_secrets(one: &Url, other: &Url) -> bool {
    let bare = |url| without_parameters(url, |name, _| is_secret(name)).into_owned();
    one != other && feed_key(&bare(one)) == feed_key(&bare(other))
}

/// Returns an address without the parameters that have one of these values.
#[must_use]
pub fn without_values<'u>(url: &'u Url, values: &[String]) -> Cow<'u, Url> {
    without_parameters(url, |_, value| values.iter().any(|left_out| left_out == value))
}

/// A parameter in an address: its name, and its value.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test run")]
static PARAMETER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([?&;])([^\s?&;=#"'<>`]+)=([^\s&;#"'<>`]+)"#).expect("constant pattern"));

/// Returns a message in which parameters of addresses that look like secrets have dots for their values: it goes into logs.
#[must_use]
pub fn without_secrets(message: &str) -> Cow<'_, str> {
    PARAMETER.replace_all(message, |found: &Captures<'_>| {
        let part = |at| found.get(at).map_or("", |part| part.as_str());
        let value = if is_secret(part(2)) { "…" } else { part(3) };
        format!("{}{}={value}", part(1), part(2))
    })
}

/// Whether a name says that the value is a secret: as a word of it (`api_key`, `rssToken`) or as its end (`feedtoken`).
fn is_secret(name: &str) -> bool {
    let mut parted = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && parted.ends_with(char::is_lowercase) {
            parted.push(' ');
        }
        parted.push(letter);
    }
    let parted = parted.to_lowercase();
    let mut words = parted.split(|letter: char| !letter.is_alphabetic());
    words.any(|word| SECRET_WORDS.contains(&word) || word.ends_with("token") || word.ends_with("secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, address: &str) {
        assert_eq!(web_address(written).map(String::from).unwrap_or_default(), address, "{written}");
    }

    #[test]
    fn an_address_of_a_feed_is_one_of_the_web() {
        check("feed:https://a.example/rss", "https://a.example/rss");
        check(" FEED:HTTP://a.example/rss?x=1", "http://a.example/rss?x=1");
        check("feed://a.example:8080/rss", "http://a.example:8080/rss");
        check("feed://https://a.example/rss", "https://a.example/rss");
        check("feed:feed://a.example/rss", "http://a.example/rss");
        check("https://a.example/feed:x", "https://a.example/feed:x");
    }

    #[test]
    fn other_schemes_and_words_are_no_addresses() {
        for written in
            ["feed:x", "feed:", "feed://", "feed:mailto:a@b.example", "ftp://a.example/", "été:", "a.example"]
        {
            check(written, "");
        }
    }

    #[track_caller]
    fn check_same(one: &str, other: &str, expected: bool) {
        let [one, other] = [one, other].map(|url| feed_key(&Url::parse(url).unwrap()));
        assert_eq!(one == other, expected, "{one} {other}");
    }

    #[test]
    fn a_feed_is_the_same_whatever_its_scheme_and_last_slash() {
        check_same("http://a.example/rss", "https://A.example:443/rss/#top", true);
        check_same("https://a.example", "http://a.example/", true);
        check_same("https://a.example/rss/?x=1", "http://a.example/rss?x=1", true);
        check_same("https://a.example/rss?x=/", "https://a.example/rss?x=", false);
        check_same("https://a.example/rss", "https://a.example:8080/rss", false);
        check_same("https://a.example/rss", "https://www.a.example/rss", false);
        check_same("https://a.example/rss?x=1", "https://a.example/rss?x=2", false);
    }

    #[track_caller]
    fn check_secrets(query: &str, expected: &str) {
        let url = Url::parse(&format!("https://a.example/rss?{query}")).unwrap();
        assert_eq!(secrets(&url).map(|(name, _)| name).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn parameters_look_like_secrets_by_a_word_of_their_names() {
        check_secrets("token=a&x=1&KEY=b&secret=c&sig=d&auth=e", "token KEY secret sig auth");
        check_secrets(
            "api_key=a&rssToken=b&private-token=c&X-Amz-Signature=d&feedtoken=e&auth[user]=f",
            "api_key rssToken private-token X-Amz-Signature feedtoken auth[user]",
        );
        check_secrets("token=&keyword=a&keys=b&author=c&design=d&monkey=e&page=2&signe=f", "");
    }

    #[test]
    fn a_new_token_leads_to_the_same_feed() {
        let differ = |one: &str, other: &str| differ_in_secrets(&Url::parse(one).unwrap(), &Url::parse(other).unwrap());
        let feed = "https://a.example/f?page=1&token=abcdef";
        assert!(differ(feed, "https://a.example/f?page=1&token=uvwxyz"));
        assert!(differ(feed, "https://a.example/f?token=uvwxyz&page=1"));
        assert!(differ(feed, "https://a.example/f?page=1"));
        assert!(!differ(feed, feed));
        assert!(!differ(feed, "https://a.example/f?page=2&token=abcdef"));
        assert!(!differ(feed, "https://b.example/f?page=1&token=uvwxyz"));
        assert!(!differ("https://a.example/f", "https://a.example/g"));
    }

    #[test]
    fn parameters_go_by_their_value() {
        let without = |url: &str| without_values(&Url::parse(url).unwrap(), &["abcdef".to_owned()]).to_string();
        assert_eq!(without("https://a.example/?t=abcdef"), "https://a.example/");
        assert_eq!(without("https://a.example/?t=abcdef&x=1%202"), "https://a.example/?x=1+2");
        assert_eq!(without("https://a.example/?x=1%202"), "https://a.example/?x=1%202");
    }

    #[test]
    fn messages_tell_no_secret() {
        assert_eq!(
            without_secrets("https://a.example/f?page=1&feed_token=abc answered 403; try `https://a.example/?key=d`"),
            "https://a.example/f?page=1&feed_token=… answered 403; try `https://a.example/?key=…`"
        );
        assert_eq!(without_secrets("no address; n=1"), "no address; n=1");
    }
}
