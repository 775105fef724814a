//! What is served: each document with its validators and its compressed forms, in memory or as a file.
//!
//! Compression is done once per change; what did not change is taken over from the tree before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chrono::SubsecRound;

use crate::feed::Timestamp;
use crate::publish::files::{Filed, Placed};
use crate::publish::{Encoding, Format, Representation};

/// Every document by its path, as served between two changes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    resources: Arc<HashMap<String, Arc<Resource>>>,
    /// When the next change is possible; `None` if nobody knows.
    pub fresh_until: Option<Instant>,
}

/// A document with all that answers about it need.
#[derive(Debug)]
pub struct Resource {
    /// What it is written in.
    pub format: Format,
    /// When its bytes last changed, as far as is known, to the second.
    pub modified: Timestamp,
    /// The same as an HTTP date (RFC 9110 §5.6.7).
    pub last_modified: String,
    /// As it is.
    pub plain: Encoded,
    /// Compressed, where that makes it smaller; smallest first.
    pub compressed: Vec<(Encoding, Encoded)>,
    hash: String,
}

/// A document in one content coding.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The body.
    pub body: Body,
    /// A strong validator with its quotes, not shared with another coding (RFC 9110 §8.8.3.3).
    pub etag: String,
}

/// Where the bytes of a document are.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory: what readers ask for all the time.
    Memory(Bytes),
    /// In a published file: the archive, which grows for years and is seldom asked for.
    File(Placed),
}

impl Tree {
    /// Builds the tree that follows `previous`, reusing what has the same bytes.
    ///
    /// A document that changed without its content saying so (a source was renamed) is dated `now`: else a reader that
    /// knows only `Last-Modified` would never see the change.
    #[must_use]
    pub fn build(
        representations: Vec<Representation>,
        filed: Vec<(String, Option<Filed>)>,
        previous: &Self,
        now: Timestamp,
    ) -> Self {
        let in_memory = representations.into_iter().map(|representation| {
            let before = previous.get(&representation.path);
            let resource = match before {
                Some(before) if before.hash == representation.hash => Arc::clone(before),
                Some(before) if before.modified >= representation.modified => {
                    Arc::new(Resource::in_memory(&representation, now.max(before.modified)))
                }
                _ => Arc::new(Resource::in_memory(&representation, representation.modified)),
            };
            (representation.path, resource)
        });
        let in_files = filed.into_iter().filter_map(|(path, filed)| {
            // Built anew though the bytes be the same: they may lie elsewhere, or not in all codings.
            let anew = filed.map(|filed| Arc::new(Resource::in_file(&filed)));
            let resource = anew.or_else(|| previous.get(&path).cloned())?;
            Some((path, resource))
        });
        Self { resources: Arc::new(in_memory.chain(in_files).collect()), fresh_until: previous.fresh_until }
    }

    /// Returns the same documents with another time of the next possible change. Validators stay.
    #[must_use]
    pub fn with_fresh_until(&self, instant: Option<Instant>) -> Self {
        Self { resources: Arc::clone(&self.resources), fresh_until: instant }
    }

    /// Returns the document at `path`, which begins with `/`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Arc<Resource>> {
        self.resources.get(path)
    }
}

impl Resource {
    fn in_memory(representation: &Representation, modified: Timestamp) -> Self {
        let compressed = representation.compressed().iter().map(|(encoding, bytes)| (*encoding, bytes.clone()));
        let compressed = compressed.map(|(encoding, bytes)| (encoding, Body::Memory(bytes))).collect();
        let plain = Body::Memory(representation.bytes.clone());
        Self::new(representation.format, &representation.hash, modified, plain, compressed)
    }

    fn in_file(filed: &Filed) -> Self {
        let compressed =
            filed.compressed.iter().map(|(encoding, placed)| (*encoding, Body::File(placed.clone()))).collect();
        Self::new(filed.format, &filed.hash, filed.modified, Body::File(filed.plain.clone()), compressed)
    }

    fn new(format: Format, hash: &str, modified: Timestamp, plain: Body, compressed: Vec<(Encoding, Body)>) -> Self {
        let modified = modified.trunc_subsecs(0);
        let compressed = compressed
            .into_iter()
            .map(|(encoding, body)| (encoding, Encoded { body, etag: format!("\"{hash}-{}\"", encoding.name()) }));
        Self {
            format,
            modified,
            last_modified: modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            plain: Encoded { body: plain, etag: format!("\"{hash}\"") },
            compressed: compressed.collect(),
            hash: hash.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::world::date;

    fn tree(text: &str, modified: &str, previous: &Tree) -> Tree {
        let document = Representation::new("/a.atom".into(), Format::Atom, text.into(), date(modified));
        Tree::build(vec![document], Vec::new(), previous, date("2026-10-12T12:00:00Z"))
    }

    /// Publishes one text after another, both with the same date; shows what became of the document.
    fn check(before: &str, after: &str, claim: impl FnOnce(&Arc<Resource>, &Arc<Resource>) -> bool) {
        let first = tree(before, "2026-10-10T00:00:00Z", &Tree::default());
        let second = tree(after, "2026-10-10T00:00:00Z", &first);
        assert!(claim(first.get("/a.atom").unwrap(), second.get("/a.atom").unwrap()));
    }

    #[test]
    fn the_same_bytes_are_taken_over() {
        check("a", "a", Arc::ptr_eq);
    }

    #[test]
    fn other_bytes_have_another_tag() {
        check("a", "b", |before, after| before.plain.etag != after.plain.etag);
    }

    #[test]
    fn a_change_that_its_content_does_not_date_is_dated_now() {
        check("a", "b", |before, after| {
            (before.last_modified.as_str(), after.last_modified.as_str())
                == ("Sat, 10 Oct 2026 00:00:00 GMT", "Mon, 12 Oct 2026 12:00:00 GMT")
        });
    }

    #[test]
    fn each_coding_is_smaller_and_has_its_own_tag() {
        let tree = tree(&"du texte ".repeat(1_000), "2026-10-10T00:00:00Z", &Tree::default());
        let resource = tree.get("/a.atom").unwrap();
        let tags: Vec<_> = resource.compressed.iter().map(|(_, encoded)| &encoded.etag).collect();
        assert!(tags.len() == 3 && tags[0] != tags[1] && tags[1] != tags[2] && !tags.contains(&&resource.plain.etag));
        let length = |encoded: &Encoded| match &encoded.body {
            Body::Memory(bytes) => bytes.len(),
            Body::File(_) => usize::MAX,
        };
        assert!(resource.compressed.iter().all(|(_, encoded)| length(encoded) < length(&resource.plain)));
    }

    #[test]
    fn what_is_small_is_not_compressed() {
        check("a", "b", |_, after| after.compressed.is_empty());
    }

    #[test]
    fn what_is_published_no_more_is_gone() {
        let first = tree("a", "2026-10-10T00:00:00Z", &Tree::default());
        assert!(Tree::build(Vec::new(), Vec::new(), &first, date("2026-10-12T12:00:00Z")).get("/a.atom").is_none());
    }
}
