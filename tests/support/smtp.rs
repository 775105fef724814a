//! A server of mail (RFC 5321), as good or bad as a test wants it: with encryption or without, with a login, with answers out
//! of turn. It runs on a thread of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::loopback::{self, Stop};

/// A server. It stops when dropped.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Vec<Mail>>>,
    _stop: Stop,
}

/// A mail that was taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Head and body, without dots that were stuffed.
    pub(crate) text: String,
    /// The argument of `AUTH PLAIN`.
    pub(crate) login: Option<String>,
    pub(crate) is_encrypted: bool,
}

impl Mail {
    /// A header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        let lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
        let line = lines.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")))?;
        Some(line.to_owned())
    }
}

/// The ways of a server.
#[derive(Clone, Default)]
pub(crate) struct MailManners {
    /// Its certificate.
    pub(crate) acceptor: Option<TlsAcceptor>,
    /// It is encrypted from the beginning (SMTPS); else it offers STARTTLS if it has a certificate.
    pub(crate) is_wrapped: bool,
    /// It wants to know who sends.
    pub(crate) wants_login: bool,
    /// The beginning of a command, and the answer to it; without an answer it is silent from then on.
    pub(crate) answers: Vec<(&'static str, Option<&'static str>)>,
    /// It greets without an end.
    pub(crate) is_endless: bool,
    /// The connections of so many mails end when they are taken, before the answer.
    pub(crate) drops: usize,
}

impl MailServer {
    pub(crate) fn start(manners: MailManners) -> Self {
        let shared = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&shared);
        let converse = move |stream| serve(stream, manners.clone(), Arc::clone(&kept));
        let (address, stop) = loopback::serve(Ipv4Addr::LOCALHOST.into(), converse);
        Self { address, shared, _stop: stop }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.shared.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, manners: MailManners, kept: Arc<Mutex<Vec<Mail>>>) -> Option<()> {
    let acceptor = manners.acceptor.clone();
    match acceptor {
        Some(acceptor) if manners.is_wrapped => {
            let stream = acceptor.accept(stream).await.ok()?;
            converse(BufReader::new(stream), &manners, &kept, true, true).await.map(|_| ())
        }
        Some(acceptor) => {
            // The conversation ends with STARTTLS, and another one begins.
            let stream = converse(BufReader::new(stream), &manners, &kept, true, false).await?;
            let stream = acceptor.accept(stream).await.ok()?;
            converse(BufReader::new(stream), &manners, &kept, false, true).await.map(|_| ())
        }
        None => converse(BufReader::new(stream), &manners, &kept, true, false).await.map(|_| ()),
    }
}

/// Talks until the end, or until the client wants encryption: then its stream is returned.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    manners: &MailManners,
    kept: &Mutex<Vec<Mail>>,
    greets: bool,
    is_encrypted: bool,
) -> Option<S> {
    if manners.is_endless {
        loop {
            stream.write_all(&[b'x'; 4096]).await.ok()?;
        }
    }
    if greets {
        stream.write_all(b"220 mail.example ESMTP\r\n").await.ok()?;
    }
    let mut mail = Mail { is_encrypted, ..Mail::default() };
    loop {
        let mut line = String::new();
        (stream.read_line(&mut line).await.ok()? > 0).then_some(())?;
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        if let Some((_, answer)) = manners.answers.iter().find(|(begins, _)| line.starts_with(begins)) {
            match answer {
                Some(answer) => stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?,
                None => drop(stream.read_to_end(&mut Vec::new()).await),
            }
            continue;
        }
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match verb.as_str() {
            "EHLO" => {
                let secure = if manners.acceptor.is_some() && !is_encrypted { "250-STARTTLS\r\n" } else { "" };
                let login = if manners.wants_login { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
                format!("250-mail.example\r\n{secure}{login}250-SMTPUTF8\r\n250 8BITMIME\r\n")
            }
            "STARTTLS" => {
                stream.write_all(b"220 go on\r\n").await.ok()?;
                return Some(stream.into_inner());
            }
            "AUTH" => {
                mail.login = line.split(' ').nth(2).map(str::to_owned);
                "235 well\r\n".to_owned()
            }
            "MAIL" if manners.wants_login && mail.login.is_none() => "530 who are you\r\n".to_owned(),
            "MAIL" => {
                mail = Mail { from: address(), login: mail.login.clone(), is_encrypted, ..Mail::default() };
                "250 well\r\n".to_owned()
            }
            "RCPT" => {
                mail.to.push(address());
                "250 well\r\n".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                loop {
                    let mut line = String::new();
                    (stream.read_line(&mut line).await.ok()? > 0).then_some(())?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail.text += line.strip_prefix('.').unwrap_or(&line);
                }
                let taken = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(mail.clone());
                    kept.len()
                };
                if taken <= manners.drops {
                    return None;
                }
                "250 taken\r\n".to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            }
            _ => "502 what\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
