//! What the daemon counts, in the text format of Prometheus (`OpenMetrics` 1.0). The home of `prometheus_client`.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Labels of one name.
type By = [(&'static str, String); 1];

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    polls: Family<By, Counter>,
    entries: Family<By, Counter>,
    stories: Family<By, Gauge>,
    publications: Histogram,
    answers: Family<[(&'static str, u16); 1], Counter>,
    store: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("veille"),
            polls: Family::default(),
            entries: Family::default(),
            stories: Family::default(),
            publications: Histogram::new(exponential_buckets(0.005, 4.0, 8)),
            answers: Family::default(),
            store: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("polls", "Polls by outcome", metrics.polls.clone());
        registry.register("entries", "Entries that polls brought", metrics.entries.clone());
        registry.register("stories", "Stories in the main document of a topic", metrics.stories.clone());
        registry.register_with_unit("publish", "Time to publish", Unit::Seconds, metrics.publications.clone());
        registry.register("http_answers", "HTTP answers by status", metrics.answers.clone());
        registry.register_with_unit("store", "Size of the store", Unit::Bytes, metrics.store.clone());
        metrics
    }
}

impl Metrics {
    /// Counts a poll, and the entries that it brought.
    pub fn polled(&self, outcome: &'static str, new: usize, changed: usize) {
        self.polls.get_or_create(&[("outcome", outcome.to_owned())]).inc();
        for (what, count) in [("new", new), ("changed", changed)] {
            self.entries.get_or_create(&[("what", what.to_owned())]).inc_by(u64::try_from(count).unwrap_or(0));
        }
    }

    /// Notes a publication, and how many stories each topic shows.
    pub fn published(&self, took: Duration, stories: &[(String, usize)]) {
        self.publications.observe(took.as_secs_f64());
        // A topic that was removed must not stay.
        self.stories.clear();
        for (topic, count) in stories {
            self.stories.get_or_create(&[("topic", topic.clone())]).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }

    /// Counts an HTTP answer.
    pub fn answered(&self, status: u16) {
        self.answers.get_or_create(&[("status", status)]).inc();
    }

    /// Notes the size of the store.
    pub fn store(&self, bytes: u64) {
        self.store.set(bytes as f64);
    }

    /// Writes everything.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_counted_by_what_it_is() {
        let metrics = Metrics::default();
        metrics.polled("read", 2, 0);
        metrics.polled("failed", 0, 0);
        metrics.published(Duration::from_millis(10), &[("old".into(), 1)]);
        metrics.published(Duration::from_millis(10), &[("ecole".into(), 7)]);
        metrics.answered(304);
        metrics.store(4096);
        let text = metrics.text();
        for line in [
            "veille_polls_total{outcome=\"read\"} 1",
            "veille_polls_total{outcome=\"failed\"} 1",
            "veille_entries_total{what=\"new\"} 2",
            "veille_stories{topic=\"ecole\"} 7",
            "veille_publish_seconds_count 2",
            "veille_http_answers_total{status=\"304\"} 1",
            "veille_store_bytes 4096",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("topic=\"old\""));
    }
}
