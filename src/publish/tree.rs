//! What is served, whole and in memory: each document with its validators and its compressed forms.
//!
//! Compression is done once per change; what did not change is taken over from the tree before.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chrono::SubsecRound;

use crate::feed::Timestamp;
use crate::publish::{Format, Representation};

/// Bodies shorter than this fit into one packet with their headers: compressing them saves nobody anything.
const COMPRESSED_FROM_BYTES: usize = 1_024;

/// Brotli's scale ends at 11, which costs twenty times as much for a tenth less.
const BROTLI_QUALITY: i32 = 6;

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
    /// Compressed, where that makes it smaller.
    pub compressed: Vec<(Encoding, Encoded)>,
    hash: String,
}

/// A document in one content coding.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The body.
    pub bytes: Bytes,
    /// A strong validator with its quotes, not shared with another coding (RFC 9110 §8.8.3.3).
    pub etag: String,
}

/// A content coding (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Encoding {
    /// Its name in `Content-Encoding` and `Accept-Encoding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

impl Tree {
    /// Builds the tree that follows `previous`, reusing what has the same bytes.
    ///
    /// A document that changed without its content saying so (a source was renamed) is dated `now`: else a reader that
    /// knows only `Last-Modified` would never see the change.
    #[must_use]
    pub fn build(representations: Vec<Representation>, previous: &Self, now: Timestamp) -> Self {
        let resources = representations.into_iter().map(|representation| {
            let before = previous.get(&representation.path);
            let resource = match before {
                Some(before) if before.hash == representation.hash => Arc::clone(before),
                Some(before) if before.modified >= representation.modified => {
                    Arc::new(Resource::new(&representation, now.max(before.modified)))
                }
                _ => Arc::new(Resource::new(&representation, representation.modified)),
            };
            (representation.path, resource)
        });
        Self { resources: Arc::new(resources.collect()), fresh_until: previous.fresh_until }
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
    fn new(representation: &Representation, modified: Timestamp) -> Self {
        let modified = modified.trunc_subsecs(0);
        let plain = &representation.bytes;
        let compressed = [(Encoding::Brotli, brotli(plain)), (Encoding::Gzip, gzip(plain))];
        let smaller = compressed.into_iter().filter_map(|(encoding, body)| {
            let bytes = Bytes::from(body?);
            let etag = format!("\"{}-{}\"", representation.hash, encoding.name());
            (bytes.len() < plain.len()).then_some((encoding, Encoded { bytes, etag }))
        });
        Self {
            format: representation.format,
            modified,
            last_modified: modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            plain: Encoded { bytes: plain.clone(), etag: format!("\"{}\"", representation.hash) },
            compressed: smaller.collect(),
            hash: representation.hash.clone(),
        }
    }
}

fn brotli(bytes: &[u8]) -> Option<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
    let mut body = Vec::new();
    (bytes.len() >= COMPRESSED_FROM_BYTES).then_some(())?;
    brotli::BrotliCompress(&mut &*bytes, &mut body, &params).ok()?;
    Some(body)
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() >= COMPRESSED_FROM_BYTES).then_some(())?;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::world::date;

    fn tree(text: &str, modified: &str, previous: &Tree) -> Tree {
        let document = Representation::new("/a.atom".into(), Format::Atom, text.into(), date(modified));
        Tree::build(vec![document], previous, date("2026-10-12T12:00:00Z"))
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
        assert!(tags.len() == 2 && tags[0] != tags[1] && !tags.contains(&&resource.plain.etag));
        assert!(resource.compressed.iter().all(|(_, encoded)| encoded.bytes.len() < resource.plain.bytes.len()));
    }

    #[test]
    fn what_is_small_is_not_compressed() {
        check("a", "b", |_, after| after.compressed.is_empty());
    }

    #[test]
    fn what_is_published_no_more_is_gone() {
        let first = tree("a", "2026-10-10T00:00:00Z", &Tree::default());
        assert!(Tree::build(Vec::new(), &first, date("2026-10-12T12:00:00Z")).get("/a.atom").is_none());
    }
}
