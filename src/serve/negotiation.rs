//! Chooses the coding of a document for a reader, and tells whether it needs one at all (RFC 9110 §12.5.3, §13).

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::publish::{Encoded, Encoding, Resource};
use crate::text::read_http_date;

/// Returns the coding that `Accept-Encoding` likes best; among equals the smallest, which comes first.
///
/// The document as it is, if the header does not mention it, is always acceptable and never preferred.
pub(super) fn best_coding<'a>(request: &HeaderMap, resource: &'a Resource) -> (Option<Encoding>, &'a Encoded) {
    if !request.contains_key(header::ACCEPT_ENCODING) {
        return (None, &resource.plain);
    }
    let mut best = (None, &resource.plain, quality(request, "identity").unwrap_or(0));
    for (encoding, encoded) in &resource.compressed {
        let quality = quality(request, encoding.name()).unwrap_or(0);
        if quality > best.2 || (quality > 0 && quality == best.2 && best.0.is_none()) {
            best = (Some(*encoding), encoded, quality);
        }
    }
    (best.0, best.1)
}

/// Whether a browser asks, not a reader: XHTML is wanted by name, no kind of feed is, and nothing is wanted as much.
///
/// HTML alone says nothing: libraries of Java and KDE name it in every request that they make.
pub(super) fn wants_page(request: &HeaderMap) -> bool {
    let (mut page, mut other, mut is_browser) = (0, 0, false);
    for accepted in values(request, header::ACCEPT).flat_map(|value| value.split(',')) {
        let mut parts = accepted.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = weight(parts);
        match name.as_str() {
            "text/html" => page = page.max(quality),
            "application/xhtml+xml" => {
                page = page.max(quality);
                is_browser |= quality > 0;
            }
            "application/xml" | "text/xml" | "application/json" | "*/*" | "application/*" | "text/*" => {
                other = other.max(quality);
            }
            name if ["atom", "rss", "rdf", "feed"].iter().any(|kind| name.contains(kind)) => return false,
            _ => {}
        }
    }
    is_browser && page > other
}

/// The quality that a reader gives to a coding, by name or by `*`, in thousandths.
fn quality(request: &HeaderMap, coding: &str) -> Option<u32> {
    let mut any = None;
    for accepted in values(request, header::ACCEPT_ENCODING).flat_map(|value| value.split(',')) {
        let mut parts = accepted.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let name = name.strip_prefix("x-").unwrap_or(name); // RFC 9110 §8.4.1.3: `x-gzip` is `gzip`
        if name.eq_ignore_ascii_case(coding) || name == "*" {
            let quality = Some(weight(parts));
            if name != "*" {
                return quality;
            }
            any = quality;
        }
    }
    any
}

/// The weight among the parameters of what is accepted (RFC 9110 §12.4.2), in thousandths; all if none is given.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u32 {
    let quality = parameters.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    quality.map_or(1_000, thousandths)
}

/// Returns 500 for `0.5`, and 0 for an illegal quality, so that nobody gets a coding that was asked for by mistake.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = format!("{fraction}000").chars().take(3).collect();
    match (whole, digits.parse::<u32>()) {
        ("1", _) => 1_000,
        ("0", Ok(thousandths)) => thousandths,
        _ => 0,
    }
}

/// Returns the validator of what the reader has if that is the document of today.
///
/// The tag of another coding of the same document counts if the reader takes that coding: a shared cache may give what
/// it holds under that tag to whoever was told that it is still good (RFC 9111 §4.3.3).
pub(super) fn known_etag<'a>(request: &HeaderMap, resource: &'a Resource) -> Option<&'a str> {
    if request.contains_key(header::IF_NONE_MATCH) {
        // RFC 9110 §13.1.3: then `If-Modified-Since` says nothing.
        return values(request, header::IF_NONE_MATCH).flat_map(tags).find_map(|tag| {
            let selected = best_coding(request, resource).1;
            if tag == selected.etag || tag == "*" {
                return Some(selected.etag.as_str()); // nearly always
            }
            let plain = Some(&resource.plain).filter(|_| quality(request, "identity") != Some(0));
            let takes = |encoding: Encoding| quality(request, encoding.name()).is_some_and(|quality| quality > 0);
            let others =
                resource.compressed.iter().filter(|(encoding, _)| takes(*encoding)).map(|(_, encoded)| encoded);
            plain.into_iter().chain(others).map(|encoded| encoded.etag.as_str()).find(|etag| *etag == tag)
        });
    }
    let since = values(request, header::IF_MODIFIED_SINCE).next()?;
    let is_known =
        since == resource.last_modified || read_http_date(since).is_some_and(|since| resource.modified <= since);
    is_known.then(|| best_coding(request, resource).1.etag.as_str())
}

/// The tags of a list, compared weakly (RFC 9110 §8.8.3.2): `W/` says nothing here. Ours hold no comma.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|tag| tag.trim().trim_start_matches("W/"))
}

fn values(request: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    request.get_all(name).into_iter().map(HeaderValue::to_str).filter_map(Result::ok)
}
