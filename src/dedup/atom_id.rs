//! The id under which an entry is published for ever (RFC 4287 §4.2.6). The home of `uuid`.

use url::Url;
use uuid::Uuid;

use crate::story::EntryKey;

/// Schemes of ids that are taken over besides `http`, `https`, `urn` and `tag`.
///
/// Validators warn of a scheme that IANA does not know, so `post:12` gets an id of ours.
const OTHER_SCHEMES: [&str; 5] = ["ftp", "info", "mid", "news", "nntp"];

/// Returns the id that we give to an entry when its source gives none that we can publish.
///
/// The same source and key give the same id on every machine and after every rebuild.
#[must_use]
pub fn minted_id(source_id: &str, key: EntryKey) -> String {
    let source = Uuid::new_v5(&Uuid::NAMESPACE_OID, source_id.as_bytes());
    Uuid::new_v5(&source, &key.0).urn().to_string()
}

/// Whether `id` is an absolute IRI that can be published as it is.
pub(super) fn is_iri(id: &str) -> bool {
    let Some((scheme, rest)) = id.split_once(':') else { return false };
    if rest.is_empty() || id.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c)) {
        return false;
    }
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => {
            let has_authority = rest.strip_prefix("//").is_some_and(|rest| !rest.starts_with('/'));
            has_authority && Url::parse(id).is_ok_and(|url| url.has_host())
        }
        "urn" => is_urn(rest),
        "tag" => is_tag(rest),
        other => OTHER_SCHEMES.contains(&other),
    }
}

/// Whether the guid `id` is unique in the world: a URL with a path, a URN or a tag.
pub(super) fn is_world_unique(id: &str) -> bool {
    match Url::parse(id) {
        Ok(url) if url.has_host() => is_iri(id) && super::canonical_link(&url).is_some(),
        _ => is_iri(id),
    }
}

/// RFC 8141: a namespace and something in it; what says that it is a UUID must be one.
fn is_urn(rest: &str) -> bool {
    let Some((namespace, name)) = rest.split_once(':') else { return false };
    let is_namespace = (2..=32).contains(&namespace.len())
        && !namespace.starts_with('-')
        && namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_name = !name.is_empty() && (!namespace.eq_ignore_ascii_case("uuid") || Uuid::try_parse(name).is_ok());
    is_namespace && is_name
}

/// RFC 4151: an authority, a date, something specific.
fn is_tag(rest: &str) -> bool {
    let Some((authority, after)) = rest.split_once(',') else { return false };
    let date = after.split_once(':').map(|(date, _)| date).unwrap_or_default();
    let is_date = matches!(date.len(), 4 | 7 | 10) && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    !authority.is_empty() && is_date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_iris_are_published_as_they_are() {
        for id in [
            "https://example.org/?p=12",
            "http://exemple.fr/été",
            "urn:uuid:0a1b2c3d-0000-4000-8000-000000000001",
            "urn:isbn:2070360024",
            "tag:example.org,2026-02:item-1",
            "tag:blogger.com,1999:blog-1.post-2",
        ] {
            assert!(is_iri(id), "{id}");
        }
    }

    #[test]
    fn other_guids_are_not() {
        for id in [
            "12",
            "",
            "https://",
            "http:///a",
            "https:12",
            "urn:",
            "urn:uuid:12",
            "tag:12",
            "a b:c",
            "12 at https://e.org",
            "https://example.org/a b",
            "post:12",
            "/a/b",
        ] {
            assert!(!is_iri(id), "{id}");
        }
    }

    #[test]
    fn a_site_root_is_not_unique_in_the_world() {
        assert!(!is_world_unique("https://example.org/"));
        assert!(is_world_unique("https://example.org/?p=1"));
        assert!(is_world_unique("tag:example.org,2026:1"));
    }

    #[test]
    fn a_minted_id_never_changes() {
        let id = minted_id("education", EntryKey([7; 16]));
        assert_eq!(id, "urn:uuid:4ce57ed3-2179-5636-91b7-a360c6548aad");
    }
}
