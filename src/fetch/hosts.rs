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
    place: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Ends the turn on the host, and keeps the place among all requests.
    pub(super) fn end(mut self) -> Option<OwnedSemaphorePermit> {
        self.place.take()
    }
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
    #[must_use]
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
            let free_from = host.free_from()?;
            if free_from > Instant::now() {
                sleep_until(free_from).await; // even to sleep until now takes a millisecond
            }
            let place = permit(&self.places).await;
            // Another request of this host may have started while we waited for the place.
            if host.start(self.host_delay)? {
                return Ok(Turn { host, host_delay: self.host_delay, _own: own, place: Some(place) });
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

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);

    fn gate(concurrency: usize, per_host: usize, host_delay: Duration) -> Gate {
        Gate::new(concurrency, per_host, host_delay)
    }

    /// Checks whether `host` would get its turn within a moment.
    async fn check(gate: &Gate, host: &str, enters: bool) {
        assert_eq!(timeout(MOMENT, gate.enter(host)).await.is_ok(), enters, "{host}");
    }

    #[tokio::test]
    async fn a_host_gets_one_request_at_a_time() {
        let gate = gate(8, 1, Duration::ZERO);
        let turn = gate.enter("a").await.unwrap();
        check(&gate, "a", false).await;
        check(&gate, "b", true).await;
        drop(turn);
        check(&gate, "a", true).await;
    }

    #[tokio::test]
    async fn the_gap_counts_from_the_end_of_the_last_request() {
        let gate = gate(8, 1, MOMENT * 3);
        let turn = gate.enter("a").await.unwrap();
        tokio::time::sleep(MOMENT * 3).await;
        drop(turn);
        check(&gate, "a", false).await;
        let before = Instant::now();
        drop(gate.enter("a").await.unwrap());
        assert!(before.elapsed() >= MOMENT);
    }

    #[tokio::test]
    async fn several_requests_at_once_keep_the_gap_between_their_starts() {
        let gate = gate(8, 2, MOMENT * 2);
        let began = Instant::now();
        let (first, second) = tokio::join!(gate.enter("a"), gate.enter("a"));
        assert!(first.is_ok() && second.is_ok());
        assert!(began.elapsed() >= MOMENT * 2);
    }

    #[tokio::test]
    async fn a_host_that_waits_for_its_turn_keeps_no_place_from_others() {
        let gate = gate(2, 1, Duration::from_hours(1));
        drop(gate.enter("slow").await.unwrap());
        let waiting = async { tokio::join!(gate.enter("slow"), gate.enter("slow"), gate.enter("slow")) };
        tokio::select! {
            _ = waiting => panic!("the gap of the slow host is an hour"),
            () = async {
                check(&gate, "b", true).await;
                check(&gate, "c", true).await;
            } => {}
        }
    }

    #[tokio::test]
    async fn no_more_requests_run_than_there_are_places() {
        let gate = gate(2, 1, Duration::ZERO);
        let _turns = (gate.enter("a").await.unwrap(), gate.enter("b").await.unwrap());
        check(&gate, "c", false).await;
    }

    #[tokio::test]
    async fn a_postponed_host_gets_no_turn_and_says_until_when() {
        let gate = gate(8, 1, Duration::ZERO);
        gate.postpone("a", Duration::from_hours(1));
        let Err(Postponed(delay)) = gate.enter("a").await else { panic!("a turn") };
        assert!(delay > Duration::from_mins(59));
        assert_eq!((gate.postponed("b"), gate.postponed("a").is_some()), (None, true));
        check(&gate, "b", true).await;
    }

    #[tokio::test]
    async fn those_who_wait_hear_of_a_postponement() {
        let gate = gate(8, 1, Duration::ZERO);
        let turn = gate.enter("a").await.unwrap();
        let (waited, ()) = tokio::join!(gate.enter("a"), async {
            gate.postpone("a", Duration::from_hours(1));
            drop(turn);
        });
        assert!(waited.is_err());
    }

    #[tokio::test]
    async fn a_shorter_postponement_does_not_end_a_longer_one() {
        let gate = gate(8, 1, Duration::ZERO);
        gate.postpone("a", Duration::from_hours(2));
        gate.postpone("a", Duration::from_secs(1));
        assert!(gate.postponed("a").unwrap() > Duration::from_hours(1));
    }

    #[tokio::test]
    async fn no_server_can_silence_a_host_for_more_than_a_week() {
        let gate = gate(8, 1, Duration::ZERO);
        gate.postpone("a", Duration::MAX);
        assert!(gate.postponed("a").unwrap() <= POSTPONE_MAX);
    }

    #[tokio::test]
    async fn idle_hosts_are_forgotten_and_postponed_ones_are_not() {
        let gate = gate(8, 1, Duration::ZERO);
        gate.postpone("postponed", Duration::from_hours(1));
        for at in 0..10_000 {
            drop(gate.enter(&format!("host{at}")).await.unwrap());
        }
        assert!(lock(&gate.hosts).by_name.len() <= HOSTS_MIN);
        assert!(gate.postponed("postponed").is_some());
    }

    #[tokio::test]
    async fn turns_on_a_host_come_in_the_order_in_which_they_were_asked_for() {
        let gate = gate(8, 1, Duration::ZERO);
        let order = Mutex::new(Vec::new());
        let go = async |name| {
            let _turn = gate.enter("a").await.unwrap();
            tokio::task::yield_now().await;
            lock(&order).push(name);
        };
        tokio::join!(go(1), go(2), go(3), go(4));
        assert_eq!(*lock(&order), [1, 2, 3, 4]);
    }
}
