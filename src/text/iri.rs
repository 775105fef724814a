//! Addresses and ids that programs compare character by character (RFC 3987; RFC 4287 §4.2.6.1).

use url::Url;

/// Schemes of ids besides those of the web, `urn` and `tag`: validators warn of what IANA does not know.
const OTHER_SCHEMES: [&str; 4] = ["info", "mid", "news", "nntp"];

/// Marks that combine with the letter before them: what they make can be written in two ways.
const COMBINING: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// Characters allowed in a URI besides letters and digits; the `#` only in front of a fragment.
const ALL: &str = "-._~!$&'()*+,;=:@/?#%";

/// Returns `iri` with what RFC 3986 §2 does not allow percent-encoded; what is legal stays as it is.
#[must_use]
pub fn legal_iri(iri: &str) -> String {
    let iri = iri.trim();
    let host_end = iri.find("://[").and_then(|start| iri.find(']').filter(|end| *end > start)).map_or(0, |end| end + 1);
    let mut legal = String::with_capacity(iri.len());
    for (at, c) in iri.char_indices() {
        let is_legal = match c {
            '%' => iri.get(at + 1..at + 3).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())),
            '[' | ']' => at < host_end,
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => false,
            _ => !c.is_whitespace() && !c.is_control(),
        };
        if is_legal {
            legal.push(c);
        } else {
            legal.extend(c.encode_utf8(&mut [0; 4]).bytes().map(percent_encoding::percent_encode_byte));
        }
    }
    legal
}

/// Returns the normal form (RFC 3986 §6.2.2) of a URI or IRI, if it is absolute and has one: a web address, a URN, a tag,
/// or of another scheme that names things.
#[must_use]
pub fn normal_iri(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let is_legal = match scheme.as_str() {
        "http" | "https" | "ftp" => {
            rest.strip_prefix("//").filter(|rest| !rest.starts_with('/'))?;
            let url = Url::parse(text).ok()?;
            url.domain().filter(|domain| !domain.ends_with('.') && is_made_of(domain, "-._"))?;
            url.fragment().is_none_or(|fragment| !fragment.contains('#')).then_some(())?;
            return escapes(&legal_iri(url.as_str()));
        }
        "urn" => is_urn(rest),
        "tag" => is_tag(rest),
        other => OTHER_SCHEMES.contains(&other) && !rest.is_empty() && is_made_of(rest, ALL),
    };
    is_legal.then(|| escapes(&format!("{scheme}:{rest}")))?
}

/// RFC 2141 §2.2: who reads URNs by RFC 8141 reads these too.
fn is_urn(rest: &str) -> bool {
    let Some((namespace, name)) = rest.split_once(':') else { return false };
    let is_namespace = (2..=32).contains(&namespace.len()) && !namespace.starts_with('-') && is_made_of(namespace, "-");
    let is_name = if namespace.eq_ignore_ascii_case("uuid") {
        let lengths = name.split('-').map(str::len);
        lengths.eq([8, 4, 4, 4, 12]) && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    } else {
        !name.is_empty() && is_made_of(name, "()+,.:=@;$_!*'-%")
    };
    is_namespace && is_name
}

/// RFC 4151 §2.1: an authority in lower case, a date, something specific.
fn is_tag(rest: &str) -> bool {
    let Some((authority, after)) = rest.split_once(',') else { return false };
    let Some((date, specific)) = after.split_once(':') else { return false };
    let mut lengths = date.split('-').map(str::len);
    let is_date = lengths.next() == Some(4)
        && lengths.clone().count() <= 2
        && lengths.all(|length| length == 2)
        && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_authority = |name: &str| !name.is_empty() && is_made_of(name, "-.") && name == name.to_lowercase();
    let domain = match authority.split_once('@') {
        Some((local, domain)) if is_made_of(local, "-._") && local == local.to_lowercase() => domain,
        Some(_) => return false,
        None => authority,
    };
    is_date && is_authority(domain) && is_made_of(specific, ALL) && specific.matches('#').count() <= 1
}

fn is_made_of(text: &str, others: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// Writes each escape in upper case, and none for what needs none; `None` if what they mean is no text, or not sure.
fn escapes(uri: &str) -> Option<String> {
    let mut parts = uri.split('%');
    let mut normal = parts.next()?.to_owned();
    let mut meant = Vec::new();
    for part in parts {
        let (digits, rest) =
            part.split_at_checked(2).filter(|(digits, _)| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push_str(percent_encoding::percent_encode_byte(byte));
        }
        normal.push_str(rest);
        meant.push(byte);
        meant.extend(rest.bytes());
    }
    let meant = String::from_utf8(meant).ok()?;
    (!meant.contains(|c| COMBINING.contains(&c))).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, expected: Option<&str>) {
        assert_eq!(normal_iri(id).as_deref(), expected);
    }

    #[test]
    fn a_web_address_has_one_form() {
        check("HTTP://A.example:80/%7euser/../b/./c", Some("http://a.example/b/c"));
        check(
            "https://École.example/été?q=a b|c#é",
            Some("https://xn--cole-9oa.example/%C3%A9t%C3%A9?q=a%20b%7Cc#%C3%A9"),
        );
        check("https://a.example/%c3%a9%41", Some("https://a.example/%C3%A9A"));
        check("https://a.example/?p=1&q=(x)", Some("https://a.example/?p=1&q=(x)"));
    }

    #[test]
    fn urns_and_tags_are_kept() {
        check("urn:isbn:2070360024", Some("urn:isbn:2070360024"));
        check("URN:UUID:1225C695-cfb8-4ebb-aaaa-80da344efa6a", Some("urn:UUID:1225C695-cfb8-4ebb-aaaa-80da344efa6a"));
        check("tag:blogger.com,1999:blog-1.post-2", Some("tag:blogger.com,1999:blog-1.post-2"));
        check("tag:me@a.example,2026-02-03:x/y?z#f", Some("tag:me@a.example,2026-02-03:x/y?z#f"));
        check("info:doi/10.1000/182", Some("info:doi/10.1000/182"));
    }

    #[test]
    fn what_has_no_sure_form_is_none() {
        for id in [
            "12",
            "http://",
            "http:///a",
            "https:12",
            "http://[::1]/a",
            "http://a.example./",
            "http://a.{example/",
            "ftp://a.example/a##b",
            "http://a.example/%E9",
            "http://a.example/e%CC%81",
            "urn:x:y",
            "urn:uuid:12",
            "urn:isbn:été",
            "urn:a b:c",
            "tag:a.example:1",
            "tag:A.example,2026:1",
            "tag:a.example,2026-1-1:1",
            "tag:a.example,2026:été",
            "javascript:alert(1)",
            "case:1",
            "news:",
        ] {
            check(id, None);
        }
    }
}
