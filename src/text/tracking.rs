//! Parameters of addresses that say how a reader came, not what is read.

use std::borrow::Cow;

use url::Url;

use super::tags::{Kind, tags};

/// Their names. Compared without case.
const NAMES: [&str; 44] = [
    "xtor",
    "xtref",
    "xtcr",
    "xts",
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "srsltid",
    "msclkid",
    "yclid",
    "ysclid",
    "twclid",
    "ttclid",
    "li_fat_id",
    "igshid",
    "igsh",
    "epik",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "vero_id",
    "vero_conv",
    "oly_anon_id",
    "oly_enc_id",
    "rb_clickid",
    "s_cid",
    "s_kwcid",
    "trk_contact",
    "trk_msg",
    "_openstat",
    "cmpid",
    "spm",
    "ref_src",
    "ref_url",
    "rss",
    "from_rss",
    "share",
    "wickedid",
    "hsctatracking",
    "guccounter",
    "ftag",
];

/// Beginnings of such names.
const BEGINNINGS: [&str; 10] = ["_hs", "utm_", "at_", "mtm_", "matomo_", "pk_", "piwik_", "wt_", "ns_", "hsa_"];

/// Whether a parameter of this name, decoded, says only how a reader came.
#[must_use]
pub fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str())
        || BEGINNINGS.iter().any(|beginning| name.strip_prefix(beginning).is_some_and(|rest| !rest.is_empty()))
}

/// Returns an address without such parameters, in its query or its fragment (`#xtor=RSS-1`). All else stays as it is
/// written.
#[must_use]
pub fn without_tracking(url: &Url) -> Cow<'_, Url> {
    let query = url.query().map(|query| (query, kept(query)));
    let fragment = url.fragment().map(|fragment| (fragment, kept_fragment(fragment)));
    let is_clean = |part: &Option<(&str, String)>| part.as_ref().is_none_or(|(part, kept)| part == kept);
    if is_clean(&query) && is_clean(&fragment) {
        return Cow::Borrowed(url);
    }
    let some = |part: Option<(&str, String)>| part.map(|(_, kept)| kept).filter(|kept| !kept.is_empty());
    let mut clean = url.clone();
    if !is_clean(&query) {
        clean.set_query(some(query).as_deref());
    }
    if !is_clean(&fragment) {
        clean.set_fragment(some(fragment).as_deref());
    }
    Cow::Owned(clean)
}

/// Returns sanitised HTML whose links have no such parameters.
#[must_use]
pub fn without_tracking_in_html(html: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut copied = 0;
    for tag in tags(html).filter(|tag| tag.kind == Kind::Open("a")) {
        let Some((start, end)) = href(html, tag.start, tag.end) else { continue };
        let Some(address) = html.get(start..end) else { continue };
        let Ok(url) = Url::parse(&address.replace("&amp;", "&")) else { continue };
        if let Cow::Owned(url) = without_tracking(&url) {
            clean.push_str(html.get(copied..start).unwrap_or_default());
            clean.push_str(&url.as_str().replace('&', "&amp;"));
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    clean.push_str(html.get(copied..).unwrap_or_default());
    Cow::Owned(clean)
}

/// Returns the place of the address in the tag of a link.
fn href(html: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    const NAME: &str = " href=\"";
    let from = start + html.get(start..end)?.find(NAME)? + NAME.len();
    Some((from, from + html.get(from..end)?.find('"')?))
}

fn kept(query: &str) -> String {
    let parameters = query.split('&').filter(|parameter| !is_tracking(&name(parameter)));
    parameters.collect::<Vec<_>>().join("&")
}

/// A fragment names a place, unless it is written like a query.
fn kept_fragment(fragment: &str) -> String {
    let is_query = fragment.trim_start_matches('?').contains('=');
    if is_query { kept(fragment.trim_start_matches('?')).clone() } else { fragment.to_owned() }
}

fn name(parameter: &str) -> String {
    let decoded = url::form_urlencoded::parse(parameter.as_bytes()).next();
    decoded.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: &str) {
        assert_eq!(without_tracking(&Url::parse(address).unwrap()).as_str(), expected);
    }

    #[test]
    fn tracking_goes_from_query_and_fragment() {
        check("https://a.example/x?utm_source=rss&utm_medium=feed", "https://a.example/x");
        check("https://a.example/x?id=7&XTOR=RSS-1&page=2#haut", "https://a.example/x?id=7&page=2#haut");
        check("https://a.example/x.html#xtor=RSS-3208", "https://a.example/x.html");
        check("https://a.example/x?%75tm_source=a", "https://a.example/x");
        check("https://a.example/x#utm_source=a&utm_medium=b", "https://a.example/x");
    }

    #[test]
    fn all_else_stays_as_it_is_written() {
        for address in [
            "https://a.example/x?q=%e9t%C3%A9+b&utm=1&amp=2&sid=abc&b",
            "https://a.example/x?",
            "https://a.example/x#comment-7",
            "https://a.example/#/article?id=3",
            "https://a.example/x#:~:text=plan%20v%C3%A9lo",
            "mailto:a@example.org?subject=a",
        ] {
            check(address, address);
        }
        check("https://a.example/x?q=%e9&gclid=1&b&&c=", "https://a.example/x?q=%e9&b&&c=");
    }

    #[test]
    fn links_of_a_text_lose_theirs() {
        let html = "<p>utm_a=1 <a title=\"x\" href=\"https://a.example/?a=1&amp;utm_b=2&amp;c=3\">b</a> \
                    <a href=\"/x?utm_c=1\">c</a> <img src=\"https://a.example/?utm_d=1\"></p>";
        assert_eq!(without_tracking_in_html(html), html.replace("&amp;utm_b=2", ""));
        assert!(matches!(without_tracking_in_html("<a href=\"https://a.example/?a=1\">a</a>"), Cow::Borrowed(_)));
    }
}
