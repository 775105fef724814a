//! The bytes of a document, from memory or from its published files, which others may remove or replace at any time.

use std::io;

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::publish::files::{Placed, Stamp};
use crate::publish::{Body, Encoded, Encoding, Resource};

/// Bytes, the coding that they are in, and their validator if they are those that it stands for.
type FoundBody<'a> = (Option<Encoding>, Bytes, Option<&'a str>);

/// Whether the document is the one that its validators stand for: its file is as it was when they were made.
pub(super) async fn is_as_known(resource: &Resource) -> bool {
    match &resource.plain.body {
        Body::Memory(_) => true,
        Body::File(placed) => {
            tokio::fs::metadata(&placed.file).await.is_ok_and(|file| Stamp::of(&file) == placed.stamp)
        }
    }
}

/// Reads a document in the coding that was chosen, else as it is: a compressed file that is not there as it was put
/// keeps nobody from reading. `None` if there is nothing to read at all.
pub(super) async fn read_in_coding<'a>(
    resource: &'a Resource,
    encoding: Option<Encoding>,
    chosen: &'a Encoded,
) -> Option<FoundBody<'a>> {
    if let Ok((bytes, true)) = bytes(&chosen.body).await {
        return Some((encoding, bytes, Some(&chosen.etag)));
    }
    // Another process may have put a newer document there, which is as good; its tag is not ours (RFC 9110 §8.8.3).
    let (bytes, is_as_put) = bytes(&resource.plain.body).await.ok()?;
    Some((None, bytes, is_as_put.then_some(&resource.plain.etag)))
}

/// Returns the bytes of a body, and whether they are those that were put there.
async fn bytes(body: &Body) -> io::Result<(Bytes, bool)> {
    let Placed { file, stamp } = match body {
        Body::Memory(bytes) => return Ok((bytes.clone(), true)),
        Body::File(placed) => placed,
    };
    // Asked of the open file: one that is replaced meanwhile stays what it is.
    let mut file = File::open(file).await?;
    let is_as_put = Stamp::of(&file.metadata().await?) == *stamp;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).await?;
    Ok((bytes.into(), is_as_put))
}
