//! The daemon's metrics, in the text format of Prometheus (`OpenMetrics` 1.0). The home of `prometheus_client`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::feed::Timestamp;
use crate::serve::NodeTold;

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
    search: Gauge<f64, AtomicU64>,
    search_stories: Gauge,
    store: Gauge<f64, AtomicU64>,
    store_errors: Counter,
    standings: Family<By, Gauge>,
    sources: Arc<SourceGauges>,
    outages: Family<By, Gauge>,
    posted: Family<By, Counter>,
    waiting: Family<By, Gauge>,
    post_trouble: Family<By, Gauge>,
    degraded: Gauge,
    lag: Gauge,
    free: Family<By, Gauge<f64, AtomicU64>>,
    nodes: Family<By, Gauge>,
    node_hosts: Family<By, Gauge>,
    node_lags: Family<By, Gauge>,
    node_dissents: Family<By, Gauge>,
    node_delays: Family<By, Gauge>,
    memory: Gauge<f64, AtomicU64>,
}

/// The figures of one source. There are as many as the config has sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFigures {
    /// Its id.
    pub id: String,
    /// Failed polls in a row.
    pub failures: u32,
    /// When it last answered with a feed or "not modified".
    pub last_success: Option<Timestamp>,
    /// Entries that are kept of it.
    pub entries: u64,
    /// Number of them that are in topics.
    pub topic_entries: u64,
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
            search: Gauge::default(),
            search_stories: Gauge::default(),
            store: Gauge::default(),
            store_errors: Counter::default(),
            standings: Family::default(),
            sources: Arc::default(),
            outages: Family::default(),
            posted: Family::default(),
            waiting: Family::default(),
            post_trouble: Family::default(),
            degraded: Gauge::default(),
            lag: Gauge::default(),
            free: Family::default(),
            nodes: Family::default(),
            node_hosts: Family::default(),
            node_lags: Family::default(),
            node_dissents: Family::default(),
            node_delays: Family::default(),
            memory: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("polls", "Polls by outcome", metrics.polls.clone());
        registry.register("entries", "Entries that polls brought", metrics.entries.clone());
        registry.register("stories", "Stories in the main document of a topic", metrics.stories.clone());
        registry.register_with_unit("publish", "Time to publish", Unit::Seconds, metrics.publications.clone());
        registry.register("http_answers", "HTTP answers by status", metrics.answers.clone());
        let help = "Memory of the search";
        registry.register_with_unit("search", help, Unit::Bytes, metrics.search.clone());
        registry.register("search_stories", "Stories that can be searched", metrics.search_stories.clone());
        registry.register_with_unit("store", "Size of the store", Unit::Bytes, metrics.store.clone());
        registry.register("store_errors", "Calls of the store that failed", metrics.store_errors.clone());
        registry.register("sources", "Sources of the config by state", metrics.standings.clone());
        registry.register_collector(Box::new(Arc::clone(&metrics.sources)));
        registry.register("posted", "Messages that the target of a post took", metrics.posted.clone());
        registry.register("post_waiting", "Stories that wait in a post", metrics.waiting.clone());
        registry.register("post_trouble", "1 if the target of a post takes no messages", metrics.post_trouble.clone());
        registry.register("outage", "1 for each thing that this machine lacks", metrics.outages.clone());
        registry.register("degraded", "1 if /healthz has reasons", metrics.degraded.clone());
        let help = "How late the poll is that has been due for longest";
        registry.register_with_unit("schedule_lag", help, Unit::Seconds, metrics.lag.clone());
        registry.register_with_unit("disk_free", "Room on a disk", Unit::Bytes, metrics.free.clone());
        registry.register(
            "node_up",
            "1 for each node that gave a sign of life lately, 0 for others",
            metrics.nodes.clone(),
        );
        registry.register("node_hosts", "Hosts that a node holds", metrics.node_hosts.clone());
        let help = "How late the poll of a node is that has been due for longest";
        registry.register_with_unit("node_schedule_lag", help, Unit::Seconds, metrics.node_lags.clone());
        registry.register(
            "node_other_rules",
            "1 for a node with rules that are not followed",
            metrics.node_dissents.clone(),
        );
        registry.register("node_behind", "1 for a node that does not serve the latest", metrics.node_delays.clone());
        registry.register_with_unit("memory_resident", "Memory of the process", Unit::Bytes, metrics.memory.clone());
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

    /// Notes the stories that can be searched, and the bytes that they take.
    pub fn search(&self, (stories, bytes): (usize, usize)) {
        self.search_stories.set(i64::try_from(stories).unwrap_or(i64::MAX));
        self.search.set(bytes as f64);
    }

    /// Counts an HTTP answer.
    pub fn answered(&self, status: u16) {
        self.answers.get_or_create(&[("status", status)]).inc();
    }

    /// Notes the size of the store.
    pub fn store(&self, bytes: u64) {
        self.store.set(bytes as f64);
    }

    /// Counts a call of the store that failed.
    pub fn store_failed(&self) {
        self.store_errors.inc();
    }

    /// Notes how many sources stand how.
    pub fn standings(&self, standings: &BTreeMap<&'static str, usize>) {
        for (standing, count) in standings {
            self.standings.get_or_create(&[("state", (*standing).to_owned())]).set(whole(*count));
        }
    }

    /// Notes how each source is. Those that are not among `sources` are told no more.
    pub fn sources(&self, sources: Vec<SourceFigures>) {
        *self.sources.0.lock().unwrap_or_else(PoisonError::into_inner) = sources;
    }

    /// Notes the things that this machine lacks, and whether anything is wrong.
    pub fn health(&self, lacks: &[&'static str], is_degraded: bool) {
        self.outages.clear();
        for lack in lacks {
            self.outages.get_or_create(&[("lack", (*lack).to_owned())]).set(1);
        }
        self.degraded.set(i64::from(is_degraded));
    }

    /// Notes what came of posts, each with what was sent, what waits, and whether its target takes messages.
    pub fn posts<'p>(&self, posts: impl Iterator<Item = (&'p str, usize, usize, bool)>) {
        self.waiting.clear();
        self.post_trouble.clear();
        for (post, sent, waiting, is_in_trouble) in posts {
            let by = [("post", post.to_owned())];
            self.posted.get_or_create(&by).inc_by(sent as u64);
            self.waiting.get_or_create(&by).set(whole(waiting));
            self.post_trouble.get_or_create(&by).set(i64::from(is_in_trouble));
        }
    }

    /// Notes how late the poll is that has been due for longest.
    pub fn lag(&self, seconds: u64) {
        self.lag.set(whole(seconds));
    }

    /// Notes the room on the disk of the store or of the published files.
    pub fn free(&self, of: &'static str, bytes: u64) {
        self.free.get_or_create(&[("of", of.to_owned())]).set(bytes as f64);
    }

    /// Notes how the nodes are that share the store.
    pub fn nodes(&self, nodes: &[NodeTold]) {
        for family in [&self.nodes, &self.node_hosts, &self.node_lags, &self.node_dissents, &self.node_delays] {
            family.clear();
        }
        // One that is there again after a crash has the name of the one that is gone.
        let gone_first = nodes.iter().filter(|node| !node.is_alive).chain(nodes.iter().filter(|node| node.is_alive));
        for node in gone_first {
            let by = [("node", node.name.clone())];
            self.nodes.get_or_create(&by).set(i64::from(node.is_alive));
            if node.is_alive {
                self.node_hosts.get_or_create(&by).set(whole(node.hosts));
                self.node_lags.get_or_create(&by).set(whole(node.lag_seconds));
                self.node_dissents.get_or_create(&by).set(i64::from(!node.follows_rules));
                self.node_delays.get_or_create(&by).set(i64::from(!node.is_current));
            }
        }
    }

    /// Writes everything.
    #[must_use]
    pub fn text(&self) -> String {
        if let Some(bytes) = resident() {
            self.memory.set(bytes as f64);
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The figures of all sources. Their metrics are made at each scrape: kept, they would take several times as much room.
#[derive(Debug, Default)]
struct SourceGauges(Mutex<Vec<SourceFigures>>);

impl Collector for SourceGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gauge = |name, help, unit, of: &dyn Fn(&SourceFigures) -> Option<i64>| {
            let kind = ConstGauge::new(0_i64).metric_type();
            let mut gauge = encoder.encode_descriptor(name, help, unit, kind)?;
            for source in sources.iter() {
                if let Some(value) = of(source) {
                    ConstGauge::new(value).encode(gauge.encode_family(&[("source", source.id.as_str())])?)?;
                }
            }
            Ok(())
        };
        gauge("source_failures", "Failed polls in a row of a source", None, &|source| Some(source.failures.into()))?;
        let help = "When a source last answered with a feed or without change";
        gauge("source_last_success_timestamp", help, Some(&Unit::Seconds), &|source| {
            source.last_success.map(|at| at.timestamp())
        })?;
        let help = "Entries that are kept of a source";
        gauge("source_entries", help, None, &|source| Some(whole(source.entries)))?;
        let help = "Entries of a source in topics";
        gauge("source_topic_entries", help, None, &|source| Some(whole(source.topic_entries)))
    }
}

fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Reads the memory of this process (`VmRSS` of `/proc/self/status`), in bytes; none where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
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

    #[test]
    fn a_source_is_told_as_long_as_the_config_has_it() {
        let metrics = Metrics::default();
        let source = |id: &str| SourceFigures {
            id: id.to_owned(),
            failures: 2,
            last_success: Timestamp::from_timestamp(1_700_000_000, 0),
            entries: 40,
            topic_entries: 7,
        };
        metrics.sources(vec![source("old"), source("agence")]);
        metrics.sources(vec![source("agence")]);
        metrics.standings(&[("ok", 0), ("failing", 1)].into());
        metrics.health(&["network"], true);
        metrics.lag(90);
        metrics.free("store", 8192);
        metrics.store_failed();
        let text = metrics.text();
        for line in [
            "veille_sources{state=\"failing\"} 1",
            "veille_sources{state=\"ok\"} 0",
            "veille_source_failures{source=\"agence\"} 2",
            "veille_source_last_success_timestamp_seconds{source=\"agence\"} 1700000000",
            "veille_source_entries{source=\"agence\"} 40",
            "veille_source_topic_entries{source=\"agence\"} 7",
            "veille_outage{lack=\"network\"} 1",
            "veille_degraded 1",
            "veille_schedule_lag_seconds 90",
            "veille_disk_free_bytes{of=\"store\"} 8192",
            "veille_store_errors_total 1",
            "veille_memory_resident_bytes ",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("source=\"old\""), "{text}");
    }
}
