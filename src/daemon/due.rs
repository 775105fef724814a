//! The due times of sources: one heap, not a task for each source.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use chrono::TimeDelta;
use xxhash_rust::xxh3::xxh3_64;

use crate::feed::Timestamp;
use crate::fetch::{LeaseUse, Leases};

/// Polls of one host that are begun at once, so that its next one is ready when its turn comes; the others wait here,
/// where they cost next to nothing.
const HOST_POLLS_MAX: usize = 2;

/// Time from one to the next of sources that are late, on the whole.
const SPREAD_MS: i64 = 250;

/// Longest time until all sources that are late have been polled.
const SPREAD_MAX: TimeDelta = TimeDelta::minutes(5);

/// The due times of all sources.
///
/// A source is either waiting here or being polled, never both: so it is never polled twice at once.
#[derive(Debug, Default)]
pub(crate) struct Due {
    heap: BinaryHeap<Reverse<(Timestamp, String)>>,
    /// The only due time of a source that counts; any other in the heap is out of date.
    times: HashMap<String, Timestamp>,
    /// The sources that are being polled, with their hosts.
    polling: HashMap<String, String>,
    /// Polls under way by host, and the sources that are due and wait for their end.
    hosts: HashMap<String, HostQueue>,
    /// Hosts that have room again for one that waits.
    free: VecDeque<String>,
    /// The leases of this node, where several nodes share a store.
    leases: Option<Arc<Leases>>,
    /// Hosts with sources that are due and that this node does not hold, in the order in which they became due.
    closed: VecDeque<String>,
}

#[derive(Debug, Default)]
struct HostQueue {
    polls: usize,
    waiting: VecDeque<String>,
    lease: Option<LeaseUse>,
}

impl HostQueue {
    /// Whether a poll of the host may begin, where only one of several nodes asks a host.
    fn is_open(&mut self, host: &str, leases: Option<&Arc<Leases>>) -> bool {
        let Some(leases) = leases else { return true };
        if !self.lease.as_ref().is_some_and(LeaseUse::is_open) {
            self.lease = leases.use_now(host);
        }
        self.lease.is_some()
    }
}

impl Due {
    /// Makes the due times of a node that shares the store with others.
    pub(crate) fn sharing(leases: Option<Arc<Leases>>) -> Self {
        Self { leases, ..Self::default() }
    }

    /// Makes a source due at `at`, unless it is being polled: then its poll's end says when.
    pub(crate) fn set(&mut self, source_id: &str, at: Timestamp) {
        if !self.polling.contains_key(source_id) {
            self.times.insert(source_id.to_owned(), at);
            self.heap.push(Reverse((at, source_id.to_owned())));
        }
    }

    /// Makes sources due that should have been polled long ago: spread over a while, so that there is no storm after a night
    /// in which the machine slept.
    pub(crate) fn set_late(&mut self, source_ids: Vec<String>, now: Timestamp) {
        let share =
            TimeDelta::milliseconds(i64::try_from(source_ids.len()).unwrap_or(i64::MAX).saturating_mul(SPREAD_MS));
        let span = share.min(SPREAD_MAX).num_milliseconds().unsigned_abs();
        for source_id in source_ids {
            let delay = xxh3_64(source_id.as_bytes()) % (span + 1);
            self.set(&source_id, now + TimeDelta::milliseconds(delay.cast_signed()));
        }
    }

    /// Spreads all sources that are due.
    pub(crate) fn spread(&mut self, now: Timestamp) {
        let late = self.times.iter().filter(|(_, at)| **at <= now).map(|(source_id, _)| source_id.clone());
        let waiting = self.hosts.values_mut().flat_map(|host| host.waiting.drain(..));
        let late = late.chain(waiting).collect();
        self.free.clear();
        self.closed.clear();
        self.set_late(late, now);
        self.sweep();
    }

    /// Forgets hosts of which nothing is polled and nothing waits.
    fn sweep(&mut self) {
        self.hosts.retain(|_, host| host.polls > 0 || !host.waiting.is_empty());
    }

    /// Returns the hosts whose lease is wanted, in the order in which they became due: `most` of them at most.
    pub(crate) fn wanted(&mut self, most: usize) -> Vec<String> {
        let mut wanted: Vec<String> = Vec::new();
        // From the front only: there may be a hundred thousand.
        while wanted.len() < most
            && let Some(host) = self.closed.get(wanted.len())
        {
            let queue = self.hosts.get(host);
            if queue.is_some_and(|queue| queue.lease.is_none() && !queue.waiting.is_empty()) && !wanted.contains(host) {
                wanted.push(host.clone());
            } else {
                self.closed.remove(wanted.len());
            }
        }
        wanted
    }

    /// Gives back the leases of hosts of which no poll is under way: other nodes may be able to ask them.
    pub(crate) fn close(&mut self) {
        for (host, queue) in &mut self.hosts {
            if queue.polls == 0 && queue.lease.take().is_some() {
                self.closed.push_back(host.clone());
            }
        }
    }

    /// Opens those of the wanted hosts whose leases have come; the others are asked for again after all that are due.
    pub(crate) fn open(&mut self, wanted: &[String]) {
        for host in wanted {
            let Some(queue) = self.hosts.get_mut(host) else { continue };
            if queue.is_open(host, self.leases.as_ref()) {
                let room = HOST_POLLS_MAX.saturating_sub(queue.polls).min(queue.waiting.len());
                self.free.extend(std::iter::repeat_n(host.clone(), room));
            } else if let Some(at) = self.closed.iter().position(|closed| closed == host) {
                self.closed.remove(at);
                self.closed.push_back(host.clone());
            }
        }
    }

    /// Returns the sources that are due and wait for these hosts: `most` of them at most.
    pub(crate) fn waiting_for(&self, hosts: &[String], most: usize) -> Vec<String> {
        let queues = hosts.iter().filter_map(|host| self.hosts.get(host));
        queues.flat_map(|queue| queue.waiting.iter().cloned()).take(most).collect()
    }

    /// Whether sources are due that wait for their host.
    pub(crate) fn is_waiting(&self) -> bool {
        self.hosts.values().any(|host| !host.waiting.is_empty())
    }

    /// Notes that another node has polled a source of `host`, which is due again at `next`, or never.
    pub(crate) fn note(&mut self, source_id: &str, host: &str, next: Option<Timestamp>) {
        if self.polling.contains_key(source_id) {
            return;
        }
        if let Some(queue) = self.hosts.get_mut(host) {
            queue.waiting.retain(|waiting| waiting != source_id);
            if queue.polls == 0 && queue.waiting.is_empty() {
                self.hosts.remove(host);
            }
        }
        match next {
            Some(at) => self.set(source_id, at),
            None => drop(self.times.remove(source_id)),
        }
    }

    /// Puts off a source that waits until then: another process has polled it.
    pub(crate) fn put_off(&mut self, source_id: &str, until: Timestamp) {
        if self.times.get(source_id).is_some_and(|at| *at < until) {
            self.set(source_id, until);
        }
    }

    /// Tells whether a source is being polled.
    pub(crate) fn is_polling(&self, source_id: &str) -> bool {
        self.polling.contains_key(source_id)
    }

    /// When the next source is due.
    pub(crate) fn next(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, source_id))) = self.heap.peek() {
            if self.times.get(source_id) == Some(at) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes a source that is due at `now` and whose host has room; it is being polled until [`Due::end`].
    ///
    /// `host_of` tells the host of a source; one without is of no host in particular.
    pub(crate) fn take(&mut self, now: Timestamp, host_of: impl Fn(&str) -> Option<String>) -> Option<String> {
        while let Some(host) = self.free.pop_front() {
            let is_next = |queue: &&mut HostQueue| !queue.waiting.is_empty() && queue.polls < HOST_POLLS_MAX;
            let Some(queue) = self.hosts.get_mut(&host).filter(is_next) else { continue };
            if !queue.is_open(&host, self.leases.as_ref()) {
                self.closed.push_back(host);
            } else if let Some(source_id) = queue.waiting.pop_front() {
                return Some(self.begin(source_id, host));
            }
        }
        while self.next()? <= now {
            let Reverse((_, source_id)) = self.heap.pop()?;
            self.times.remove(&source_id);
            let host = host_of(&source_id).unwrap_or_else(|| source_id.clone());
            let busy = self.hosts.entry(host.clone()).or_default();
            if busy.polls >= HOST_POLLS_MAX {
                busy.waiting.push_back(source_id);
            } else if busy.is_open(&host, self.leases.as_ref()) {
                return Some(self.begin(source_id, host));
            } else {
                busy.waiting.push_back(source_id);
                if busy.waiting.len() == 1 {
                    self.closed.push_back(host);
                }
            }
        }
        None
    }

    fn begin(&mut self, source_id: String, host: String) -> String {
        self.hosts.entry(host.clone()).or_default().polls += 1;
        self.polling.insert(source_id.clone(), host);
        source_id
    }

    /// Ends the poll of a source, which is due again at `next`, or never.
    pub(crate) fn end(&mut self, source_id: &str, next: Option<Timestamp>) {
        if let Some(name) = self.polling.remove(source_id)
            && let Some(host) = self.hosts.get_mut(&name)
        {
            host.polls = host.polls.saturating_sub(1);
            if !host.waiting.is_empty() {
                self.free.push_back(name);
            } else if host.polls == 0 {
                self.hosts.remove(&name);
            }
        }
        if let Some(at) = next {
            self.set(source_id, at);
        }
    }

    /// Forgets all sources that wait; those being polled stay.
    pub(crate) fn clear(&mut self) {
        self.heap.clear();
        self.times.clear();
        self.free.clear();
        self.closed.clear();
        self.hosts.values_mut().for_each(|host| host.waiting.clear());
        self.sweep();
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
    }

    fn apart(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn of_one_host_few_are_polled_at_once_and_others_are_not_held_up() {
        let host_of = |source_id: &str| Some(source_id.split('-').next().unwrap_or_default().to_owned());
        let mut due = Due::default();
        for source_id in ["a-1", "a-2", "a-3", "a-4", "b-1"] {
            due.set(source_id, at(1));
        }
        let taken: Vec<String> = std::iter::from_fn(|| due.take(at(1), host_of)).collect();
        assert_eq!(taken, ["a-1", "a-2", "b-1"]);
        due.end("a-2", Some(at(60)));
        assert_eq!(due.take(at(1), host_of).as_deref(), Some("a-3"));
        assert_eq!(due.take(at(1), host_of), None);
        due.end("a-1", None);
        due.end("a-3", None);
        assert_eq!(due.take(at(1), host_of).as_deref(), Some("a-4"));
        due.end("a-4", None);
        due.end("b-1", None);
        assert!(due.hosts.is_empty(), "what is done is forgotten");
        assert_eq!(due.next(), Some(at(60)));
    }

    /// The host of `a-1` is `a`.
    fn by_letter(source_id: &str) -> Option<String> {
        source_id.split('-').next().map(str::to_owned)
    }

    /// Due times of a node among others, of these sources at the first minute.
    fn shared(source_ids: &[&str]) -> (Arc<Leases>, Due) {
        let leases = Leases::new();
        let mut due = Due::sharing(Some(Arc::clone(&leases)));
        for source_id in source_ids {
            due.set(source_id, at(1));
        }
        (leases, due)
    }

    #[test]
    fn among_several_nodes_a_host_is_polled_once_its_lease_has_come() {
        let (leases, mut due) = shared(&["a-1", "a-2", "a-3", "b-1"]);
        assert_eq!(due.take(at(1), by_letter), None);
        let wanted = due.wanted(8);
        assert_eq!((wanted.as_slice(), due.waiting_for(&wanted, 9).len()), (&["a".to_owned(), "b".to_owned()][..], 4));
        leases.grant(&["a"]);
        due.open(&wanted);
        let taken: Vec<String> = std::iter::from_fn(|| due.take(at(1), by_letter)).collect();
        assert_eq!(taken, ["a-1", "a-2"]);
        assert_eq!(due.wanted(8), ["b"]);
        due.end("a-1", None);
        due.end("a-2", None);
        assert_eq!(due.take(at(1), by_letter).as_deref(), Some("a-3"));
        due.end("a-3", None);
        assert!(leases.is_round_wanted(), "the lease is given back once nothing is left to poll");
    }

    #[test]
    fn what_another_node_has_polled_is_not_polled_here() {
        let (leases, mut due) = shared(&["a-1", "a-2"]);
        assert_eq!(due.take(at(1), by_letter), None);
        due.note("a-1", "a", Some(at(60)));
        due.note("a-2", "a", None);
        leases.grant(&["a"]);
        due.open(&["a".to_owned()]);
        assert_eq!(due.take(at(2), by_letter), None);
        assert_eq!((due.next(), due.is_waiting()), (Some(at(60)), false));
    }

    #[test]
    fn hosts_that_this_node_cannot_ask_are_left_to_others() {
        let (leases, mut due) = shared(&["a-1", "b-1"]);
        assert_eq!(due.take(at(1), by_letter), None);
        leases.grant(&["a", "b"]);
        due.open(&["a".to_owned(), "b".to_owned()]);
        assert_eq!(due.take(at(1), by_letter).as_deref(), Some("a-1"));
        assert!(!leases.is_idle("b"));
        due.close();
        assert!(leases.is_idle("b") && !leases.is_idle("a"));
        assert_eq!(due.wanted(8), ["b"]);
    }

    #[test]
    fn a_host_whose_lease_was_lost_waits_for_it_again() {
        let (leases, mut due) = shared(&["a-1", "a-2", "a-3"]);
        due.take(at(1), by_letter);
        leases.grant(&["a"]);
        due.open(&["a".to_owned()]);
        due.take(at(1), by_letter).unwrap();
        leases.doubt();
        assert_eq!(due.take(at(1), by_letter), None);
        due.end("a-1", None);
        assert_eq!(due.take(at(1), by_letter), None);
        assert_eq!(due.wanted(8), ["a"]);
        leases.grant(&["a"]);
        due.open(&["a".to_owned()]);
        let taken: Vec<String> = std::iter::from_fn(|| due.take(at(1), by_letter)).collect();
        assert_eq!(taken, ["a-2", "a-3"]);
    }

    #[test]
    fn sources_come_in_the_order_of_their_due_times() {
        let mut due = Due::default();
        due.set("late", at(2));
        due.set("early", at(1));
        assert_eq!(due.next(), Some(at(1)));
        assert_eq!(due.take(at(0), apart), None);
        assert_eq!(due.take(at(5), apart).as_deref(), Some("early"));
        assert_eq!(due.take(at(5), apart).as_deref(), Some("late"));
    }

    #[test]
    fn only_the_last_due_time_of_a_source_counts() {
        let mut due = Due::default();
        due.set("a", at(1));
        due.set("a", at(3));
        assert_eq!(due.take(at(2), apart), None);
        assert_eq!(due.take(at(3), apart).as_deref(), Some("a"));
        assert_eq!(due.take(at(9), apart), None);
    }

    #[test]
    fn a_source_that_is_being_polled_is_not_taken_again() {
        let mut due = Due::default();
        due.set("a", at(1));
        due.take(at(1), apart);
        due.set("a", at(1));
        assert_eq!(due.take(at(2), apart), None);
        due.end("a", Some(at(3)));
        assert_eq!(due.take(at(3), apart).as_deref(), Some("a"));
    }

    #[test]
    fn a_source_that_ended_for_good_does_not_come_again() {
        let mut due = Due::default();
        due.set("a", at(1));
        due.take(at(1), apart);
        due.end("a", None);
        assert_eq!(due.next(), None);
    }

    /// The seconds after which sources come that were all late.
    fn seconds(sources: usize) -> Vec<i64> {
        let mut due = Due::default();
        (0..sources).for_each(|number| due.set(&format!("s{number}"), at(0)));
        due.spread(at(600));
        let mut seconds = Vec::new();
        while let Some(next) = due.next() {
            seconds.push((next - at(600)).num_seconds());
            due.take(next, apart).unwrap();
        }
        seconds
    }

    #[test]
    fn what_is_late_is_spread_and_all_of_it_comes_within_five_minutes() {
        for sources in [1, 20, 500, 5000] {
            let seconds = seconds(sources);
            assert_eq!(seconds.len(), sources);
            assert!(seconds.iter().all(|second| (0..=300).contains(second)));
            let most = (0..=300).map(|second| seconds.iter().filter(|at| **at == second).count()).max().unwrap();
            assert!(most <= 12.max(sources / 150), "{most} of {sources} in one second");
        }
        assert!(seconds(20).iter().all(|second| *second <= 5), "few do not wait long");
    }

    #[test]
    fn what_is_not_late_stays_and_what_waits_for_its_host_is_spread_too() {
        let mut due = Due::default();
        for source_id in ["a-1", "a-2", "a-3"] {
            due.set(source_id, at(1));
        }
        due.set("b-1", at(60));
        let host_of = |source_id: &str| source_id.split('-').next().map(str::to_owned);
        let taken: Vec<String> = std::iter::from_fn(|| due.take(at(2), host_of)).collect();
        assert_eq!(taken.len(), 2);
        due.spread(at(2));
        for source_id in taken {
            due.end(&source_id, None);
        }
        assert!(due.next().unwrap() < at(3));
        assert!(due.take(at(3), host_of).unwrap().starts_with('a'));
        assert_eq!(due.next(), Some(at(60)));
    }
}
