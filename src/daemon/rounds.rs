//! A round of polls in one line of the log: sums, and the topics that gained.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::config::Config;
use crate::pipeline::{Context, Outcome};
use crate::store::StoreError;
use crate::text::count;

/// A round that does not end, since there is always a source that is due, is told so often.
const ROUND_MAX: Duration = Duration::from_mins(10);

/// A round with fewer failures is no warning, whatever their share: each of them is one.
const FAILURES_MIN: usize = 3;

/// Polls that were not told yet.
#[derive(Debug, Clone, Default)]
pub(super) struct PolledRound {
    polled: usize,
    failed: usize,
    new: usize,
    changed: usize,
    began: Option<Instant>,
    /// From the end of its first poll to that of its last.
    duration: Duration,
}

impl PolledRound {
    /// Counts a poll.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::NotDue | Outcome::HostPostponed | Outcome::NoMemory => return,
            Outcome::Unchanged => {}
            Outcome::Read(counts) => {
                self.new += counts.new;
                self.changed += counts.changed;
            }
            Outcome::Failed(_) => self.failed += 1,
        }
        self.polled += 1;
        self.duration = self.began.get_or_insert_with(Instant::now).elapsed();
    }

    /// Whether there is something to tell; while polls are under way, or due soon, only after a long time.
    pub(super) fn is_to_be_told(&self, is_under_way: bool) -> bool {
        self.began.is_some_and(|began| !is_under_way || began.elapsed() >= ROUND_MAX)
    }

    /// Whether so many polls failed that somebody should know.
    pub(super) fn is_bad(&self) -> bool {
        self.failed >= FAILURES_MIN && self.failed * 2 > self.polled
    }

    /// Says it for people: `88 feeds polled: 12 new entries; 2 failed; numérique éducatif +3`.
    fn for_people(&self, config: &Config, topics: &[(String, usize)]) -> String {
        let mut text = format!("{} polled", count(self.polled, "feed"));
        text += &match (self.new, self.changed) {
            (0, 0) => ": nothing new".to_owned(),
            (new, 0) => format!(": {}", count(new, "new entry")),
            (new, changed) => format!(": {}, {changed} changed", count(new, "new entry")),
        };
        // Writing to a String cannot fail.
        if self.failed > 0 {
            let _ = write!(text, "; {} failed", self.failed);
        }
        let title = |id: &String| config.topics.iter().find(|topic| topic.id == *id).map(|topic| topic.title.as_str());
        let gains: Vec<String> =
            topics.iter().filter_map(|(id, number)| Some(format!("{} +{number}", title(id)?))).collect();
        if !gains.is_empty() {
            let _ = write!(text, "; {}", gains.join(", "));
        }
        text
    }
}

/// Tells a round, with the topics that gained by entries after `last`; returns the last entry that ever came.
///
/// Without `last` nothing is told: this is the first look. `is_warning`: it is worse than those before.
pub(super) async fn tell_round(
    context: Arc<Context>,
    round: PolledRound,
    last: Option<i64>,
    is_warning: bool,
) -> Result<i64, StoreError> {
    let arrivals = context.store.call(move |store| store.arrivals(last.unwrap_or(i64::MAX))).await?;
    if last.is_some() {
        let PolledRound { polled, failed, new, changed, duration, .. } = &round;
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let told = round.for_people(&context.config, &arrivals.topics);
        if is_warning {
            let told = format!("{told}; `veille feeds` tells why");
            warn!(polled, failed, entries.new = new, entries.changed = changed, duration_ms, "{told}");
        } else {
            info!(polled, failed, entries.new = new, entries.changed = changed, duration_ms, "{told}");
        }
    }
    Ok(arrivals.last)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;
    use crate::pipeline::Counts;
    use crate::state::PollFailure;

    /// Checks how a round with these outcomes is told, that brought so many entries to the topic `ecole`.
    #[track_caller]
    fn check(outcomes: &[Outcome], in_topic: usize, expected: &str) {
        let text = "[[topic]]\nid = \"ecole\"\ntitle = \"École\"\nany = [\"école\"]\n";
        let config = config::parse(text, Path::new("config.toml")).unwrap();
        let mut round = PolledRound::default();
        for outcome in outcomes {
            round.add(outcome);
        }
        let topics = [("ecole".to_owned(), in_topic), ("left-the-config".to_owned(), 1)];
        let topics = if in_topic == 0 { &[][..] } else { &topics };
        assert_eq!(round.for_people(&config, topics), expected);
    }

    fn read(new: usize, changed: usize) -> Outcome {
        Outcome::Read(Counts { new, changed })
    }

    fn failed() -> Outcome {
        let since = crate::feed::Timestamp::UNIX_EPOCH;
        Outcome::Failed(PollFailure { code: "dns".into(), message: String::new(), since })
    }

    #[test]
    fn a_round_is_one_line_with_sums_and_topics() {
        check(&[read(3, 0), read(1, 2), failed()], 2, "3 feeds polled: 4 new entries, 2 changed; 1 failed; École +2");
        check(&[read(1, 0)], 0, "1 feed polled: 1 new entry");
        check(&[Outcome::Unchanged, Outcome::NotDue], 0, "1 feed polled: nothing new");
    }

    #[test]
    fn a_round_is_bad_if_more_than_half_of_it_fails() {
        let is_bad = |failures: usize, others: usize| {
            let mut round = PolledRound::default();
            (0..failures).for_each(|_| round.add(&failed()));
            (0..others).for_each(|_| round.add(&Outcome::Unchanged));
            round.is_bad()
        };
        assert!(is_bad(3, 2) && !is_bad(3, 3));
        assert!(!is_bad(2, 0), "each of two is told by itself");
    }

    #[test]
    fn a_round_is_told_when_it_is_over() {
        let mut round = PolledRound::default();
        assert!(!round.is_to_be_told(false), "nothing was polled");
        round.add(&Outcome::Unchanged);
        assert!(!round.is_to_be_told(true));
        assert!(round.is_to_be_told(false));
    }
}
