//! Which source is due when: a heap of due times, not a task a source.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use crate::feed::Timestamp;

/// The due times of all sources.
///
/// A source is either waiting here or being polled, never both: so it is never polled twice at once.
#[derive(Debug, Default)]
pub(super) struct Due {
    heap: BinaryHeap<Reverse<(Timestamp, String)>>,
    /// The only due time of a source that counts; what else the heap holds of it is out of date.
    times: HashMap<String, Timestamp>,
    polling: HashSet<String>,
}

impl Due {
    /// Makes a source due at `at`, unless it is being polled: then its poll's end says when.
    pub(super) fn set(&mut self, source_id: &str, at: Timestamp) {
        if !self.polling.contains(source_id) {
            self.times.insert(source_id.to_owned(), at);
            self.heap.push(Reverse((at, source_id.to_owned())));
        }
    }

    /// When the next source is due.
    pub(super) fn next(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, source_id))) = self.heap.peek() {
            if self.times.get(source_id) == Some(at) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes a source that is due at `now`; it is being polled until [`Due::end`].
    pub(super) fn take(&mut self, now: Timestamp) -> Option<String> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, source_id)) = self.heap.pop()?;
        self.times.remove(&source_id);
        self.polling.insert(source_id.clone());
        Some(source_id)
    }

    /// Ends the poll of a source, which is due again at `next`, or never.
    pub(super) fn end(&mut self, source_id: &str, next: Option<Timestamp>) {
        self.polling.remove(source_id);
        if let Some(at) = next {
            self.set(source_id, at);
        }
    }

    /// Forgets all sources that wait; those being polled stay.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.times.clear();
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone, Utc};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
    }

    #[test]
    fn sources_come_in_the_order_of_their_due_times() {
        let mut due = Due::default();
        due.set("late", at(2));
        due.set("early", at(1));
        assert_eq!(due.next(), Some(at(1)));
        assert_eq!(due.take(at(0)), None);
        assert_eq!(due.take(at(5)).as_deref(), Some("early"));
        assert_eq!(due.take(at(5)).as_deref(), Some("late"));
    }

    #[test]
    fn only_the_last_due_time_of_a_source_counts() {
        let mut due = Due::default();
        due.set("a", at(1));
        due.set("a", at(3));
        assert_eq!(due.take(at(2)), None);
        assert_eq!(due.take(at(3)).as_deref(), Some("a"));
        assert_eq!(due.take(at(9)), None);
    }

    #[test]
    fn a_source_that_is_being_polled_is_not_taken_again() {
        let mut due = Due::default();
        due.set("a", at(1));
        due.take(at(1));
        due.set("a", at(1));
        assert_eq!(due.take(at(2)), None);
        due.end("a", Some(at(3)));
        assert_eq!(due.take(at(3)).as_deref(), Some("a"));
    }

    #[test]
    fn a_source_that_ended_for_good_does_not_come_again() {
        let mut due = Due::default();
        due.set("a", at(1));
        due.take(at(1));
        due.end("a", None);
        assert_eq!(due.next(), None);
    }
}
