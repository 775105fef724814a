//! A connection to a server of mail: behind the guard, straight or through a proxy (CONNECT, RFC 9110 §9.3.6).
//!
//! Each address that the name leads to is checked, and one of the checked ones is dialled. A proxy resolves the name itself,
//! so only a literal address can be refused then, as with requests.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::client::Client;
use super::error::{Endpoint, FetchError, Phase};
use super::guard::Guard;
use super::request::secret;
use super::way::{self, Blame};
use crate::config::{Proxy, proxy_server};

/// Longest head of a proxy's answer.
const HEAD_BYTES_MAX: usize = 8 << 10;

impl Client {
    /// Connects to a server that is not of the web. Proxies of the environment are for the web and do not count.
    ///
    /// # Errors
    /// [`FetchError::NotPublic`] for an address that may not be talked to; otherwise, why there is no connection.
    pub async fn connect(&self, host: &str, port: u16, proxy: &Proxy) -> Result<TcpStream, FetchError> {
        let at = Endpoint { host: host.to_owned(), port: Some(port) };
        match proxy {
            Proxy::None | Proxy::Environment => self.dial(&at, port, self.guard()).await,
            Proxy::Server(address) => {
                let text = secret("proxy", address).await?;
                let server = proxy_server(text.trim()).filter(|server| server.scheme() == "http");
                let server = server.ok_or_else(|| FetchError::Access {
                    key: "proxy",
                    why: "mail goes through proxies whose address begins with `http://`".to_owned(),
                })?;
                if let Some(address) = host.parse().ok().filter(|address: &IpAddr| !self.guard().permits(*address)) {
                    return Err(FetchError::NotPublic { host: at.host, address });
                }
                self.tunnel(&at, port, &server).await
            }
        }
    }

    async fn dial(&self, at: &Endpoint, port: u16, guard: &Guard) -> Result<TcpStream, FetchError> {
        let limit = self.settings().connect_timeout;
        let too_slow = || FetchError::Timeout { at: at.clone(), phase: Phase::Connect, limit };
        let dialling = async {
            let found = lookup_host((at.host.as_str(), port)).await.map_err(|error| unresolved(&at.host, &error))?;
            let mut failure = None;
            for address in found {
                if !guard.permits(address.ip()) {
                    failure.get_or_insert(FetchError::NotPublic { host: at.host.clone(), address: address.ip() });
                    continue;
                }
                match TcpStream::connect(address).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => failure = Some(unconnected(at, address, &error)),
                }
            }
            let no_address = || FetchError::Dns { host: at.host.clone(), why: "it has no address".to_owned() };
            Err(failure.unwrap_or_else(no_address))
        };
        timeout(limit, dialling).await.unwrap_or_else(|_| Err(too_slow()))
    }

    /// Connects through a proxy, which is the operator's and may be anywhere.
    async fn tunnel(&self, at: &Endpoint, port: u16, server: &Url) -> Result<TcpStream, FetchError> {
        let name = server.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let by = Endpoint { host: name.clone(), port: server.port() };
        let at_fault = |why: String| FetchError::Proxy { proxy: name.clone(), host: at.host.clone(), why };
        let dialled = self.dial(&by, server.port_or_known_default().unwrap_or(80), &Guard::everywhere()).await;
        let mut stream = dialled.map_err(|error| at_fault(error.to_string()))?;
        let shown = if at.host.contains(':') { format!("[{}]", at.host) } else { at.host.clone() };
        let login = authorization(server).map(|login| format!("Proxy-Authorization: {login}\r\n")).unwrap_or_default();
        let head = format!("CONNECT {shown}:{port} HTTP/1.1\r\nHost: {shown}:{port}\r\n{login}\r\n");
        let asking = async {
            stream.write_all(head.as_bytes()).await?;
            answer_head(&mut stream).await
        };
        let answer = timeout(self.settings().connect_timeout, asking).await;
        let answer = answer.map_err(|_| at_fault("it does not answer".to_owned()))?;
        let answer = answer.map_err(|error| at_fault(error.to_string()))?;
        let mut words = answer.split(' ');
        match (words.next(), words.next()) {
            (Some(version), Some(code)) if version.starts_with("HTTP/1.") && code.starts_with('2') => Ok(stream),
            (Some(version), Some(code)) if version.starts_with("HTTP/") => {
                Err(at_fault(format!("it answered {}", code.chars().filter(char::is_ascii_digit).collect::<String>())))
            }
            _ => Err(at_fault("its answer is not HTTP".to_owned())),
        }
    }
}

/// Reads the head of an answer, and nothing of what the server behind the proxy says.
async fn answer_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX {
            return Err(io::Error::other("the head of its answer is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The name and password in a proxy's address, as the header has them.
fn authorization(server: &Url) -> Option<String> {
    if server.username().is_empty() && server.password().is_none() {
        return None;
    }
    let part = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let login = [part(server.username()), b":".to_vec(), part(server.password().unwrap_or_default())].concat();
    Some(format!("Basic {}", data_encoding::BASE64.encode(&login)))
}

fn unresolved(host: &str, error: &io::Error) -> FetchError {
    let (host, why) = (host.to_owned(), error.to_string());
    match error.raw_os_error().map(way::fault_of) {
        Some(Blame::Lack) => FetchError::Lack { why },
        _ if way::is_resolver(&why) => FetchError::Unresolved { host, why },
        _ => FetchError::Dns { host, why },
    }
}

fn unconnected(at: &Endpoint, address: SocketAddr, error: &io::Error) -> FetchError {
    let why = format!("{error} ({})", address.ip());
    match error.raw_os_error().map(way::fault_of) {
        Some(Blame::Lack) => FetchError::Lack { why },
        Some(Blame::NoWay) => FetchError::NoWay { at: at.clone(), why },
        Some(Blame::Other) | None => FetchError::Connect { at: at.clone(), why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_a_proxy_is_decoded() {
        let of = |address: &str| authorization(&Url::parse(address).unwrap());
        assert_eq!(of("http://proxy.example:3128"), None);
        assert_eq!(of("http://a%40b:c%3Ad@proxy.example").as_deref(), Some("Basic YUBiOmM6ZA=="));
    }
}
