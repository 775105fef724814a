//! The ways out of this machine: whether there is one, and which errors of the system say that something is missing here.
//!
//! The numbers are those of Linux (`errno(3)`).

use std::io;
use std::net::UdpSocket;

/// A fault of this machine that a connection met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// No descriptor, memory, buffer or port is left: EAGAIN, ENOMEM, ENFILE, EMFILE, EADDRNOTAVAIL, ENOBUFS.
    Lack,
    /// No route leads there: ENETDOWN, ENETUNREACH.
    NoWay,
    /// Of the other side, or nobody knows.
    Other,
}

/// Says whose fault an error of the system is.
pub(super) fn fault_of(number: i32) -> Blame {
    match number {
        100 | 101 => Blame::NoWay,
        // No port is left, or there is no address of the family to send from.
        99 if leads_by_ipv6().is_err() => Blame::NoWay,
        11 | 12 | 23 | 24 | 99 | 105 => Blame::Lack,
        _ => Blame::Other,
    }
}

/// Tells whether a call of the system failed for want of something.
pub(super) fn is_lack(error: &io::Error) -> bool {
    error.raw_os_error().map(fault_of) == Some(Blame::Lack)
}

/// Tells whether the resolver says that it got no answer, and not that there is no such name: `EAI_AGAIN` in the words of
/// glibc and musl, for which the standard library has no number.
pub(super) fn is_resolver(why: &str) -> bool {
    why.contains("Temporary failure in name resolution") || why.contains("Try again")
}

/// Tells whether no descriptor is left.
pub(super) fn lacks_descriptors() -> bool {
    UdpSocket::bind("0.0.0.0:0").is_err_and(|error| is_lack(&error))
}

/// Tells whether this machine has no route to the world at all. Nothing is sent.
pub(super) fn is_none() -> bool {
    let has_no_route = |result: io::Result<()>| {
        // No address of that family: EAFNOSUPPORT. No address to send from: EADDRNOTAVAIL.
        result.is_err_and(|error| matches!(error.raw_os_error(), Some(97 | 99 | 100 | 101)))
    };
    has_no_route(leads_by_ipv4()) && has_no_route(leads_by_ipv6())
}

/// Addresses of documentation (RFC 5737, RFC 3849) are routed like all others, and nobody's.
fn leads_by_ipv4() -> io::Result<()> {
    UdpSocket::bind("0.0.0.0:0")?.connect("192.0.2.1:9")
}

fn leads_by_ipv6() -> io::Result<()> {
    UdpSocket::bind("[::]:0")?.connect("[2001:db8::1]:9")
}
