//! Atom ids, under which entries are published for ever (RFC 4287 §4.2.6). The home of `uuid`.

use url::Url;
use uuid::Uuid;

use crate::story::EntryKey;
use crate::text::normal_iri;

/// Makes the id of an entry whose source gives none that we can publish: a `UUIDv5` of source and key, the same on every
/// machine and after every rebuild.
#[must_use]
pub fn minted_id(source_id: &str, key: EntryKey) -> String {
    let source = Uuid::new_v5(&Uuid::NAMESPACE_OID, source_id.as_bytes());
    Uuid::new_v5(&source, &key.0).urn().to_string()
}

/// Whether the guid `id` is unique in the world: a URL with a path, a URN or a tag.
pub(in crate::dedup) fn is_world_unique(id: &str) -> bool {
    let identifies = |url: Url| !url.has_host() || super::canonical_link(&url).is_some();
    normal_iri(id).is_some() && Url::parse(id).is_ok_and(identifies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_root_is_not_unique_in_the_world() {
        assert!(!is_world_unique("https://example.org/"));
        assert!(is_world_unique("https://example.org/?p=1"));
        assert!(is_world_unique("tag:example.org,2026:1"));
        assert!(!is_world_unique("12"));
    }

    #[test]
    fn a_minted_id_never_changes() {
        let id = minted_id("education", EntryKey([7; 16]));
        assert_eq!(id, "urn:uuid:4ce57ed3-2179-5636-91b7-a360c6548aad");
    }
}
