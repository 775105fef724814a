//! Why a fetch brought no document, and what can be done.
//!
//! No type of the HTTP library shows, and no URL with user info.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use super::guard::NotPublic;
use super::redirect;
use super::routes::Outlet;
use super::way;
use crate::feed::Timestamp;
use crate::outage::{Lack, Reply};
use crate::state::{Throttle, Wait};

/// Why a fetch brought no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The host asked to be left alone; nothing was sent. Not a failure of the source.
    #[error("{host} asked to be left alone until {}", until.format("%Y-%m-%d %H:%M UTC"))]
    Postponed {
        /// The host.
        host: String,
        /// Until when.
        until: Timestamp,
    },
    /// Another node asks the host, and went on asking it; nothing was sent. Not a failure of the source.
    #[error("another node asks {host}")]
    Elsewhere {
        /// The host.
        host: String,
    },
    /// Too many large documents were being read. Not a failure of the source.
    #[error("its document is large, and no memory for it came free within {} s", limit.as_secs_f32())]
    Busy {
        /// The time that it waited.
        limit: Duration,
    },
    /// Something other than http or https.
    #[error("scheme `{scheme}` is not fetched")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// The host is, or resolves to, an address that is not public and not allowed.
    #[error("{}", not_public(host, *address))]
    NotPublic {
        /// The host.
        host: String,
        /// The refused address.
        address: IpAddr,
    },
    /// A secret, proxy or file of authorities that the config names cannot be used; nothing was sent.
    #[error("`{key}` cannot be used: {why}")]
    Access {
        /// The key of the config.
        key: &'static str,
        /// The fault; never the secret itself.
        why: String,
    },
    /// A request header of the source cannot be sent.
    #[error("header `{name}` cannot be sent: its name or value is not valid")]
    BadHeader {
        /// Its name.
        name: String,
    },
    /// The name was not resolved.
    #[error("name {host} was not resolved: {why}")]
    Dns {
        /// The name.
        host: String,
        /// The resolver's message.
        why: String,
    },
    /// The resolver itself did not answer, or could not ask the servers of the name.
    #[error("name {host} was not resolved: {why}")]
    Unresolved {
        /// The name.
        host: String,
        /// The resolver's message.
        why: String,
    },
    /// This machine has no way to any address of the host.
    #[error("no way leads to {at}: {why}")]
    NoWay {
        /// The host and port.
        at: Endpoint,
        /// The system's message.
        why: String,
    },
    /// This machine has no file descriptor, memory or port left for a connection. Not a failure of the source.
    #[error("this machine lacks something for a connection: {why}")]
    Lack {
        /// The system's message.
        why: String,
    },
    /// No connection, or it broke before the head of the answer.
    #[error("connection to {at} failed: {why}")]
    Connect {
        /// The host and port.
        at: Endpoint,
        /// The system's message.
        why: String,
    },
    /// No secure connection.
    #[error("secure connection to {at} failed: {why}")]
    Tls {
        /// The host and port.
        at: Endpoint,
        /// The fault of the handshake or certificate.
        why: String,
    },
    /// A proxy could not be reached or does not let us through.
    #[error("proxy {proxy} did not let us through to {host}: {why}")]
    Proxy {
        /// Its name, without user info.
        proxy: String,
        /// The host that was asked for.
        host: String,
        /// The message of the proxy or the system.
        why: String,
    },
    /// Too slow.
    #[error("{at} was too slow: {phase} took more than {} s", limit.as_secs_f32())]
    Timeout {
        /// The host and port.
        at: Endpoint,
        /// The part that took too long.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
    /// The body passed the limit, counted after decompression.
    #[error("document is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit that the caller passed.
        limit_bytes: u64,
    },
    /// A redirect that leads nowhere.
    #[error("redirect of {url} {fault}")]
    BadRedirect {
        /// The URL that redirected us.
        url: String,
        /// The fault.
        fault: RedirectFault,
    },
    /// An answer without a document: any status but 200, 203, 226, and 304 when it was asked for.
    #[error("{url} answered {code}{}", title(*code))]
    Status {
        /// The URL that answered.
        url: String,
        /// The status code.
        code: u16,
        /// The product of the firewall that answered in the site's place, as far as it shows itself.
        firewall: Option<&'static str>,
        /// The waits that the answer asks for.
        asks: Vec<Wait>,
        /// Whether that binds all feeds of the host.
        throttle: Option<Throttle>,
    },
    /// The answer is not HTTP, or its head breaks the limits.
    #[error("{at} does not speak proper HTTP: {why}")]
    Protocol {
        /// The host and port.
        at: Endpoint,
        /// The fault.
        why: String,
    },
    /// The body ended early, or is not what its length or encoding promise.
    #[error("document broke off or is damaged: {why}")]
    BodyBroken {
        /// The fault.
        why: String,
    },
    /// A content coding that we did not offer, or several, over what is no text.
    #[error("document is packed as `{coding}`, which we did not ask for")]
    Coding {
        /// `Content-Encoding` as sent.
        coding: String,
    },
}

/// The host and port that were asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The host.
    pub host: String,
    /// The port, if it is not the usual one of the scheme.
    pub port: Option<u16>,
}

impl Endpoint {
    /// Returns the endpoint of an address.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        Self { host: host(url), port: url.port() }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(to, ":{port}"))
    }
}

/// The part of a request that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Name resolution, connection, handshake.
    Connect,
    /// Waiting for the next bytes.
    Idle,
    /// The whole, redirects included.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(match self {
            Self::Connect => "connecting",
            Self::Idle => "a pause",
            Self::Total => "the whole",
        })
    }
}

/// The fault of a redirect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectFault {
    /// It leads to a URL of the same chain.
    #[error("runs in a circle")]
    Loop,
    /// More than five.
    #[error("is one of more than {} in a row", redirect::HOPS_MAX)]
    TooMany,
    /// Without `Location`.
    #[error("does not say where to")]
    NoLocation,
    /// `Location` is no URL.
    #[error("leads to what is no URL")]
    Unreadable,
    /// Not http or https.
    #[error("leads to scheme `{0}`")]
    Scheme(String),
}

impl FetchError {
    /// Returns the stable word for programs.
    #[must_use]
    pub fn code(&self) -> String {
        let word = match self {
            Self::Status { firewall: Some(_), .. } => "firewall",
            Self::Status { code, .. } => return format!("http_{code}"),
            Self::Postponed { .. } => "postponed",
            Self::Elsewhere { .. } => "elsewhere",
            Self::Busy { .. } => "busy",
            Self::Scheme { .. } => "scheme",
            Self::NotPublic { .. } => "not_public",
            Self::Access { .. } => "access",
            Self::BadHeader { .. } => "bad_header",
            Self::Dns { .. } | Self::Unresolved { .. } => "dns",
            Self::Connect { .. } | Self::NoWay { .. } => "connect",
            Self::Lack { .. } => "lack",
            Self::Tls { .. } => "tls",
            Self::Proxy { .. } => "proxy",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::BadRedirect { .. } => "redirect",
            Self::Protocol { .. } => "protocol",
            Self::BodyBroken { .. } => "body_broken",
            Self::Coding { .. } => "coding",
        };
        word.to_owned()
    }

    /// Returns what the operator can do, if anything.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Postponed { .. } | Self::Elsewhere { .. } | Self::Busy { .. } => {
                "nothing to do: it is polled again then"
            }
            Self::Scheme { .. } => "give an http or https address",
            Self::NotPublic { .. } => "if it is yours, list its network in `poll.allow_networks`",
            Self::Access { .. } => "correct the file or the feed's entry in the config",
            Self::BadHeader { .. } => "correct `headers` of this feed",
            Self::Lack { .. } => Lack::Resources.hint(),
            Self::NoWay { .. } => {
                "its host may have IPv6 addresses only, and this machine no way to them; polled again later"
            }
            Self::Dns { .. } | Self::Unresolved { .. } => {
                "check the host's name; the site may be gone, or this machine's DNS out of order"
            }
            Self::Connect { .. } => "the site may be down; polled again later",
            Self::Tls { .. } => {
                "the site's certificate is at fault, or the clock or `ca-certificates` of this machine; an authority of \
                 your own goes into this feed's `ca_file`"
            }
            Self::Proxy { .. } => "check `proxy` and whether it is up; its name and password go into its address",
            Self::Timeout { .. } => "the site is slow or down; `poll.timeout` can be raised",
            Self::TooLarge { .. } => "if it is a feed all the same, raise `poll.body_max`",
            Self::BadRedirect { fault: RedirectFault::Loop, .. } => {
                "the site may want cookies; look for the feed's new address on its pages"
            }
            Self::BadRedirect { .. } => "look for the feed's new address on the site's pages",
            Self::Status { firewall: Some(_), .. } => {
                "a firewall takes us for a robot: ask the site to let feed readers pass"
            }
            Self::Status { code, .. } => return status_advice(*code),
            Self::Protocol { .. } => "check that the address and port are those of a web server",
            Self::BodyBroken { .. } | Self::Coding { .. } => "the site's server is at fault; polled again later",
        })
    }

    /// Returns what the answer asks, if there was one.
    #[must_use]
    pub fn asks(&self) -> &[Wait] {
        match self {
            Self::Status { asks, .. } => asks,
            _ => &[],
        }
    }

    /// Returns the host that asked to be left alone, if this answer was it.
    #[must_use]
    pub fn throttle(&self) -> Option<&Throttle> {
        match self {
            Self::Status { throttle, .. } => throttle.as_ref(),
            _ => None,
        }
    }

    /// Tells how the host of `asked` did not answer, as far as that may be this machine's fault; `None` if it is its own.
    #[must_use]
    pub fn reply(&self, asked: &Url) -> Option<Reply> {
        let own = host(asked);
        match self {
            Self::NotPublic { host, address } if *host == own && !is_literal(host, *address) => {
                Some(Reply::Doubtful(address.to_string()))
            }
            // RFC 6585 §6: only a portal answers so.
            Self::Status { code: 511, .. } => Some(Reply::Doubtful("511".to_owned())),
            Self::Status { url, .. } => {
                let to = Url::parse(url).ok().filter(|_| asked.scheme() == "http").map(|url| host(&url));
                to.filter(|to| *to != own).map(Reply::Doubtful)
            }
            Self::Dns { host, .. }
            | Self::Unresolved { host, .. }
            | Self::Proxy { host, .. }
            | Self::NotPublic { host, .. }
            | Self::NoWay { at: Endpoint { host, .. }, .. }
            | Self::Connect { at: Endpoint { host, .. }, .. }
            | Self::Tls { at: Endpoint { host, .. }, .. }
            | Self::Timeout { at: Endpoint { host, .. }, .. }
            | Self::Protocol { at: Endpoint { host, .. }, .. }
                if *host != own =>
            {
                // Sent away, over plain http perhaps not by the host itself.
                (asked.scheme() == "http").then(|| Reply::Doubtful(host.clone()))
            }
            Self::Unresolved { .. } | Self::NoWay { .. } if way::is_none() => Some(Reply::Offline),
            Self::Unresolved { .. } => Some(Reply::Unresolved),
            Self::Dns { .. }
            | Self::NoWay { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Proxy { .. } => Some(Reply::Silent),
            Self::Postponed { .. }
            | Self::Elsewhere { .. }
            | Self::Busy { .. }
            | Self::Lack { .. }
            | Self::Scheme { .. }
            | Self::NotPublic { .. }
            | Self::Access { .. }
            | Self::BadHeader { .. }
            | Self::TooLarge { .. }
            | Self::BadRedirect { .. }
            | Self::Protocol { .. }
            | Self::BodyBroken { .. }
            | Self::Coding { .. } => None,
        }
    }

    /// Tells whether the host was asked and answered, be it nonsense.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::TooLarge { .. }
            | Self::BadRedirect { .. }
            | Self::Status { .. }
            | Self::Protocol { .. }
            | Self::BodyBroken { .. }
            | Self::Coding { .. } => true,
            Self::Postponed { .. }
            | Self::Elsewhere { .. }
            | Self::Busy { .. }
            | Self::Lack { .. }
            | Self::Scheme { .. }
            | Self::NotPublic { .. }
            | Self::Access { .. }
            | Self::BadHeader { .. }
            | Self::Dns { .. }
            | Self::Unresolved { .. }
            | Self::NoWay { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Proxy { .. }
            | Self::Timeout { .. } => false,
        }
    }

    pub(super) fn not_public(url: &Url, address: IpAddr) -> Self {
        Self::NotPublic { host: host(url), address }
    }

    /// Says what went wrong before the head of an answer of `url` was there.
    pub(super) fn before_answer(url: &Url, error: &reqwest::Error, limits: Timeouts, outlet: &Outlet) -> Self {
        let (host, at, why) = (host(url), Endpoint::of(url), innermost(error));
        if let Some(NotPublic { address }) = cause(error) {
            return Self::NotPublic { host, address: *address };
        }
        if error.is_timeout() {
            let (phase, limit) =
                if error.is_connect() { (Phase::Connect, limits.connect) } else { (Phase::Idle, limits.idle) };
            return Self::Timeout { at, phase, limit };
        }
        let system_error = system_error(error);
        let blame = system_error.map(way::fault_of);
        // The C library says that a name is unknown when it cannot open a socket to ask.
        if blame == Some(way::Blame::Lack) || (error.is_dns() && way::lacks_descriptors()) {
            return Self::Lack { why };
        }
        if let Some(proxy) = outlet.proxy_at_fault(url, error) {
            Self::Proxy { proxy, host, why: why.trim_start_matches(TUNNEL_ERROR).to_owned() }
        } else if error.is_dns() && way::is_resolver(&why) {
            Self::Unresolved { host, why }
        } else if error.is_dns() {
            Self::Dns { host, why }
        } else if blame == Some(way::Blame::NoWay) {
            Self::NoWay { at, why }
        } else if error.is_connect() && system_error.is_none() && url.scheme() == "https" {
            // A handshake was answered with something else, such as plain HTTP.
            let is_tls = !why.contains("InvalidContentType");
            Self::Tls { at, why: if is_tls { why } else { "what answers there does not speak TLS".to_owned() } }
        } else if error.is_connect() || system_error.is_some() {
            Self::Connect { at, why }
        } else {
            Self::Protocol { at, why }
        }
    }

    /// Says what went wrong while the body of `url` was read.
    pub(super) fn in_body(url: &Url, error: &io::Error, limits: Timeouts) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>()) {
            Some(error) if error.is_timeout() => {
                Self::Timeout { at: Endpoint::of(url), phase: Phase::Idle, limit: limits.idle }
            }
            Some(error) => Self::BodyBroken { why: innermost(error) },
            None => Self::BodyBroken { why: error.to_string() },
        }
    }
}

/// The limits that a timeout of the HTTP library can mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) connect: Duration,
    pub(super) idle: Duration,
}

fn not_public(host: &str, address: IpAddr) -> String {
    if is_literal(host, address) {
        format!("address {address} is not public")
    } else {
        format!("{host} has the address {address}, which is not public")
    }
}

fn is_literal(host: &str, address: IpAddr) -> bool {
    host.trim_matches(['[', ']']).parse() == Ok(address)
}

/// Returns the number of the first system's error among the causes that has one.
fn system_error(error: &reqwest::Error) -> Option<i32> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(number) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(number);
        }
        cause = error.source();
    }
    None
}

/// Returns `url` as it may be shown: without user info.
pub(super) fn shown_url(url: &Url) -> String {
    redirect::without_user_info(url).into()
}

/// Returns the name under which a host is shown and kept.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// The causes of HTTP libraries tell the same story several times; the last one says it.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut text = "no reason given".to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

/// Start of the library's error text if a proxy for https fails; the error's type is not public.
const TUNNEL_ERROR: &str = "tunnel error: ";

/// Tells whether a proxy that carries https failed.
pub(super) fn is_tunnel_error(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.to_string().starts_with(TUNNEL_ERROR) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn cause<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

fn title(code: u16) -> String {
    let title = reqwest::StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    title.map(|title| format!(" {title}")).unwrap_or_default()
}

fn status_advice(code: u16) -> Option<&'static str> {
    Some(match code {
        204 | 205 => "the address answers, but with nothing: look for the feed on the site's pages",
        206 | 226 => "the server sends parts that nobody asked for; tell its operator",
        304 => "the server says `unchanged` to a first request: a cache in front of it is at fault",
        401 => "the feed wants a name and password: give it `auth = { user = …, password = … }`",
        402 => "the feed must be paid for",
        403 => "the site refuses us: ask it to let feed readers pass, or remove the feed",
        404 => "the feed may have moved: look for it on the site's pages",
        406 => {
            "the server has no form of it that we ask for: try `headers = { Accept = \"*/*\" }` in the feed's entry, or tell \
             its operator"
        }
        407 => "the proxy wants a name and password: give them in its address",
        410 => "the publisher says that it is gone for good: remove the feed",
        421 | 429 | 503 => "the site has too much to do; polled again later, and less often",
        451 => "withheld for legal reasons",
        500..=599 => "the site's server is out of order; polled again later",
        _ => return None,
    })
}
