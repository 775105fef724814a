//! Manners towards hosts: how many requests at once, how far apart, and none while a host asked to be left alone.
//!
//! A request first waits for its host's turn and only then for one of the places that all hosts share, so a slow or
//! busy host never keeps a place from the others. Both queues are first come, first served.
//!
//! Gaps are counted on the machine's steady clock; how long a host is to be left alone is an instant of the wall clock,
//! for it outlasts a restart, and a night in which the machine sleeps.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::KEEP_CONNECTION;
use super::descriptors::Shares;
use super::leases::{LeaseUse, Leases};
use crate::feed::Timestamp;
use crate::state::RETRY_AFTER_MAX;

/// Longest gap: one beyond what an `Instant` holds is cut to it.
const GAP_MAX: Duration = Duration::from_hours(7 * 24);

/// A postponement that ends later was set while the clock was ahead. Clocks are corrected by seconds all the time.
const POSTPONED_MAX: TimeDelta = match RETRY_AFTER_MAX.checked_add(&TimeDelta::minutes(5)) {
    Some(longest) => longest,
    None => RETRY_AFTER_MAX,
};

/// Longest wait for a host that another node asks: it gives it up once the polls that it has begun have ended.
const LEASE_WAIT_MAX: Duration = Duration::from_secs(45);

/// Hosts that are kept before idle ones are first looked for.
const HOSTS_MIN: usize = 64;

/// Gives requests their turn.
#[derive(Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    per_host: usize,
    host_delay: Duration,
    hosts: Mutex<Hosts>,
    idle: Arc<Idle>,
    /// The hosts that this node may ask, where several nodes share a store.
    leases: Option<Arc<Leases>>,
}

/// Connections that wait for the next request to their host: so many at once at most.
///
/// Most hosts are asked once in an hour, and a thousand of them in a minute: their connections would pile up.
#[derive(Debug)]
struct Idle {
    max: usize,
    life: Duration,
    /// When each was kept.
    kept: Mutex<VecDeque<Instant>>,
}

impl Idle {
    /// Takes one of the places; hosts without others that wait for them get only half of all.
    fn take(&self, is_awaited: bool) -> bool {
        let now = Instant::now();
        let mut kept = lock(&self.kept);
        while kept.front().is_some_and(|at| now.saturating_duration_since(*at) > self.life) {
            kept.pop_front();
        }
        let max = if is_awaited { self.max } else { self.max / 2 };
        let is_free = kept.len() < max;
        if is_free {
            kept.push_back(now);
        }
        is_free
    }
}

/// A request's visit to its host: ends when dropped.
#[derive(Debug)]
pub struct Visit {
    host: Arc<Host>,
    host_delay: Duration,
    idle: Arc<Idle>,
    _own: OwnedSemaphorePermit,
    place: Option<OwnedSemaphorePermit>,
    /// Dropped after the gap to the next request was noted.
    _lease: Option<LeaseUse>,
}

impl Visit {
    /// Decides whether the connection is kept for the next request to the host.
    pub(super) fn keeps_connection(&self) -> bool {
        // One that is there already is used, and kept.
        let mut times = lock(&self.host.times);
        let is_there = times.kept_until.is_some_and(|until| until > Instant::now());
        // The map of hosts holds it, and each request that waits for it or visits it.
        let is_kept = self.idle.take(Arc::strong_count(&self.host) > 2) || is_there;
        times.kept_until = is_kept.then(|| after(Instant::now(), self.idle.life));
        is_kept
    }

    /// Ends the visit, and keeps the place among all requests.
    pub(super) fn end(mut self) -> Option<OwnedSemaphorePermit> {
        self.place.take()
    }
}

/// Why a host cannot be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Postponed {
    /// It asked to be left alone until then.
    Until(Timestamp),
    /// Another node asks it, and did not come to an end.
    Elsewhere,
}

/// The wall clock as the caller read it, and what has passed since: a turn may be waited for for minutes.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    read: Timestamp,
    at: Instant,
}

impl Clock {
    /// It is `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { read: now, at: Instant::now() }
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        later(self.read, TimeDelta::from_std(self.at.elapsed()).unwrap_or(TimeDelta::MAX))
    }
}

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
    postponed_until: Option<Timestamp>,
    /// Until when a connection may be there.
    kept_until: Option<Instant>,
}

impl Gate {
    /// Lets `concurrency` requests run at once, `per_host` of them on one host.
    ///
    /// `host_delay` passes between two starts on one host, counted from the end of the last request.
    ///
    /// Where several nodes share a store, a host is asked only while its lease is held.
    #[must_use]
    pub fn new(concurrency: usize, per_host: usize, host_delay: Duration, leases: Option<Arc<Leases>>) -> Self {
        let hosts = Hosts { by_name: HashMap::new(), sweep_at: HOSTS_MIN };
        Self {
            places: Arc::new(Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS))),
            per_host: per_host.clamp(1, Semaphore::MAX_PERMITS),
            host_delay,
            hosts: Mutex::new(hosts),
            idle: Arc::new(Idle {
                max: Shares::now().idle,
                life: host_delay.saturating_add(KEEP_CONNECTION),
                kept: Mutex::default(),
            }),
            leases,
        }
    }

    /// Waits for a turn on `host`.
    ///
    /// # Errors
    /// At once, or as soon as it is known, if the host is postponed: the wait may be days, so the caller plans it.
    pub async fn enter(&self, host: &str, clock: Clock) -> Result<Visit, Postponed> {
        let name = host;
        let host = self.host(name, clock.now());
        let own = permit(&host.turns).await;
        let mut lease = self.lease(name).await?;
        loop {
            let free_from = host.free_from(clock)?;
            if free_from > Instant::now() {
                sleep_until(free_from).await; // even to sleep until now takes a millisecond
            }
            let place = permit(&self.places).await;
            if lease.as_ref().is_some_and(|lease| !lease.is_good()) {
                // It ran out while we waited: another node may have asked the host meanwhile.
                drop(place);
                lease = self.lease(name).await?;
                continue;
            }
            // Another request of this host may have started while we waited for the place.
            if host.start(self.host_delay, clock)? {
                let idle = Arc::clone(&self.idle);
                return Ok(Visit {
                    host,
                    host_delay: self.host_delay,
                    idle,
                    _own: own,
                    place: Some(place),
                    _lease: lease,
                });
            }
        }
    }

    async fn lease(&self, host: &str) -> Result<Option<LeaseUse>, Postponed> {
        let Some(leases) = &self.leases else { return Ok(None) };
        let lease = leases.use_by(host, Instant::now() + LEASE_WAIT_MAX).await;
        lease.map(Some).ok_or(Postponed::Elsewhere)
    }

    /// Lets so much time pass before the next request to `host`: another node has just asked it.
    pub fn delay(&self, host: &str, gap: Duration, now: Timestamp) {
        if !gap.is_zero() {
            let host = self.host(host, now);
            let mut times = lock(&host.times);
            times.free_from = times.free_from.max(after(Instant::now(), gap));
        }
    }

    /// Returns the time that must pass before the next request to `host`.
    pub fn gap_left(&self, host: &str) -> Duration {
        let hosts = lock(&self.hosts);
        let host = hosts.by_name.get(host);
        host.map_or(Duration::ZERO, |host| lock(&host.times).free_from.saturating_duration_since(Instant::now()))
    }

    /// Leaves `host` alone until then; a longer postponement that it already has stays. One of more than a week is nonsense,
    /// of a clock that was ahead.
    pub fn postpone(&self, host: &str, until: Timestamp, now: Timestamp) {
        if until > later(now, POSTPONED_MAX) {
            return;
        }
        let host = self.host(host, now);
        let mut times = lock(&host.times);
        times.postponed_until = times.postponed(now).max(Some(until));
    }

    /// Ends the postponement of `host`.
    pub fn lift(&self, host: &str) {
        if let Some(host) = lock(&self.hosts).by_name.get(host) {
            lock(&host.times).postponed_until = None;
        }
    }

    fn host(&self, name: &str, now: Timestamp) -> Arc<Host> {
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.by_name.get(name) {
            return Arc::clone(host);
        }
        hosts.sweep(now);
        let host = Arc::new(Host::new(self.per_host));
        hosts.by_name.insert(name.to_owned(), Arc::clone(&host));
        host
    }
}

impl Hosts {
    /// Forgets idle hosts when there are twice as many as were in use the last time.
    fn sweep(&mut self, now: Timestamp) {
        if self.by_name.len() >= self.sweep_at {
            self.by_name.retain(|_, host| !host.is_idle(now));
            self.sweep_at = HOSTS_MIN.max(self.by_name.len() * 2);
        }
    }
}

impl Host {
    fn new(turns: usize) -> Self {
        let times = Times { free_from: Instant::now(), postponed_until: None, kept_until: None };
        Self { turns: Arc::new(Semaphore::new(turns)), times: Mutex::new(times) }
    }

    /// Nobody holds or waits for it, and nothing about it is worth remembering.
    fn is_idle(self: &Arc<Self>, now: Timestamp) -> bool {
        let times = *lock(&self.times);
        Arc::strong_count(self) == 1 && times.free_from <= Instant::now() && times.postponed(now).is_none()
    }

    fn free_from(&self, clock: Clock) -> Result<Instant, Postponed> {
        let times = *lock(&self.times);
        match times.postponed(clock.now()) {
            Some(until) => Err(Postponed::Until(until)),
            None => Ok(times.free_from),
        }
    }

    /// Takes the start if it is free.
    fn start(&self, host_delay: Duration, clock: Clock) -> Result<bool, Postponed> {
        let free_from = self.free_from(clock)?;
        let now = Instant::now();
        let is_free = free_from <= now;
        if is_free {
            lock(&self.times).free_from = after(now, host_delay);
        }
        Ok(is_free)
    }
}

impl Times {
    fn postponed(self, now: Timestamp) -> Option<Timestamp> {
        // None is longer than a week: what seems so was set while the clock was ahead.
        self.postponed_until.filter(|until| *until > now && *until <= later(now, POSTPONED_MAX))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        lock(&self.host.times).free_from = after(Instant::now(), self.host_delay);
    }
}

#[expect(clippy::expect_used, reason = "acquire fails only on a closed semaphore, and nothing here closes one")]
async fn permit(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore).acquire_owned().await.expect("open semaphore")
}

fn after(now: Instant, gap: Duration) -> Instant {
    now.checked_add(gap).unwrap_or(now + GAP_MAX)
}

fn later(now: Timestamp, delay: TimeDelta) -> Timestamp {
    now.checked_add_signed(delay).unwrap_or(now)
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
        Gate::new(concurrency, per_host, host_delay, None)
    }

    fn clock() -> Clock {
        Clock::new(noon())
    }

    fn noon() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    /// Checks whether `host` would get its turn within a moment.
    async fn check(gate: &Gate, host: &str, enters: bool) {
        assert_eq!(timeout(MOMENT, gate.enter(host, clock())).await.is_ok(), enters, "{host}");
    }

    /// Until when `host` is to be left alone.
    async fn postponed(gate: &Gate, host: &str) -> Option<Timestamp> {
        match gate.enter(host, clock()).await.err()? {
            Postponed::Until(until) => Some(until),
            Postponed::Elsewhere => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_gets_one_request_at_a_time() {
        let gate = gate(8, 1, Duration::ZERO);
        let turn = gate.enter("a", clock()).await.unwrap();
        check(&gate, "a", false).await;
        check(&gate, "b", true).await;
        drop(turn);
        check(&gate, "a", true).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_gap_counts_from_the_end_of_the_last_request() {
        let gate = gate(8, 1, MOMENT * 3);
        let turn = gate.enter("a", clock()).await.unwrap();
        tokio::time::sleep(MOMENT * 3).await;
        drop(turn);
        check(&gate, "a", false).await;
        let turn_of_next = Instant::now() + MOMENT * 2;
        drop(gate.enter("a", clock()).await.unwrap());
        assert_eq!(Instant::now(), turn_of_next);
    }

    #[tokio::test(start_paused = true)]
    async fn several_requests_at_once_keep_the_gap_between_their_starts() {
        let gate = gate(8, 2, MOMENT * 2);
        let began = Instant::now();
        let (first, second) = tokio::join!(gate.enter("a", clock()), gate.enter("a", clock()));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(began.elapsed(), MOMENT * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_waits_for_its_turn_keeps_no_place_from_others() {
        let gate = gate(2, 1, Duration::from_hours(1));
        drop(gate.enter("slow", clock()).await.unwrap());
        let waiting = async {
            tokio::join!(gate.enter("slow", clock()), gate.enter("slow", clock()), gate.enter("slow", clock()))
        };
        tokio::select! {
            _ = waiting => panic!("the gap of the slow host is an hour"),
            () = async {
                check(&gate, "b", true).await;
                check(&gate, "c", true).await;
            } => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_run_than_there_are_places() {
        let gate = gate(2, 1, Duration::ZERO);
        let _turns = (gate.enter("a", clock()).await.unwrap(), gate.enter("b", clock()).await.unwrap());
        check(&gate, "c", false).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_postponed_host_gets_no_turn_until_then() {
        let gate = gate(8, 1, Duration::ZERO);
        let until = noon() + TimeDelta::hours(1);
        gate.postpone("a", until, noon());
        assert_eq!((postponed(&gate, "b").await, postponed(&gate, "a").await), (None, Some(until)));
        check(&gate, "b", true).await;
        assert!(gate.enter("a", Clock::new(until)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_hear_of_a_postponement() {
        let gate = gate(8, 1, Duration::ZERO);
        let turn = gate.enter("a", clock()).await.unwrap();
        let (waited, ()) = tokio::join!(gate.enter("a", clock()), async {
            gate.postpone("a", noon() + TimeDelta::hours(1), noon());
            drop(turn);
        });
        assert!(waited.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_postponement_does_not_end_a_longer_one() {
        let gate = gate(8, 1, Duration::ZERO);
        let hours = |hours| noon() + TimeDelta::hours(hours);
        gate.postpone("a", hours(2), noon());
        gate.postpone("a", hours(1), noon());
        assert_eq!(postponed(&gate, "a").await, Some(hours(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_server_can_silence_a_host_for_more_than_a_week() {
        let gate = gate(8, 1, Duration::ZERO);
        gate.postpone("a", noon() + RETRY_AFTER_MAX, noon());
        assert_eq!(postponed(&gate, "a").await, Some(noon() + RETRY_AFTER_MAX));
        // A clock that is set right afterwards shows that it was ahead.
        gate.postpone("b", noon() + RETRY_AFTER_MAX + TimeDelta::hours(1), noon());
        assert_eq!(postponed(&gate, "b").await, None);
        let back = Clock::new(noon() - TimeDelta::days(1));
        assert!(gate.enter("a", back).await.is_ok(), "nobody can have asked for that");
    }

    #[tokio::test(start_paused = true)]
    async fn a_postponement_that_is_lifted_is_over() {
        let gate = gate(8, 1, Duration::ZERO);
        gate.postpone("a", noon() + TimeDelta::hours(1), noon());
        gate.lift("a");
        assert_eq!(postponed(&gate, "a").await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_hosts_are_forgotten_and_postponed_ones_are_not() {
        let gate = gate(8, 1, Duration::ZERO);
        gate.postpone("postponed", noon() + TimeDelta::hours(1), noon());
        for at in 0..10_000 {
            drop(gate.enter(&format!("host{at}"), clock()).await.unwrap());
        }
        assert!(lock(&gate.hosts).by_name.len() <= HOSTS_MIN);
        assert!(postponed(&gate, "postponed").await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn turns_on_a_host_come_in_the_order_in_which_they_were_asked_for() {
        let gate = gate(8, 1, Duration::ZERO);
        let order = Mutex::new(Vec::new());
        let go = async |name| {
            let _turn = gate.enter("a", clock()).await.unwrap();
            tokio::task::yield_now().await;
            lock(&order).push(name);
        };
        tokio::join!(go(1), go(2), go(3), go(4));
        assert_eq!(*lock(&order), [1, 2, 3, 4]);
    }
}
