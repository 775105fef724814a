//! Documents in the content codings that readers understand, made once per change. gzip is made by zlib-rs, which takes
//! the least time for the same documents.

use std::io::{self, Read, Write};

/// Bodies shorter than this fit into one packet with their headers: compressing them saves nobody anything.
pub(super) const COMPRESSED_FROM_BYTES: usize = 1_024;

/// Brotli's scale ends at 11. From 6 on it takes half again as much time for each fifteenth less.
const BROTLI_QUALITY: i32 = 5;

/// The window, 2 MiB, within which repetitions are found. The encoder (9.0) makes a long document half again as long with one
/// of 1 MiB, and twice with one of 256 KiB: more than gzip. One of 4 MiB, the usual, takes more memory for nothing.
const BROTLI_WINDOW_BITS: i32 = 21;

/// gzip's scale ends at 9, which costs nearly twice as much and saves nothing in feeds.
const GZIP_LEVEL: u32 = 6;

/// A content coding (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

impl Encoding {
    /// All of them, the one that usually makes the smallest bodies first.
    pub const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Its name in `Content-Encoding` and `Accept-Encoding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Whether making it takes many times as long as rendering a document.
    pub(super) fn takes_long(self) -> bool {
        match self {
            Self::Brotli => true,
            Self::Gzip => false,
        }
    }

    /// Returns the extension of a file in this coding, as web servers look for it.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gz",
        }
    }
}

/// Returns `bytes` in a coding, if that makes them smaller.
pub(super) fn compressed(bytes: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    (bytes.len() >= COMPRESSED_FROM_BYTES).then_some(())?;
    let mut body = Vec::new();
    compress(&mut &*bytes, bytes.len() as u64, &mut body, encoding).ok()?;
    (body.len() < bytes.len()).then_some(body)
}

/// Writes a coding of a document of `length` bytes that need not fit into memory.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn compress(from: &mut impl Read, length: u64, to: &mut impl Write, encoding: Encoding) -> io::Result<()> {
    match encoding {
        Encoding::Brotli => {
            let params = brotli::enc::BrotliEncoderParams {
                quality: BROTLI_QUALITY,
                lgwin: BROTLI_WINDOW_BITS,
                size_hint: usize::try_from(length).unwrap_or_default(),
                ..Default::default()
            };
            brotli::BrotliCompress(from, to, &params)?;
        }
        // Without a date in its header: the same bytes give the same bytes.
        Encoding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(to, flate2::Compression::new(GZIP_LEVEL));
            io::copy(from, &mut encoder)?;
            encoder.finish()?;
        }
    }
    Ok(())
}
