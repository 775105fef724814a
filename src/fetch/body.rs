//! The body of an answer: unpacked as it comes (RFC 9110 §8.4), never more than the limit and one piece.
//!
//! One content coding at most, of those that we ask for; a coding that nobody knows is believed only where the body is no
//! text. Nested codings are refused: no server needs them, and each layer multiplies a bomb.
//!
//! gzip may come in several members (RFC 1952 §2.2): they are read whole. The HTTP library does not unpack, for its gzip drops
//! later members in silence. The only home of `async-compression`.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt};
use tokio::time::timeout;
use tokio_util::io::StreamReader;

use super::FetchError;
use super::client::Time;
use super::memory::{Memory, Share};

/// First bytes of gzip (RFC 1952 §2.3.1); no feed begins with them.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Read at once.
const PIECE_BYTES: usize = 16 << 10;

type Input = StreamReader<Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>, Bytes>;

/// The coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Gzip,
    Brotli,
    /// Something else, or several: no server needs them, and each layer multiplies a bomb. Some servers name the charset
    /// here, or `none`, and pack nothing.
    Unknown,
}

impl Coding {
    /// The value of `Accept-Encoding`.
    pub(super) const ACCEPTED: &'static str = "gzip, br";

    /// Reads `Content-Encoding`, a list whose members may be empty (RFC 9110 §5.6.1.2, §8.4).
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(CONTENT_ENCODING).into_iter();
        let lists: Vec<String> = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into()).collect();
        let members = lists.iter().flat_map(|list| list.split(','));
        let mut codings: Vec<Self> = members.filter_map(|member| Self::named(member.trim())).collect();
        // A proxy that repeats the header does not pack again.
        codings.dedup();
        match codings.as_slice() {
            [] => Self::Plain,
            [coding] => *coding,
            _ => Self::Unknown,
        }
    }

    /// Reads a member of the list; `None` if it stands for no coding.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "" | "identity" => return None,
            "gzip" | "x-gzip" => Self::Gzip,
            "br" => Self::Brotli,
            _ => Self::Unknown,
        })
    }
}

/// Returns `Content-Encoding` as sent, for people.
fn sent(headers: &HeaderMap) -> String {
    let values = headers.get_all(CONTENT_ENCODING).into_iter();
    values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(", ")
}

/// Whether a body is a document that nobody has packed: markup or JSON, also in UTF-16.
fn is_plain(body: &[u8]) -> bool {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    matches!(text, [b'<' | b'{' | b'[', ..] | [0xfe, 0xff, ..] | [0xff, 0xfe, ..])
}

/// The place where a body is gathered, and its limits.
pub(super) struct Vessel<'a> {
    pub(super) bytes_max: u64,
    pub(super) time: &'a mut Time,
    pub(super) memory: &'a Memory,
    pub(super) memory_timeout: Duration,
    pub(super) share: &'a mut Share,
}

/// Why a body was left.
pub(super) enum BodyFault {
    /// As it is.
    Known(FetchError),
    /// The time of the whole is over.
    Late,
    /// It broke.
    Broken(io::Error),
}

impl From<io::Error> for BodyFault {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// Reads the body of `response`. A large one waits until there is memory for it.
pub(super) async fn read_body(response: Response, mut vessel: Vessel<'_>) -> Result<Bytes, BodyFault> {
    let (coding, sent) = (Coding::of(response.headers()), sent(response.headers()));
    if response.content_length().is_some_and(|length| length > vessel.bytes_max) {
        return Err(vessel.too_large());
    }
    let stream: Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(response.bytes_stream().map_err(io::Error::other));
    let mut input: Input = StreamReader::new(stream);
    let mut body = BytesMut::new();
    match coding {
        // Nothing, packed, is nothing.
        _ if vessel.next(&mut input).await?.is_none() => {}
        Coding::Plain => vessel.fill(&mut body, &mut input).await?,
        Coding::Unknown => {
            vessel.fill(&mut body, &mut input).await?;
            if !is_plain(&body) {
                return Err(BodyFault::Known(FetchError::Coding { coding: sent }));
            }
        }
        Coding::Gzip => loop {
            vessel.fill(&mut body, &mut GzipDecoder::new(&mut input)).await?;
            // Bytes after a member that begin no other are padding or a stray line end; all clients ignore them.
            if vessel.next(&mut input).await? != GZIP.first().copied() {
                break;
            }
        },
        Coding::Brotli => vessel.fill(&mut body, &mut BrotliDecoder::new(&mut input)).await?,
    }
    // Packed twice, or without saying so.
    if body.starts_with(GZIP) {
        let coding = if sent.is_empty() { "gzip".to_owned() } else { sent };
        return Err(BodyFault::Known(FetchError::Coding { coding }));
    }
    Ok(body.freeze())
}

impl Vessel<'_> {
    /// Reads all of `from`.
    async fn fill(&mut self, body: &mut BytesMut, from: &mut (impl AsyncRead + Unpin)) -> Result<(), BodyFault> {
        loop {
            body.reserve(PIECE_BYTES);
            let read = self.time.within(from.read_buf(body)).await.ok_or(BodyFault::Late)??;
            if read == 0 {
                return Ok(());
            }
            if body.len() as u64 > self.bytes_max {
                return Err(self.too_large());
            }
            // Not part of the fetch's time, for it is not the publisher's fault.
            let limit = self.memory_timeout;
            let grown = timeout(limit, self.memory.grow(self.share, body.len())).await;
            grown.map_err(|_| BodyFault::Known(FetchError::Busy { limit }))?;
        }
    }

    /// Returns the next byte and leaves it there.
    async fn next(&mut self, input: &mut Input) -> Result<Option<u8>, BodyFault> {
        Ok(self.time.within(input.fill_buf()).await.ok_or(BodyFault::Late)??.first().copied())
    }

    fn too_large(&self) -> BodyFault {
        BodyFault::Known(FetchError::TooLarge { limit_bytes: self.bytes_max })
    }
}
