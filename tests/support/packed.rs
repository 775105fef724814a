//! Bytes packed as HTTP servers pack them, bombs among them.

#![allow(dead_code, reason = "each module of tests uses its own part")]

use std::io::Write as _;

/// RFC 1952.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// RFC 7932.
pub(crate) fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::CompressorWriter::new(&mut packed, 4096, 1, 22).write_all(bytes).unwrap();
    packed
}

/// Writes a zstd frame of blocks that repeat a space 131,072 times each (RFC 8878 §3.1.1).
pub(crate) fn zstd(blocks: usize) -> Vec<u8> {
    const BLOCK_BYTES: u32 = 128 << 10;
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]; // magic, no options, a window of 128 KiB
    let block = |is_last: bool| {
        let header = (BLOCK_BYTES << 3) | (1 << 1) | u32::from(is_last); // type 1: one byte repeated
        [&header.to_le_bytes()[..3], b" "].concat()
    };
    let blocks = (1..=blocks).flat_map(|at| block(at == blocks));
    frame.into_iter().chain(blocks).collect()
}

/// A zstd frame.
pub(crate) fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
