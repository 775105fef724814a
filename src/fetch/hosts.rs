//! Manners towards hosts: how many requests at once, how far apart, and none while a host asked to be left alone.
//!
//! A request first waits for its host's turn and only then for one of the places that all hosts share, so a slow or
//! busy host never keeps a place from the others. Both queues are first come, first served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Longest time that a host is left alone because one of its answers asked so.
const POSTPONE_MAX: Duration = Duration::from_hours(7 * 24);

/// Hosts that are kept before idle ones are first looked for.
const HOSTS_MIN: usize = 64;

/// Gives requests their turn.
#[derive(Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    per_host: usize,
    host_delay: Duration,
    hosts: Mutex<Hosts>,
}

/// A request's turn: ends when dropped.
#[derive(Debug)]
pub struct Turn {
    host: Arc<Host>,
    host_delay: Duration,
    _own: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

/// The host asked to be left alone for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Postponed(pub Duration);

#[derive(Debug)]
struct Hosts {
    by_name: HashMap<String, Arc<Host>>,
    sweep_at: usize,
}

#[derive(Debug)]
struct Host {
    turns: Arc<Semaphore>,
    times: Mutex<Times>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    free_from: Instant,
    postponed_until: Instant,
}

impl Gate {
    /// Lets `concurrency` requests run at once, `per_host` of them on one host.
    ///
    /// `host_delay` passes between two starts on one host, counted from the end of the last request.
    pub fn new(concurrency: usize, per_host: usize, host_delay: Duration) -> Self {
        let hosts = Hosts { by_name: HashMap::new(), sweep_at: HOSTS_MIN };
        Self {
            places: Arc::new(Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS))),
            per_host: per_host.clamp(1, Semaphore::MAX_PERMITS),
            host_delay,
            hosts: Mutex::new(hosts),
        }
    }

    /// Waits for a turn on `host`.
    ///
    /// # Errors
    /// At once, or as soon as it is known, if the host is postponed: the wait may be days, so the caller plans it.
    pub async fn enter(&self, host: &str) -> Result<Turn, Postponed> {
        let host = self.host(host);
        let own = permit(&host.turns).await;
        loop {
            sleep_until(host.free_from()?).await;
            let place = permit(&self.places).await;
            // Another request of this host may have started while we waited for the place.
            if host.start(self.host_delay)? {
                return Ok(Turn { host, host_delay: self.host_delay, _own: own, _place: place });
            }
        }
    }

    /// Leaves `host` alone for `delay`, at most a week; a longer postponement that it already has stays.
    pub fn postpone(&self, host: &str, delay: Duration) {
        let until = later(Instant::now(), delay.min(POSTPONE_MAX));
        let host = self.host(host);
        let mut times = lock(&host.times);
        times.postponed_until = times.postponed_until.max(until);
    }

    /// Returns how long `host` is to be left alone.
    pub fn postponed(&self, host: &str) -> Option<Duration> {
        let hosts = lock(&self.hosts);
        hosts.by_name.get(host)?.free_from().err().map(|Postponed(delay)| delay)
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.by_name.get(name) {
            return Arc::clone(host);
        }
        hosts.sweep();
        let host = Arc::new(Host::new(self.per_host));
        hosts.by_name.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}

impl Hosts {
    /// Forgets idle hosts when there are twice as many as were in use the last time.
    fn sweep(&mut self) {
        if self.by_name.len() >= self.sweep_at {
            let now = Instant::now();
            self.by_name.retain(|_, host| !host.is_idle(now));
            self.sweep_at = HOSTS_MIN.max(self.by_name.len() * 2);
        }
    }
}

impl Host {
    fn new(turns: usize) -> Self {
        let now = Instant::now();
        let times = Times { free_from: now, postponed_until: now };
        Self { turns: Arc::new(Semaphore::new(turns)), times: Mutex::new(times) }
    }

    /// Nobody holds or waits for it, and nothing about it is worth remembering.
    fn is_idle(self: &Arc<Self>, now: Instant) -> bool {
        let times = *lock(&self.times);
        Arc::strong_count(self) == 1 && times.free_from <= now && times.postponed_until <= now
    }

    fn free_from(&self) -> Result<Instant, Postponed> {
        let times = *lock(&self.times);
        match times.postponed_until.checked_duration_since(Instant::now()) {
            Some(delay) if !delay.is_zero() => Err(Postponed(delay)),
            _ => Ok(times.free_from),
        }
    }

    /// Takes the start if it is free.
    fn start(&self, host_delay: Duration) -> Result<bool, Postponed> {
        let free_from = self.free_from()?;
        let now = Instant::now();
        let is_free = free_from <= now;
        if is_free {
            lock(&self.times).free_from = later(now, host_delay);
        }
        Ok(is_free)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.host.times).free_from = later(Instant::now(), self.host_delay);
    }
}

#[expect(clippy::expect_used, reason = "acquire fails only on a closed semaphore, and nothing here closes one")]
async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore).acquire_owned().await.expect("open semaphore")
}

/// `delay` comes from a config or a server: one beyond what an `Instant` holds is cut to a week.
fn later(now: Instant, delay: Duration) -> Instant {
    now.checked_add(delay).unwrap_or(now + POSTPONE_MAX)
}

/// No code can panic while it holds one of these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
