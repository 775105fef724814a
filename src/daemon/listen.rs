//! The socket that HTTP is served on: one that the service manager hands over (`sd_listen_fds(3)`), else our own.
//!
//! The home of `listenfd`.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tracing::info;

use crate::config::Listen;
use crate::serve::Socket;

/// The file of our own Unix socket; removed when dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else may have removed it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Opens what to listen on; `None` if nothing is to be served.
///
/// # Errors
/// When the address is taken or not ours to use.
pub(super) async fn open_socket(listen: Option<&Listen>) -> anyhow::Result<Option<(Socket, Option<SocketFile>)>> {
    if let Some(socket) = handed_over().context("the socket that the service manager hands over cannot be used")? {
        info!("serving on the socket that the service manager handed over");
        return Ok(Some((socket, None)));
    }
    let Some(listen) = listen else { return Ok(None) };
    let (socket, file) = bound(listen, "serve.listen").await?;
    // Readers are answered after the first publication.
    info!(target: "veille::detail", address = %address(&socket), "serving");
    Ok(Some((socket, file)))
}

/// Opens what `/healthz` and `/metrics` are served on alone; `None` if they are served with all the rest.
///
/// # Errors
/// As [`open_socket`].
pub(super) async fn open_internal(listen: Option<&Listen>) -> anyhow::Result<Option<(Socket, Option<SocketFile>)>> {
    let Some(listen) = listen else { return Ok(None) };
    let (socket, file) = bound(listen, "serve.internal").await?;
    info!("/healthz and /metrics on {}", socket.place());
    Ok(Some((socket, file)))
}

async fn bound(listen: &Listen, key: &str) -> anyhow::Result<(Socket, Option<SocketFile>)> {
    match listen {
        Listen::Tcp(address) => {
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(|cause| cannot_listen(&address.to_string(), key, cause))?;
            Ok((listener.into(), None))
        }
        Listen::Unix(path) => {
            let listener = bind(path).await.map_err(|cause| cannot_listen(&path.display().to_string(), key, cause))?;
            Ok((listener.into(), Some(SocketFile(path.clone()))))
        }
    }
}

/// The address alone, for programs that read the log.
fn address(socket: &Socket) -> String {
    socket.place().trim_start_matches("http://").trim_start_matches("unix:").trim_end_matches('/').to_owned()
}

fn cannot_listen(address: &str, key: &str, cause: io::Error) -> anyhow::Error {
    let hint = match cause.kind() {
        io::ErrorKind::NotFound => "its folder is missing (systemd makes `/run/veille` for `RuntimeDirectory=veille`)",
        io::ErrorKind::PermissionDenied => "this user may not",
        _ => "is another veille running, or another program there?",
    };
    anyhow::Error::new(cause).context(format!("cannot listen on {address} (`{key}`): {hint}"))
}

/// The first socket of `LISTEN_FDS`, whatever its kind.
fn handed_over() -> io::Result<Option<Socket>> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() == 0 {
        return Ok(None);
    }
    if let Ok(Some(listener)) = sockets.take_tcp_listener(0) {
        listener.set_nonblocking(true)?;
        return Ok(Some(TcpListener::from_std(listener)?.into()));
    }
    let Some(listener) = sockets.take_unix_listener(0)? else { return Ok(None) };
    listener.set_nonblocking(true)?;
    Ok(Some(UnixListener::from_std(listener)?.into()))
}

/// Binds a socket that every user may connect to: its folder says who may reach it.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    let is_socket = path.metadata().is_ok_and(|file| file.file_type().is_socket());
    if is_socket && UnixStream::connect(path).await.is_err() {
        // Left by a process that was killed: nobody answers.
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(listener)
}
