//! The public-address guard: which addresses a feed may make us talk to.
//!
//! A feed's URL, its DNS and its redirects are in other people's hands; without this they could aim us at the router,
//! the metadata service of the cloud or a database on loopback. The lists follow the IANA special-purpose registries
//! (RFC 6890). Checked in three places: a literal host before each request ([`Guard::check`], for reqwest does not
//! resolve those), every name when it is resolved (what is returned is what is dialled, so DNS cannot change its mind
//! in between), and the peer of the connection that answered.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::FetchError;

/// Decides which addresses may be talked to: the public ones and those that the operator lists.
#[derive(Debug, Clone)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
}

impl Guard {
    /// Lets public addresses pass, and `allowed` besides.
    #[must_use]
    pub fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into() }
    }

    /// Lets every address pass: for servers that the operator names.
    pub(super) fn everywhere() -> Self {
        Self::new(&[IpNet::V4(v4([0, 0, 0, 0], 0)), IpNet::V6(v6([0, 0], 0))])
    }

    /// Tells whether `address` may be talked to.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.contains(&address))
    }

    /// Checks all that can be known of `url` before its name is resolved.
    ///
    /// # Errors
    /// [`FetchError::Scheme`] for anything but http and https, [`FetchError::NotPublic`] for a literal address in
    /// whatever notation (`url` has already read `0x7f.1` and `2130706433` as the addresses that they are).
    pub fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme { scheme: url.scheme().to_owned() });
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.permits(address) { Ok(()) } else { Err(FetchError::not_public(url, address)) }
    }
}

/// The name resolved to addresses that may not be talked to, and to no other.
#[derive(Debug, thiserror::Error)]
#[error("resolves to {address}, which is not public")]
pub(super) struct NotPublic {
    pub(super) address: IpAddr,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let refused = found.iter().map(SocketAddr::ip).find(|address| !guard.permits(*address));
            let permitted: Vec<SocketAddr> = found.into_iter().filter(|found| guard.permits(found.ip())).collect();
            match refused {
                Some(address) if permitted.is_empty() => Err(NotPublic { address }.into()),
                _ => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}

/// Tells whether `address` is one of the public internet, in every form in which an IPv4 address can hide.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_UNICAST.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address))
        }
    }
}

const SPECIAL_V4: [Ipv4Net; 17] = [
    v4([0, 0, 0, 0], 8),          // "this network"; Linux connects 0.0.0.0 to loopback
    v4([10, 0, 0, 0], 8),         // private, RFC 1918
    v4([100, 64, 0, 0], 10),      // carrier-grade NAT, RFC 6598; Alibaba's metadata service
    v4([127, 0, 0, 0], 8),        // loopback
    v4([168, 63, 129, 16], 32),   // Azure's metadata service
    v4([169, 254, 0, 0], 16),     // link-local, RFC 3927; the metadata service of nearly every cloud
    v4([172, 16, 0, 0], 12),      // private
    v4([192, 0, 0, 0], 24),       // IETF protocols; Oracle's metadata service
    v4([192, 0, 2, 0], 24),       // documentation, RFC 5737
    v4([192, 88, 99, 0], 24),     // 6to4 relays, RFC 7526
    v4([192, 168, 0, 0], 16),     // private
    v4([198, 18, 0, 0], 15),      // benchmarking, RFC 2544
    v4([198, 51, 100, 0], 24),    // documentation
    v4([203, 0, 113, 0], 24),     // documentation
    v4([224, 0, 0, 0], 4),        // multicast
    v4([240, 0, 0, 0], 4),        // reserved
    v4([255, 255, 255, 255], 32), // broadcast
];

/// The range handed out for the public internet (RFC 4291 §2.4); loopback, unspecified, link-local, site-local,
/// unique local, multicast, NAT64 (RFC 6052) and IPv4-compatible addresses are outside.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0], 3);

const SPECIAL_V6: [Ipv6Net; 5] = [
    v6([0x2001, 0], 23),     // IETF protocols: Teredo (an IPv4 address inside), benchmarking, ORCHID
    v6([0x2001, 0xdb8], 32), // documentation, RFC 3849
    v6([0x2002, 0], 16),     // 6to4: an IPv4 address inside, RFC 3056
    v6([0x3ffe, 0], 16),     // 6bone, returned
    v6([0x3fff, 0], 20),     // documentation, RFC 9637
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b]: [u16; 2], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, public: bool) {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    }

    fn check_url(url: &str, passes: bool) {
        assert_eq!(Guard::new(&[]).check(&Url::parse(url).unwrap()).is_ok(), passes, "{url}");
    }

    #[test]
    fn addresses_of_the_public_internet_pass() {
        for address in
            ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "223.255.255.255"]
        {
            check(address, true);
        }
        for address in ["2606:4700::1111", "2a00:1450:4007::1", "2001:4860:4860::8888", "2001:200::1", "::ffff:8.8.8.8"]
        {
            check(address, true);
        }
    }

    #[test]
    fn loopback_and_this_network_are_refused() {
        for address in ["127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::"] {
            check(address, false);
        }
    }

    #[test]
    fn private_and_shared_networks_are_refused() {
        for address in ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255"] {
            check(address, false);
        }
        for address in ["fc00::1", "fd12:3456::1", "fec0::1", "fe80::1", "febf::1"] {
            check(address, false);
        }
    }

    #[test]
    fn metadata_services_are_refused() {
        for address in
            ["169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254"]
        {
            check(address, false);
        }
    }

    #[test]
    fn multicast_broadcast_and_reserved_addresses_are_refused() {
        for address in ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "ff02::1", "4000::1"] {
            check(address, false);
        }
    }

    #[test]
    fn documentation_and_benchmarking_addresses_are_refused() {
        for address in ["192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1"] {
            check(address, false);
        }
        for address in ["2001:db8::1", "2001:2::1", "3fff::1", "3ffe::1"] {
            check(address, false);
        }
    }

    #[test]
    fn addresses_inside_addresses_are_refused() {
        for address in [
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        ] {
            check(address, false);
        }
    }

    #[test]
    fn a_literal_host_is_refused_in_every_notation() {
        for host in
            ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0x7f000001", "127。0。0。1", "①②⑦.0.0.1"]
        {
            check_url(&format!("http://{host}/feed"), false);
        }
        for host in
            ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1]", "[64:ff9b::10.0.0.1]", "169.254.169.254."]
        {
            check_url(&format!("http://{host}/feed"), false);
        }
        check_url("http://93.184.215.14/feed", true);
    }

    #[test]
    fn only_http_and_https_pass() {
        for url in
            ["file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "data:text/xml,x", "javascript:1"]
        {
            check_url(url, false);
        }
        check_url("https://example.org/", true);
    }

    #[test]
    fn the_operator_can_allow_a_network() {
        let guard = Guard::new(&["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for (address, permitted) in
            [("127.0.0.1", true), ("::ffff:127.0.0.1", true), ("fd00::1", true), ("10.0.0.1", false), ("::1", false)]
        {
            assert_eq!(guard.permits(address.parse().unwrap()), permitted, "{address}");
        }
    }
}
