//! Ids that go out: programs compare them character by character (RFC 4287 §4.2.6.1).

use sha2::{Digest, Sha256};

use crate::publish::hexadecimal;
use crate::text::normal_iri;

/// Returns the id under which something is published: its own in normal form; a hash of it if it has none.
pub(super) fn published_id(id: &str) -> String {
    normal_iri(id).unwrap_or_else(|| format!("urn:sha256:{}", hexadecimal(&Sha256::digest(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_without_a_normal_form_is_published_as_its_hash() {
        assert_eq!(published_id("urn:x:y"), "urn:sha256:89279ddb759fc0ce60ec5da92b64d19d");
        assert_ne!(published_id("urn:x:y"), published_id("urn:x:z"));
    }
}
