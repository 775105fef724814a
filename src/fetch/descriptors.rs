//! File descriptors: how many this process may have open, and who may use how many of them.
//!
//! The home of `nix`.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// For the store, published files, the resolver, the log.
const OWN: usize = 64;

/// Most that a request holds: a connection, a second one by the other family of addresses, a socket of the resolver.
const OF_A_REQUEST: usize = 3;

/// Connections that are kept for the next request, at most.
const IDLE_MAX: usize = 256;

/// Connections of readers, at most.
const READERS_MAX: usize = 512;

/// Raises the limit of open files to the highest that the system allows this process. Where it may not, all goes on with
/// fewer connections at once.
pub fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::debug!(%error, "the limit of open files stays at {soft}");
    }
}

/// Shares of the descriptors that this process may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Connections of readers: polls never take these.
    pub readers: usize,
    /// Connections kept for the next request to their host.
    pub idle: usize,
    /// Requests at once.
    pub requests: usize,
}

impl Shares {
    /// Shares out what this process may have open now.
    #[must_use]
    pub fn now() -> Self {
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
        Self::of(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    fn of(limit: usize) -> Self {
        let readers = READERS_MAX.min(limit / 4).max(1);
        let polls = limit.saturating_sub(OWN).saturating_sub(readers);
        let idle = IDLE_MAX.min(polls / 4);
        Self { readers, idle, requests: ((polls - idle) / OF_A_REQUEST).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shares_together_stay_within_the_limit() {
        for limit in [256, 500, 1024, 4096, 65_536, 1 << 30] {
            let Shares { readers, idle, requests } = Shares::of(limit);
            assert!(OWN + readers + idle + requests * OF_A_REQUEST <= limit, "{limit}");
        }
    }

    #[test]
    fn the_usual_limit_leaves_the_usual_requests() {
        assert!(Shares::of(256).requests >= 32);
        assert!(Shares::of(65_536).requests >= 1024);
    }

    #[test]
    fn with_hardly_any_descriptor_there_is_one_request_at_a_time() {
        for limit in [0, 1, 20, 64, 100] {
            assert_eq!(Shares::of(limit).requests.min(1), 1);
        }
    }
}
