//! Connections with limits: so many at once, and none that takes its time for ever.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use crate::serve::ServingLimits;

/// Pause after an accept that failed for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// A socket that listens.
#[derive(Debug)]
pub enum Socket {
    /// An address and a port.
    Tcp(TcpListener),
    /// A path, for a web server on the same machine.
    Unix(UnixListener),
}

/// The same, known to no runtime.
pub(super) enum StdSocket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Socket {
    /// Returns where it is reached: `http://127.0.0.1:8080/`, `unix:/run/veille/veille.sock`.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "http".to_owned(), |address| format!("http://{address}/"))
            }
            Self::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                path.map_or_else(|| "a Unix socket".to_owned(), |path| format!("unix:{}", path.display()))
            }
        }
    }

    pub(super) fn into_std(self) -> io::Result<StdSocket> {
        Ok(match self {
            Self::Tcp(listener) => StdSocket::Tcp(listener.into_std()?),
            Self::Unix(listener) => StdSocket::Unix(listener.into_std()?),
        })
    }

    /// Makes it known to the runtime that this is called in.
    pub(super) fn from_std(socket: StdSocket) -> io::Result<Self> {
        Ok(match socket {
            StdSocket::Tcp(listener) => Self::Tcp(TcpListener::from_std(listener)?),
            StdSocket::Unix(listener) => Self::Unix(UnixListener::from_std(listener)?),
        })
    }

    async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Only costs a little latency where it is refused.
                let _ = stream.set_nodelay(true);
                Ok(Stream::Tcp(stream))
            }
            Self::Unix(listener) => Ok(Stream::Unix(listener.accept().await?.0)),
        }
    }
}

impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<UnixListener> for Socket {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

/// A listener that accepts only as many connections as it was given.
pub(super) struct Connections {
    socket: Socket,
    permits: Arc<Semaphore>,
    idle: Duration,
}

impl Connections {
    pub(super) fn new(socket: Socket, limits: ServingLimits) -> Self {
        Self { socket, permits: Arc::new(Semaphore::new(limits.connections)), idle: limits.idle }
    }

    /// Waits for a place, then for a client.
    ///
    /// Without file descriptors left it waits: other connections will end.
    pub(super) async fn accept(&mut self) -> Connection {
        // The place comes first: a client too many waits in the system's queue, where it costs us neither memory nor a
        // descriptor. Fails only when the semaphore is closed, which nobody does.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let stream = loop {
            match self.socket.accept().await {
                Ok(stream) => break stream,
                Err(error) if ended_early(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections; trying again");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        let progress = Instant::now();
        let deadline = Box::pin(tokio::time::sleep_until(progress + self.idle));
        Connection { stream, idle: self.idle, progress, deadline, _permit: permit }
    }
}

/// Whether the client was gone before it was accepted.
fn ended_early(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A connection of either kind.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Calls the stream's own method, whichever it is.
macro_rules! on_stream {
    ($stream:expr, $method:ident, $($argument:expr),*) => {
        match $stream {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

/// A connection that ends when its client takes no part of an answer for too long.
///
/// Bytes that it sends do not count: a header sent byte by byte, a body without end and a client that only stays are the
/// same to us. hyper's own time-out for headers would not see the other two.
pub(super) struct Connection {
    stream: Stream,
    idle: Duration,
    progress: Instant,
    deadline: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Returns the address of the other side; none of a Unix socket.
    pub(super) fn peer(&self) -> Option<IpAddr> {
        match &self.stream {
            Stream::Tcp(stream) => stream.peer_addr().ok().map(|address| address.ip()),
            Stream::Unix(_) => None,
        }
    }

    /// Resolves, to an error, when there was no progress for too long.
    fn poll_expired<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        loop {
            ready!(self.deadline.as_mut().poll(context));
            let due = self.progress + self.idle;
            if due <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.deadline.as_mut().reset(due);
        }
    }

    fn written(&mut self, context: &mut Context<'_>, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if poll.is_pending() {
            return self.poll_expired(context);
        }
        self.progress = Instant::now();
        poll
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        match on_stream!(&mut connection.stream, poll_read, context, buffer) {
            Poll::Pending => connection.poll_expired(context),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        let poll = on_stream!(&mut connection.stream, poll_write, context, bytes);
        connection.written(context, poll)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        let poll = on_stream!(&mut connection.stream, poll_write_vectored, context, slices);
        connection.written(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        true // both kinds are
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(&mut self.get_mut().stream, poll_flush, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(&mut self.get_mut().stream, poll_shutdown, context)
    }
}
