//! TLS to a server, as far as `sslmode` asks for it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::config::Secret;
use crate::store::ailment::Ailment;
use crate::store::postgres::Address;

/// A server whose certificate is for `localhost`. It refuses all: those that come by TLS since there are too many, others since
/// they do not.
struct Refusing {
    port: u16,
    folder: tempfile::TempDir,
}

impl Refusing {
    fn start() -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.pem"), own.cert.pem()).unwrap();
        std::fs::write(folder.path().join("other.pem"), other.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config =
            Arc::new(config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let _ = answer(client.unwrap(), Arc::clone(&config));
            }
        });
        Self { port, folder }
    }

    /// Connects, and returns how that ended.
    fn ailment(&self, host: &str, settings: &str) -> Ailment {
        let folder = self.folder.path().display().to_string();
        let url = format!("host={host} port={} user=a {}", self.port, settings.replace("PATH", &folder));
        let address = Address { url: Secret::Text(url), password: None };
        Postgres::open_within(&address, sqlite::BUSY_TIMEOUT).unwrap_err().ailment().unwrap()
    }
}

/// The request for TLS: its length, and its number.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

fn answer(mut client: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let mut first = [0; 8];
    client.read_exact(&mut first)?;
    if first != TLS_REQUEST {
        return client.write_all(&refusal("28000"));
    }
    client.write_all(b"S")?;
    let mut client = StreamOwned::new(ServerConnection::new(config).unwrap(), client);
    client.read_exact(&mut first)?;
    client.write_all(&refusal("53300"))?;
    client.flush()
}

fn refusal(code: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0Mrefused\0\0").into_bytes();
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [&b"E"[..], &length, &fields].concat()
}

#[test]
fn a_certificate_is_verified_as_far_as_the_mode_asks() {
    use Ailment::{Certificate, Crowded, Login};
    let server = Refusing::start();
    for (host, settings, expected) in [
        ("localhost", "sslmode=verify-full sslrootcert=PATH/own.pem", Crowded),
        ("127.0.0.1", "sslmode=verify-full sslrootcert=PATH/own.pem", Certificate),
        ("127.0.0.1", "sslmode=verify-ca sslrootcert=PATH/own.pem", Crowded),
        ("localhost", "sslmode=verify-ca sslrootcert=PATH/other.pem", Certificate),
        ("localhost", "sslmode=verify-full", Certificate),
        ("localhost", "sslmode=verify-full sslrootcert=PATH/none.pem", Certificate),
        ("127.0.0.1", "sslmode=require", Crowded),
        ("localhost", "sslmode=require sslrootcert=PATH/other.pem", Certificate),
        ("127.0.0.1", "sslmode=prefer", Crowded),
        ("127.0.0.1", "", Crowded),
        ("127.0.0.1", "sslmode=allow", Crowded),
        ("127.0.0.1", "sslmode=disable", Login),
    ] {
        assert_eq!(server.ailment(host, settings), expected, "{host}: {settings}");
    }
}
