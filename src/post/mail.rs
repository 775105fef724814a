//! Mail (RFC 5322) by SMTP or `sendmail`: both parts, and the headers that lists have (RFC 2919, RFC 2369).
//!
//! The only home of `lettre` and `tokio_rustls`. A mail that is sent again has the same Message-ID: mail readers show it once. The connection
//! comes from those who know which addresses may be talked to; what the server says over it has a limit.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials as Login, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::{sendmail, smtp};
use lettre::{Address, AsyncSendmailTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{MailWay, Receipt};
use crate::config::{MailAddress, MailRelay, Site, Target};
use crate::outbox::Letter;

/// Most that a server may say in one conversation: a few lines, and its certificates.
const SAID_BYTES_MAX: usize = 1 << 20;

/// Longest wait for the end of a conversation, in which the server has taken the mail already.
const QUIT_MAX: Duration = Duration::from_secs(2);

const ADVICE: &str = "correct the post, then send a trial with `veille post --test`";

/// Returns the address by which the mail of a post is given up: a mail to those who answer for the site, or their page.
#[must_use]
pub fn unsubscribe(site: &Site, post: &str, from: &str) -> String {
    match site.contact.as_deref() {
        Some(contact) if contact.starts_with("https:") => contact.to_owned(),
        contact => {
            let to = contact.and_then(|contact| contact.strip_prefix("mailto:")).unwrap_or(from);
            let to = to.split('?').next().unwrap_or(to);
            format!("mailto:{to}?subject=unsubscribe%20{post}")
        }
    }
}

/// Sends a mail within the time of its way; by SMTP over a connection to the server.
pub(super) async fn send(letter: &Letter, id: &str, way: &MailWay<'_>, connection: Option<TcpStream>) -> Receipt {
    let Target::Mail { relay, from, recipients, .. } = &way.post.target else { return Receipt::taken() };
    let message = match message(letter, id, way, from, recipients) {
        Ok(message) => message,
        Err(why) => return Receipt::Stopped { why: format!("{why}; {ADVICE}") },
    };
    let too_slow =
        || Receipt::Later { why: format!("the mail server took more than {} s", way.timeout.as_secs()), wait: None };
    match (relay, connection) {
        (MailRelay::Sendmail, _) => timeout(way.timeout, by_program(message)).await.unwrap_or_else(|_| {
            Receipt::Later { why: format!("`sendmail` took more than {} s", way.timeout.as_secs()), wait: None }
        }),
        (MailRelay::Smtp { host, .. } | MailRelay::Smtps { host, .. }, Some(stream)) => {
            let is_encrypted = matches!(relay, MailRelay::Smtps { .. });
            let sending = timeout(way.timeout, by_smtp(&message, way, host, stream, is_encrypted)).await;
            match sending {
                Ok(Ok(mut connection)) => {
                    // It is taken, however the conversation ends.
                    let _ = timeout(QUIT_MAX, connection.quit()).await;
                    Receipt::taken()
                }
                Ok(Err(receipt)) => receipt,
                Err(_) => too_slow(),
            }
        }
        (MailRelay::Smtp { .. } | MailRelay::Smtps { .. }, None) => too_slow(),
    }
}

/// Writes the message. Recipients stand in the envelope only, so that they do not see each other.
fn message(
    letter: &Letter,
    id: &str,
    way: &MailWay<'_>,
    from: &MailAddress,
    recipients: &[MailAddress],
) -> Result<Message, String> {
    let sender = mailbox(from)?;
    let to = match recipients {
        [one] => mailbox(one)?,
        _ => sender.clone(),
    };
    let addresses = recipients.iter().map(|recipient| Ok(mailbox(recipient)?.email));
    let addresses: Vec<Address> = addresses.collect::<Result<_, String>>()?;
    let envelope = Envelope::new(Some(sender.email.clone()), addresses).map_err(|error| error.to_string())?;
    let mut message = Message::builder()
        .from(sender)
        .to(to)
        .subject(&letter.subject)
        .message_id(Some(format!("<{id}@{}>", way.host)))
        .date(SystemTime::from(way.now))
        .envelope(envelope)
        .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
        .map_err(|error| error.to_string())?;
    let list = format!("{}.{}", way.post.id, way.host);
    let site: String = way.site.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>' | '"' | '\\')).collect();
    for (name, value) in [
        ("List-Id", format!("{site} <{list}>")),
        ("List-Unsubscribe", format!("<{}>", way.unsubscribe)),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Content-Language", letter.language.to_owned()),
    ] {
        let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|error| error.to_string())?;
        message.headers_mut().insert_raw(HeaderValue::new(name, value));
    }
    Ok(message)
}

fn mailbox(address: &MailAddress) -> Result<Mailbox, String> {
    let email = address.address.parse::<Address>();
    let email = email.map_err(|error| format!("`{}` is no mail address: {error}", address.address))?;
    Ok(Mailbox::new(address.name.clone(), email))
}

async fn by_program(message: Message) -> Receipt {
    let sent = AsyncSendmailTransport::<Tokio1Executor>::new().send(message).await;
    sent.map_or_else(
        |error: sendmail::Error| Receipt::Later { why: format!("`sendmail`: {}", said(&error)), wait: None },
        |()| Receipt::taken(),
    )
}

/// Sends a message over a connection; returns the conversation, which is to be ended.
async fn by_smtp(
    message: &Message,
    way: &MailWay<'_>,
    host: &str,
    stream: TcpStream,
    is_encrypted: bool,
) -> Result<AsyncSmtpConnection, Receipt> {
    let stopped = |why: String| Receipt::Stopped { why: format!("{why}; {ADVICE}") };
    let judged = |error: smtp::Error| judged(&error, host);
    let hello = ClientId::Domain(way.host.to_owned());
    let peer = stream.peer_addr().map_err(|error| later(host, &error))?;
    let stream: Box<dyn Wire> = if is_encrypted {
        let connector = connector(way.authorities).map_err(stopped)?;
        let name = ServerName::try_from(host.to_owned()).map_err(|error| stopped(format!("`{host}`: {error}")))?;
        let secured = connector.connect(name, stream).await;
        Box::new(secured.map_err(|error| later(&format!("secure connection to {host} failed"), &error))?)
    } else {
        Box::new(stream)
    };
    let stream = MailStream { inner: stream, peer, left: SAID_BYTES_MAX };
    let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.map_err(judged)?;
    if !is_encrypted && connection.can_starttls() {
        connection.starttls(parameters(way, host).map_err(stopped)?, &hello).await.map_err(judged)?;
    } else if !is_encrypted && !is_here(host) {
        // Somebody on the way may have taken the offer out: nothing is said unencrypted, least of all a password.
        let why = format!("{host} offers no encryption (STARTTLS), without which nothing is sent to another machine");
        return Err(Receipt::Later { why, wait: None });
    }
    if let Some((user, password)) = &way.credentials.login {
        let login = Login::new(user.clone(), password.clone());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &login).await.map_err(judged)?;
    }
    connection.send(message.envelope(), &message.formatted()).await.map_err(judged)?;
    Ok(connection)
}

fn later(what: &str, error: &dyn std::error::Error) -> Receipt {
    Receipt::Later { why: format!("{what}: {}", said(error)), wait: None }
}

/// Tells whether a server is this machine: it may have no certificate, and nobody listens on the way to it.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn parameters(way: &MailWay<'_>, host: &str) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::Default);
    if let Some(pem) = way.authorities {
        for certificate in certificates(pem)? {
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    parameters.build().map_err(|error| said(&error))
}

/// Makes what encrypts a connection from its beginning, trusting the system's authorities and these.
fn connector(authorities: Option<&[u8]>) -> Result<TlsConnector, String> {
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = authorities {
        let unread = |error: &dyn std::error::Error| format!("`ca_file`: {}", said(error));
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|error| unread(&error))?;
        if certificates.is_empty() {
            return Err(NO_CERTIFICATE.to_owned());
        }
        for certificate in certificates {
            trusted.add(certificate).map_err(|error| unread(&error))?;
        }
    }
    // The provider that requests to feeds use.
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| said(&error))?;
    Ok(TlsConnector::from(Arc::new(builder.with_root_certificates(trusted).with_no_client_auth())))
}

/// A connection, encrypted or not.
trait Wire: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> Wire for T {}

/// A connection over which only so much can be said to us.
#[derive(Debug)]
struct MailStream {
    inner: Box<dyn Wire>,
    peer: SocketAddr,
    left: usize,
}

impl AsyncTokioStream for MailStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl AsyncRead for MailStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        let left = self.left.checked_sub(read);
        self.left = left.unwrap_or_default();
        Poll::Ready(left.map(|_| ()).ok_or_else(|| io::Error::other("it says too much")))
    }
}

impl AsyncWrite for MailStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

const NO_CERTIFICATE: &str = "`ca_file` holds no certificate in PEM form";

/// Reads each certificate of a file.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(pem);
    let blocks = text.split_inclusive(END).filter(|block| block.contains("-----BEGIN CERTIFICATE-----"));
    let read =
        |block: &str| Certificate::from_pem(block.as_bytes()).map_err(|error| format!("`ca_file`: {}", said(&error)));
    let certificates = blocks.map(read).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() { Err(NO_CERTIFICATE.to_owned()) } else { Ok(certificates) }
}

/// Judges an error of SMTP (RFC 5321 §4.2): 53x refuses us, 55x an address of ours, 552 and 554 this mail.
fn judged(error: &smtp::Error, host: &str) -> Receipt {
    let why = format!("{host}: {}", said(error));
    let code = error.status().map(|code| code.to_string());
    match code.as_deref() {
        Some("530" | "534" | "535" | "538") => {
            Receipt::Stopped { why: format!("{why}; correct `auth`, then send a trial with `veille post --test`") }
        }
        Some("550" | "551" | "553" | "555") => Receipt::Stopped { why: format!("{why}; {ADVICE}") },
        Some(code) if code.starts_with('5') => Receipt::Refused { why },
        _ => Receipt::Later { why, wait: None },
    }
}

/// An error with its causes on one line.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Some say their cause themselves.
        if inner_text.contains(&text) {
            text = inner_text;
        } else if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    crate::text::one_line(&text).chars().filter(|c| !c.is_control()).take(300).collect()
}
