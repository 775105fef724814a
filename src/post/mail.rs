//! Mail (RFC 5322) by SMTP or `sendmail`: both parts, and the headers that lists have (RFC 2919, RFC 2369).
//!
//! The only home of `lettre`. A mail that is sent again has the same Message-ID: mail readers show it once.

use std::time::SystemTime;

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials as Login;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::{sendmail, smtp};
use lettre::{Address, AsyncSendmailTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::time::timeout;

use super::{Credentials, MailWay, Receipt};
use crate::config::{MailAddress, MailRelay, Site, Target};
use crate::outbox::Letter;

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

/// Sends a mail within the time of its way.
pub(super) async fn send(letter: &Letter, id: &str, way: &MailWay<'_>) -> Receipt {
    let Target::Mail { relay, from, recipients, .. } = &way.post.target else { return Receipt::taken() };
    let message = match message(letter, id, way, from, recipients) {
        Ok(message) => message,
        Err(why) => return Receipt::Stopped { why: format!("{why}; {ADVICE}") },
    };
    let sending = async {
        match relay {
            MailRelay::Sendmail => by_program(message).await,
            MailRelay::Smtp { host, port } => by_smtp(message, way, (host, *port), false).await,
            MailRelay::Smtps { host, port } => by_smtp(message, way, (host, *port), true).await,
        }
    };
    timeout(way.timeout, sending).await.unwrap_or_else(|_| Receipt::Later {
        why: format!("the mail server took more than {} s", way.timeout.as_secs()),
        wait: None,
    })
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

async fn by_smtp(message: Message, way: &MailWay<'_>, (host, port): (&str, u16), is_encrypted: bool) -> Receipt {
    let transport = match transport(way, host, port, is_encrypted) {
        Ok(transport) => transport,
        Err(why) => return Receipt::Stopped { why: format!("{why}; {ADVICE}") },
    };
    match transport.send(message).await {
        Ok(_) => Receipt::taken(),
        Err(error) => judged(&error, host),
    }
}

fn transport(
    way: &MailWay<'_>,
    host: &str,
    port: u16,
    is_encrypted: bool,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let mut parameters = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::Default);
    if let Some(pem) = way.authorities {
        for certificate in certificates(pem)? {
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    let parameters = parameters.build().map_err(|error| said(&error))?;
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let tls = match is_encrypted {
        true => Tls::Wrapper(parameters),
        // A relay of this machine may have no certificate; nobody listens on the way to it.
        false if is_here => Tls::Opportunistic(parameters),
        false => Tls::Required(parameters),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port)
        .tls(tls)
        .timeout(Some(way.timeout))
        .hello_name(ClientId::Domain(way.host.to_owned()));
    let Credentials { login, .. } = way.credentials;
    if let Some((user, password)) = login {
        builder = builder.credentials(Login::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

/// Reads each certificate of a file.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(pem);
    let blocks = text.split_inclusive(END).filter(|block| block.contains("-----BEGIN CERTIFICATE-----"));
    let read =
        |block: &str| Certificate::from_pem(block.as_bytes()).map_err(|error| format!("`ca_file`: {}", said(&error)));
    let certificates = blocks.map(read).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        Err("`ca_file` holds no certificate in PEM form".to_owned())
    } else {
        Ok(certificates)
    }
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
