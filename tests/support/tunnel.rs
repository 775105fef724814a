//! A proxy that tunnels (RFC 9110 §9.3.6): whatever host is asked for, it leads to one server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::TcpStream;

use crate::loopback::{self, Stop};

/// A proxy. It stops when dropped.
pub(crate) struct Tunnel {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    _stop: Stop,
}

impl Tunnel {
    /// Starts on loopback. `credentials` is the value of `Proxy-Authorization` that it wants; others get 407.
    pub(crate) fn to(server: SocketAddr, credentials: &'static str) -> Self {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&heads);
        let converse = move |stream| tunnel(stream, server, credentials, Arc::clone(&heard));
        let (address, stop) = loopback::serve(Ipv4Addr::LOCALHOST.into(), converse);
        Self { address, heads, _stop: stop }
    }

    /// The heads of all requests, in order.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn tunnel(
    stream: TcpStream,
    server: SocketAddr,
    credentials: &str,
    heads: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let mut client = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (client.read_line(&mut head).await.ok()? > 0).then_some(())?;
    }
    let is_known = head.lines().any(|line| {
        line.split_once(": ")
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("proxy-authorization") && value == credentials)
    });
    let is_tunnel = head.starts_with("CONNECT ");
    heads.lock().unwrap().push(head);
    if !is_tunnel || !is_known {
        client.write_all(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n").await.ok()?;
        return None;
    }
    let mut server = TcpStream::connect(server).await.ok()?;
    client.write_all(b"HTTP/1.1 200 Go\r\n\r\n").await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}
