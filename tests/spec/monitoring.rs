//! The dashboard and the alert rules that ship, held against the metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use veille::metrics::{Metrics, SourceFigures};
use veille::serve::NodeTold;

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring").join(file)).unwrap()
}

/// The name of each series that veille exports, with the labels that one of them may have.
fn exported() -> BTreeMap<String, BTreeSet<String>> {
    let metrics = Metrics::default();
    let source = SourceFigures {
        id: "agence".to_owned(),
        last_success: chrono::DateTime::from_timestamp(0, 0),
        ..SourceFigures::default()
    };
    let node = NodeTold {
        name: "a".to_owned(),
        is_alive: true,
        silent_seconds: 0,
        version: "1".to_owned(),
        follows_rules: true,
        is_current: true,
        hosts: 1,
        has_jobs: true,
        lag_seconds: 0,
        reasons: Vec::new(),
    };
    metrics.polled("read", 1, 1);
    metrics.published(std::time::Duration::from_millis(10), &[("ecole".to_owned(), 7)]);
    metrics.answered(200);
    metrics.sources(vec![source]);
    metrics.standings(&[("ok", 1)].into());
    metrics.health(&["network"], true);
    metrics.free("store", 8192);
    metrics.nodes(&[node]);
    metrics.posts([("post", 1, 1, true)].into_iter());
    metrics.store_failed();
    let label = Regex::new(r#"(\w+)=""#).unwrap();
    let mut series: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in metrics.text().lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
        series.entry(name.to_owned()).or_default().extend(label.captures_iter(rest).map(|found| found[1].to_owned()));
    }
    series
}

/// Checks that a file names only series that are exported, and selects only by labels that they have.
#[track_caller]
fn check(file: &str) {
    let text = read(file).replace(r#"\""#, r#"""#);
    let exported = exported();
    let series = Regex::new(r"\b(veille_[a-z_]+)(?:\{([^}]*)\})?").unwrap();
    let label = Regex::new(r"(\w+) ?[=!]~?").unwrap();
    let mut count = 0;
    for found in series.captures_iter(&text) {
        let labels = exported.get(&found[1]).unwrap_or_else(|| panic!("{file}: nothing exports {}", &found[1]));
        for label in label.captures_iter(found.get(2).map_or("", |labels| labels.as_str())) {
            // Prometheus adds these two.
            let is_known = labels.contains(&label[1]) || ["instance", "job"].contains(&&label[1]);
            assert!(is_known, "{file}: {} has no label {}", &found[1], &label[1]);
        }
        count += 1;
    }
    assert!(count > 10, "{file}: {count} series");
}

#[test]
fn alert_rules_ask_for_metrics_that_are_exported() {
    check("alerts.yml");
}

#[test]
fn the_dashboard_asks_for_metrics_that_are_exported() {
    check("grafana.json");
}

#[test]
fn each_panel_of_the_dashboard_has_its_place_and_a_question() {
    let dashboard: Value = serde_json::from_str(&read("grafana.json")).unwrap();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let (x, width) = (panel["gridPos"]["x"].as_u64().unwrap(), panel["gridPos"]["w"].as_u64().unwrap());
        assert!(x + width <= 24, "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && targets.iter().all(|target| target["expr"].is_string()), "{panel}");
    }
    assert!(ids.len() > 10);
}

#[test]
fn each_alert_has_its_trial() {
    let name = Regex::new(r"alert: (\w+)").unwrap();
    let rules = read("alerts.yml");
    let trials = read("alerts_test.yml");
    let names: Vec<&str> = name.captures_iter(&rules).map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(trials.contains(&format!("alertname=\"{name}\"")), "{name}");
    }
}
