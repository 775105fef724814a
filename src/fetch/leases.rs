//! The hosts that this node may ask, where several nodes share a store: the leases that it holds and those that it would
//! like to have.
//!
//! A table in memory. Rounds with the store ([`LeaseRequest`], [`LeaseAnswer`]) keep it up to date; the [`super::hosts`] gate
//! looks into it before each request. A lease counts here for less time than in the store, measured by the steady clock from
//! before the round began: a node that slept, or was cut off, stops before another one may begin.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::state::lease::LEASE;
use crate::state::{Hold, LeaseAnswer, LeaseRequest};

/// A lease is used no more when so little of it is left: a request that begins then may outlast it. Leases are renewed long
/// before.
const MARGIN: Duration = Duration::from_secs(20);

/// Leases are renewed after this time.
pub(super) const RENEWAL: Duration = Duration::from_secs(10);

/// A lease that nobody has used yet is kept for so long.
const UNUSED_MAX: Duration = Duration::from_secs(2);

/// A host that was given back since another node waits for it is not wished for again before that one has had its turn.
const AFTER_YOU: Duration = Duration::from_secs(3);

/// The leases of this node.
#[derive(Debug)]
pub struct Leases {
    table: Mutex<LeaseTable>,
    /// Leases have come.
    granted: Notify,
    /// A request waits for a lease.
    wished: Notify,
}

#[derive(Debug, Default)]
struct LeaseTable {
    held: HashMap<String, HeldLease>,
    /// Leases that requests wait for, with the number of those that wait.
    urgent: HashMap<String, usize>,
    /// Hosts that are left to other nodes until then.
    left: HashMap<String, Instant>,
    renewed: Option<Instant>,
}

#[derive(Debug)]
struct HeldLease {
    hold: Hold,
    until: Instant,
    users: usize,
    idle_from: Instant,
    was_used: bool,
    is_awaited: bool,
}

/// The use of a lease; it is given back some time after the last one has ended.
#[derive(Debug)]
pub struct LeaseUse {
    leases: Arc<Leases>,
    hold: Hold,
}

impl LeaseUse {
    /// Returns the lease, as writes prove it.
    #[must_use]
    pub fn hold(&self) -> &Hold {
        &self.hold
    }

    /// Whether a request may begin that had to wait: the lease is still this node's.
    pub(super) fn is_good(&self) -> bool {
        let table = self.leases.table();
        table.held.get(&self.hold.name).is_some_and(|held| held.hold == self.hold && held.is_good())
    }

    /// Whether a further poll may begin: the lease is still this node's, and no other node waits for the host.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let table = self.leases.table();
        table.held.get(&self.hold.name).is_some_and(|held| held.hold == self.hold && held.is_good() && !held.is_awaited)
    }
}

impl Drop for LeaseUse {
    fn drop(&mut self) {
        if let Some(held) = self.leases.table().held.get_mut(&self.hold.name).filter(|held| held.hold == self.hold) {
            held.users = held.users.saturating_sub(1);
            held.idle_from = Instant::now();
        }
        self.leases.wished.notify_one();
    }
}

impl HeldLease {
    fn is_good(&self) -> bool {
        self.until > Instant::now() + MARGIN
    }

    fn is_idle(&self) -> bool {
        self.users == 0 && (self.was_used || self.is_awaited || self.idle_from.elapsed() > UNUSED_MAX)
    }
}

impl Leases {
    /// Makes an empty table.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { table: Mutex::default(), granted: Notify::new(), wished: Notify::new() })
    }

    /// Uses a lease, if this node holds it and no other one waits for it.
    #[must_use]
    pub fn use_now(self: &Arc<Self>, name: &str) -> Option<LeaseUse> {
        let mut table = self.table();
        let held = table.held.get_mut(name).filter(|held| held.is_good() && !held.is_awaited)?;
        Some(self.begin(held))
    }

    /// Uses a lease that this node holds, or waits for it until `end`; `None` if it did not come.
    ///
    /// # Cancellation
    /// The wish ends with the wait.
    pub async fn use_by(self: &Arc<Self>, name: &str, end: Instant) -> Option<LeaseUse> {
        if let Some(used) = self.use_held(name) {
            return Some(used);
        }
        let _urgent = Urgent::new(self, name);
        loop {
            let granted = self.granted.notified();
            if let Some(used) = self.use_held(name) {
                return Some(used);
            }
            timeout_at(end, granted).await.ok()?;
        }
    }

    /// Uses a lease that this node holds, even if another one waits for it: a poll under way ends first.
    fn use_held(self: &Arc<Self>, name: &str) -> Option<LeaseUse> {
        let mut table = self.table();
        let held = table.held.get_mut(name).filter(|held| held.is_good())?;
        // Else the other node would wait as long as requests follow each other.
        if held.is_awaited && held.users == 0 {
            return None;
        }
        Some(self.begin(held))
    }

    fn begin(self: &Arc<Self>, held: &mut HeldLease) -> LeaseUse {
        held.users += 1;
        held.was_used = true;
        LeaseUse { leases: Arc::clone(self), hold: held.hold.clone() }
    }

    /// Waits until there may be something to ask for or to give back.
    ///
    /// # Cancellation
    /// Loses nothing.
    pub async fn wished(&self) {
        self.wished.notified().await;
    }

    /// Whether a round with the store is wanted, apart from new wishes of the caller.
    #[must_use]
    pub fn is_round_wanted(&self) -> bool {
        let table = self.table();
        table.renewed.is_none_or(|renewed| renewed.elapsed() >= RENEWAL)
            || !table.urgent.is_empty()
            || table.held.values().any(HeldLease::is_idle)
    }

    /// Adds to a request what is urgent, kept and given back. `gap_left` tells how long a host is to be left alone.
    pub(super) fn ask(&self, request: &mut LeaseRequest, gap_left: impl Fn(&str) -> Duration) {
        let mut table = self.table();
        let now = Instant::now();
        table.left.retain(|_, until| *until > now);
        let idle: Vec<String> =
            table.held.iter().filter(|(_, held)| held.is_idle()).map(|(name, _)| name.clone()).collect();
        for name in idle {
            let Some(held) = table.held.remove(&name) else { continue };
            if held.is_awaited {
                table.left.insert(name.clone(), now + AFTER_YOU);
            }
            request.returned.push((held.hold, gap_left(&name)));
        }
        request.kept = table.held.values().map(|held| held.hold.clone()).collect();
        let urgent: BTreeSet<String> =
            table.urgent.keys().filter(|name| !table.held.contains_key(*name)).cloned().collect();
        request.most += urgent.len();
        let rest = std::mem::take(&mut request.wanted);
        let rest = rest.into_iter().filter(|name| !urgent.contains(name) && !table.held.contains_key(name));
        let rest: Vec<String> = rest.collect();
        request.wanted = urgent.iter().cloned().chain(rest).filter(|name| !table.left.contains_key(name)).collect();
        request.urgent = urgent.into_iter().collect();
    }

    /// Takes the store's answer to a request that was made at `asked`.
    pub(super) fn answer(&self, asked: Instant, request: &LeaseRequest, answer: &LeaseAnswer) {
        let mut table = self.table();
        let until = asked + LEASE;
        table.renewed = Some(asked);
        for kept in &request.kept {
            let is_renewed = answer.renewed.contains(kept);
            let Some(held) = table.held.get_mut(&kept.name).filter(|held| held.hold == *kept) else { continue };
            if is_renewed {
                held.until = until;
                held.is_awaited = answer.awaited.contains(&kept.name);
            } else {
                table.held.remove(&kept.name);
            }
        }
        for granted in &answer.granted {
            let hold = granted.hold.clone();
            let taken =
                HeldLease { hold, until, users: 0, idle_from: Instant::now(), was_used: false, is_awaited: false };
            table.held.insert(granted.hold.name.clone(), taken);
        }
        drop(table);
        self.granted.notify_waiters();
    }

    /// Gives leases as a store would.
    #[cfg(test)]
    pub(crate) fn grant(&self, names: &[&str]) {
        let grant = |name: &&str| crate::state::Granted {
            hold: Hold { name: (*name).to_owned(), fence: 7 },
            free_in: Duration::ZERO,
            throttled_until: None,
        };
        let answer = LeaseAnswer { granted: names.iter().map(grant).collect(), ..LeaseAnswer::default() };
        self.answer(Instant::now(), &LeaseRequest::default(), &answer);
    }

    /// Whether a lease is about to be given back.
    #[cfg(test)]
    pub(crate) fn is_idle(&self, name: &str) -> bool {
        self.table().held.get(name).is_some_and(HeldLease::is_idle)
    }

    /// Uses no lease before it was renewed: the store may have forgotten them all.
    pub fn doubt(&self) {
        let mut table = self.table();
        let now = Instant::now();
        table.held.values_mut().for_each(|held| held.until = now);
        table.renewed = None;
    }

    /// Returns the number of hosts that this node holds.
    #[must_use]
    pub fn hosts(&self) -> usize {
        self.table().held.keys().filter(|name| !name.starts_with(':')).count()
    }

    /// No code can panic while it holds the lock, so a poisoned one is as good as any.
    fn table(&self) -> MutexGuard<'_, LeaseTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for a lease.
struct Urgent<'a> {
    leases: &'a Leases,
    name: String,
}

impl<'a> Urgent<'a> {
    fn new(leases: &'a Leases, name: &str) -> Self {
        *leases.table().urgent.entry(name.to_owned()).or_default() += 1;
        leases.wished.notify_one();
        Self { leases, name: name.to_owned() }
    }
}

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        let mut table = self.leases.table();
        if let Some(waiting) = table.urgent.get_mut(&self.name) {
            *waiting -= 1;
            if *waiting == 0 {
                table.urgent.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::state::Granted;

    fn hold(name: &str) -> Hold {
        Hold { name: name.into(), fence: 7 }
    }

    /// Makes a round whose store grants these leases, and renews all but `lost`; returns the request.
    fn round(leases: &Leases, wanted: &[&str], granted: &[&str], lost: &[&str]) -> LeaseRequest {
        let wanted = wanted.iter().map(|name| (*name).to_owned()).collect();
        let mut request = LeaseRequest { wanted, most: 8, ..LeaseRequest::default() };
        leases.ask(&mut request, |_| Duration::from_secs(1));
        let grant = |name: &&str| Granted { hold: hold(name), free_in: Duration::ZERO, throttled_until: None };
        let renewed = request.kept.iter().filter(|kept| !lost.contains(&&*kept.name)).cloned().collect();
        let answer = LeaseAnswer { granted: granted.iter().map(grant).collect(), renewed, ..LeaseAnswer::default() };
        leases.answer(Instant::now(), &request, &answer);
        request
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_kept_while_it_is_used_and_given_back_with_what_is_left_of_the_gap() {
        let leases = Leases::new();
        round(&leases, &["a", "b"], &["a"], &[]);
        let used = leases.use_now("a").unwrap();
        assert!(leases.use_now("b").is_none());
        let request = round(&leases, &["a", "b"], &[], &[]);
        assert_eq!((request.kept, request.wanted), (vec![hold("a")], vec!["b".to_owned()]));
        drop(used);
        assert!(leases.is_round_wanted());
        let request = round(&leases, &[], &[], &[]);
        assert_eq!(request.returned, [(hold("a"), Duration::from_secs(1))]);
        assert!(leases.use_now("a").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_was_not_renewed_in_time_is_used_no_more() {
        let leases = Leases::new();
        round(&leases, &["a"], &["a"], &[]);
        let used = leases.use_now("a").unwrap();
        advance(LEASE.checked_sub(MARGIN).unwrap()).await;
        assert!(!used.is_open() && leases.use_now("a").is_none());
        round(&leases, &[], &[], &[]);
        assert!(used.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn leases_that_the_store_may_have_forgotten_are_used_again_once_they_are_renewed() {
        let leases = Leases::new();
        round(&leases, &["a", "b"], &["a", "b"], &[]);
        let used = ["a", "b"].map(|host| leases.use_now(host).unwrap());
        leases.doubt();
        assert!(leases.is_round_wanted());
        assert!(used.iter().all(|used| !used.is_open()) && leases.use_now("a").is_none());
        round(&leases, &[], &[], &["b"]);
        assert_eq!(used.each_ref().map(LeaseUse::is_open), [true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_another_node_took_over_is_lost_and_its_users_do_no_harm() {
        let leases = Leases::new();
        round(&leases, &["a"], &["a"], &[]);
        let used = leases.use_now("a").unwrap();
        round(&leases, &[], &[], &["a"]);
        assert!(!used.is_open() && leases.hosts() == 0);
        drop(used);
        assert_eq!(round(&leases, &[], &[], &[]).returned, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_for_the_lease_of_its_host_and_asks_for_it_first() {
        let leases = Leases::new();
        let end = Instant::now() + Duration::from_secs(5);
        let (used, request) = tokio::join!(leases.use_by("b", end), async {
            leases.wished().await;
            round(&leases, &["a"], &["b"], &[])
        });
        assert_eq!(used.unwrap().hold(), &hold("b"));
        assert_eq!((request.wanted, request.urgent), (vec!["b".to_owned(), "a".to_owned()], vec!["b".to_owned()]));
        assert!(leases.use_by("c", end).await.is_none());
        assert_eq!(round(&leases, &[], &[], &[]).urgent, Vec::<String>::new(), "the wish ended with the wait");
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_another_node_waits_for_is_left_to_it_for_a_while() {
        let leases = Leases::new();
        round(&leases, &["a"], &["a"], &[]);
        let used = leases.use_now("a").unwrap();
        let mut request = LeaseRequest::default();
        leases.ask(&mut request, |_| Duration::ZERO);
        let renewed = request.kept.clone();
        let answer = LeaseAnswer { renewed, awaited: vec!["a".into()], ..LeaseAnswer::default() };
        leases.answer(Instant::now(), &request, &answer);
        assert!(!used.is_open() && leases.use_now("a").is_none());
        assert!(leases.use_by("a", Instant::now()).await.is_some(), "a poll under way may still ask");
        drop(used);
        let request = round(&leases, &["a"], &[], &[]);
        assert_eq!((request.returned.len(), request.wanted), (1, Vec::new()));
        advance(AFTER_YOU).await;
        assert_eq!(round(&leases, &["a"], &[], &[]).wanted, ["a"]);
    }
}
