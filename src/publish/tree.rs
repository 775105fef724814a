//! What is served, whole and in memory: each document with its validators and its compressed forms.
//!
//! Compression is done once per change; what did not change is taken over from the tree before.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

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
    /// For `Last-Modified`: when its bytes last changed, as far as is known.
    pub modified: Timestamp,
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
    pub fn fresh_until(&self, instant: Option<Instant>) -> Self {
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
