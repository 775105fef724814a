//! A publisher's server behind TLS, with a certificate of an authority of the test's own. It speaks HTTP/2 (RFC 9113), which
//! is agreed upon in the handshake (RFC 7301), and nothing else.

#![allow(dead_code, reason = "each module of tests uses its own part")]

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::loopback::{self, Stop};

/// The authority that signs the certificates of servers.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("Ours")
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Writes its certificate to `folder`, as operators get it.
    pub(crate) fn file(&self, folder: &Path) -> PathBuf {
        let path = folder.join("authority.pem");
        std::fs::write(&path, &self.pem).unwrap();
        path
    }

    /// Starts a server on a free port of `address` that has a certificate for `name`, a host name or an address.
    pub(crate) fn origin(&self, address: impl Into<IpAddr>, name: &str) -> SecureOrigin {
        SecureOrigin::start(address.into(), self.acceptor(name, &[b"h2"]))
    }

    /// Returns the secret half of a connection to `name`, in these protocols.
    pub(crate) fn acceptor(&self, name: &str, protocols: &[&[u8]]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let mut config = config.with_single_cert(vec![certificate.into()], key).unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server of HTTP/2. It stops when dropped.
pub(crate) struct SecureOrigin {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _stop: Stop,
}

#[derive(Default)]
struct Shared {
    documents: HashMap<String, Bytes>,
    requests: Vec<Asked>,
    connections: usize,
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) version: http::Version,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The number of its connection, counted from 1.
    pub(crate) connection: usize,
}

impl SecureOrigin {
    fn start(address: IpAddr, acceptor: TlsAcceptor) -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let served = Arc::clone(&shared);
        let (address, stop) =
            loopback::serve(address, move |stream| converse(stream, acceptor.clone(), Arc::clone(&served)));
        Self { address, shared, _stop: stop }
    }

    /// Sets the document at `path`.
    pub(crate) fn serves(&self, path: &str, document: String) {
        self.shared.lock().unwrap().documents.insert(path.to_owned(), document.into());
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.shared.lock().unwrap().requests.clone()
    }
}

/// Serves one connection to its end. A client that does not want HTTP/2 gets none.
async fn converse(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Mutex<Shared>>) -> Option<()> {
    let stream = acceptor.accept(stream).await.ok()?;
    let connection = {
        let mut shared = shared.lock().unwrap();
        shared.connections += 1;
        shared.connections
    };
    let mut requests = h2::server::handshake(stream).await.ok()?;
    while let Some(request) = requests.accept().await {
        let (request, mut answer) = request.ok()?;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let (version, url) = (request.version(), request.uri().to_string());
        let document = {
            let mut shared = shared.lock().unwrap();
            shared.requests.push(Asked { version, url, headers, connection });
            shared.documents.get(request.uri().path()).cloned()
        };
        let status = if document.is_some() { 200 } else { 404 };
        let head = http::Response::builder().status(status).header("content-type", "application/rss+xml");
        let mut body = answer.send_response(head.body(()).unwrap(), document.is_none()).ok()?;
        if let Some(document) = document {
            body.send_data(document, true).ok()?;
        }
    }
    Some(())
}
