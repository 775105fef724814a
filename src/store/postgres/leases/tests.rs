//! Leases on a real server: `tests/postgres.sh` runs them.

use std::sync::atomic::{AtomicU32, Ordering};

use super::super::{Address, Postgres};
use super::*;
use crate::config::Secret;
use crate::state::SourceState;
use crate::store::{Applied, Change, Store};

/// Nodes of a store of their own.
struct Nodes {
    address: Address,
    stores: Vec<(String, Postgres)>,
}

const PATIENCE: Duration = Duration::from_secs(5);

fn address(options: &str) -> Address {
    let server = std::env::var("VEILLE_TEST_POSTGRES").expect("tests/postgres.sh names the server");
    Address { url: Secret::Text(format!("{server} {options}")), password: None }
}

impl Nodes {
    fn new(names: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("leases_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut session = Session::connect(&address(""), PATIENCE).unwrap();
        session.simple(&format!("CREATE SCHEMA {schema}")).unwrap();
        let address = address(&format!("options='-c search_path={schema}'"));
        let open = |name: &&str| ((*name).to_owned(), Postgres::open_within(&address, PATIENCE).unwrap());
        let stores = names.iter().map(open).collect();
        Self { address, stores }
    }

    fn store(&mut self, node: &str) -> &mut Postgres {
        &mut self.stores.iter_mut().find(|(name, _)| name == node).unwrap().1
    }

    /// Runs a statement on the server.
    fn script(&mut self, sql: &str) {
        Session::connect(&self.address, PATIENCE).unwrap().simple(sql).unwrap();
    }

    fn round(&mut self, node: &str, request: LeaseRequest) -> LeaseAnswer {
        let sign = NodeSign { id: node.into(), name: node.into(), rules: "rules".into(), ..NodeSign::default() };
        let node_sign = if request.node.id.is_empty() { sign } else { request.node.clone() };
        self.store(node).lease(&LeaseRequest { node: node_sign, ..request }).unwrap()
    }

    /// Asks for leases and returns those that were given.
    fn ask(&mut self, node: &str, wanted: &[&str], most: usize) -> Vec<Hold> {
        let granted = self.round(node, LeaseRequest { most, ..wish(wanted) }).granted;
        granted.into_iter().map(|granted| granted.hold).collect()
    }
}

fn wish(wanted: &[&str]) -> LeaseRequest {
    let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    LeaseRequest { most: wanted.len(), wanted, gap: Duration::from_secs(2), ..LeaseRequest::default() }
}

fn names(holds: &[Hold]) -> Vec<&str> {
    let mut names: Vec<&str> = holds.iter().map(|hold| hold.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_host_is_leased_to_one_node_and_the_most_urgent_first() {
    let mut nodes = Nodes::new(&["a", "b"]);
    let held = nodes.ask("a", &["z", "y", "x"], 2);
    assert_eq!(names(&held), ["y", "z"]);
    assert_eq!(names(&nodes.ask("b", &["z", "y", "x"], 2)), ["x"]);
    assert!(nodes.ask("b", &["z", "y", "x"], 2).is_empty());
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_lease_that_is_given_back_is_free_at_once_and_keeps_what_is_left_of_its_gap() {
    let mut nodes = Nodes::new(&["a", "b"]);
    let held = nodes.ask("a", &["x"], 1).remove(0);
    nodes.round("a", LeaseRequest { returned: vec![(held.clone(), Duration::from_secs(30))], ..wish(&[]) });
    let granted = nodes.round("b", wish(&["x"])).granted.remove(0);
    assert!(granted.hold.fence > held.fence);
    assert!((28_000..=30_000).contains(&granted.free_in.as_millis()), "{:?}", granted.free_in);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_lease_that_ran_out_is_taken_over_after_its_gap_and_its_holder_can_do_nothing_more_with_it() {
    let mut nodes = Nodes::new(&["a", "b"]);
    let held = nodes.ask("a", &["x"], 1);
    assert_eq!(nodes.round("a", LeaseRequest { kept: held.clone(), ..wish(&[]) }).renewed, held);
    nodes.script("UPDATE lease SET until = until - 60001");
    let granted = nodes.round("b", wish(&["x"])).granted.remove(0);
    assert!((1_500..=2_000).contains(&granted.free_in.as_millis()), "{:?}", granted.free_in);
    let late = LeaseRequest { kept: held.clone(), returned: vec![(held[0].clone(), Duration::ZERO)], ..wish(&["x"]) };
    let answer = nodes.round("a", late);
    assert_eq!((answer.renewed, answer.granted), (Vec::new(), Vec::new()));
    let kept = vec![granted.hold];
    assert_eq!(nodes.round("b", LeaseRequest { kept: kept.clone(), ..wish(&[]) }).renewed, kept);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_lease_that_ran_out_and_that_nobody_took_is_renewed() {
    let mut nodes = Nodes::new(&["a"]);
    let held = nodes.ask("a", &["x"], 1);
    nodes.script("UPDATE lease SET until = until - 100000");
    assert_eq!(nodes.round("a", LeaseRequest { kept: held.clone(), ..wish(&[]) }).renewed, held);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_holder_hears_that_another_node_waits() {
    let mut nodes = Nodes::new(&["a", "b"]);
    let held = nodes.ask("a", &["x", "y"], 2);
    let urgent = vec!["x".to_owned()];
    nodes.round("b", LeaseRequest { urgent, ..wish(&["x"]) });
    assert_eq!(nodes.round("a", LeaseRequest { kept: held, ..wish(&[]) }).awaited, ["x"]);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_throttled_host_is_leased_with_the_end_of_its_wait() {
    let mut nodes = Nodes::new(&["a"]);
    nodes.script("INSERT INTO throttle VALUES ('x', 4000000000), ('y', 1000000000)");
    let mut granted = nodes.round("a", wish(&["x", "y"])).granted;
    granted.sort_by(|one, other| one.hold.name.cmp(&other.hold.name));
    let until: Vec<_> = granted.iter().map(|granted| granted.throttled_until.map(|at| at.timestamp())).collect();
    assert_eq!(until, [Some(4_000_000_000), None]);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn nodes_are_listed_until_they_leave_and_one_that_comes_back_stands_for_the_one_that_is_gone() {
    let mut nodes = Nodes::new(&["a", "b", "c"]);
    for node in ["a", "b", "c"] {
        nodes.round(node, wish(if node == "b" { &[JOBS] } else { &[] }));
    }
    nodes.round("c", LeaseRequest { is_leaving: true, ..wish(&[]) });
    nodes.script("UPDATE node SET seen = seen - 95000 WHERE id = 'b'");
    let told = |nodes: &mut Nodes| -> Vec<(String, bool, bool)> {
        let listed = nodes.store("a").nodes().unwrap();
        listed.into_iter().map(|node| (node.sign.id.clone(), node.is_alive(), node.has_jobs)).collect()
    };
    assert_eq!(told(&mut nodes), [("a".to_owned(), true, false), ("b".to_owned(), false, true)]);
    let again = NodeSign { id: "b2".into(), name: "b".into(), ..NodeSign::default() };
    nodes.round("a", LeaseRequest { node: again, ..wish(&[]) });
    assert_eq!(told(&mut nodes), [("a".to_owned(), true, false), ("b2".to_owned(), true, false)]);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn rules_keep_their_place_through_a_crash_and_lose_it_once_they_were_given_up() {
    let mut nodes = Nodes::new(&["a"]);
    let since = |nodes: &mut Nodes, rules: &str| {
        let sign = NodeSign { id: rules.into(), name: rules.into(), rules: rules.into(), ..NodeSign::default() };
        let answer = nodes.round("a", LeaseRequest { node: sign, ..wish(&[]) });
        answer.nodes.into_iter().find(|node| node.sign.rules == rules).unwrap().rules_met
    };
    let old = since(&mut nodes, "old");
    assert!(since(&mut nodes, "new") > old);
    nodes.script("UPDATE met SET seen = seen - 120000");
    assert_eq!(since(&mut nodes, "old"), old);
    nodes.script("UPDATE met SET seen = seen - 3600001");
    assert!(since(&mut nodes, "old") > old);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn many_nodes_at_once_never_get_one_host_twice_nor_wait_for_each_other_for_ever() {
    let nodes = Nodes::new(&["a", "b", "c", "d"]);
    let hosts: Vec<String> = (0..40).map(|number| format!("h{number}")).collect();
    let owners = std::sync::Mutex::new(HashMap::<String, i64>::new());
    std::thread::scope(|scope| {
        for (place, (id, mut store)) in nodes.stores.into_iter().enumerate() {
            let (hosts, owners) = (&hosts, &owners);
            scope.spawn(move || {
                let mut held: Vec<Hold> = Vec::new();
                for turn in 0..60 {
                    let returned: Vec<(Hold, Duration)> =
                        held.drain(..held.len() / 2).map(|hold| (hold, Duration::ZERO)).collect();
                    for (hold, _) in &returned {
                        assert_eq!(owners.lock().unwrap().remove(&hold.name), Some(hold.fence));
                    }
                    let mut wanted = hosts.clone();
                    wanted.rotate_left((place * 7 + turn) % 40);
                    let sign = NodeSign { id: id.clone(), name: id.clone(), rules: "r".into(), ..NodeSign::default() };
                    let request = LeaseRequest {
                        node: sign,
                        wanted: wanted.clone(),
                        urgent: wanted,
                        most: 6,
                        kept: held.clone(),
                        returned,
                        ..LeaseRequest::default()
                    };
                    let answer = store.lease(&request).unwrap();
                    assert_eq!(answer.renewed.len(), held.len());
                    for granted in answer.granted {
                        let Hold { name, fence } = granted.hold.clone();
                        assert_eq!(owners.lock().unwrap().insert(name, fence), None, "two nodes have one host");
                        held.push(granted.hold);
                    }
                }
            });
        }
    });
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_write_under_a_lease_that_was_taken_over_changes_nothing() {
    let mut nodes = Nodes::new(&["a", "b"]);
    let held = nodes.ask("a", &["x"], 1).remove(0);
    let state = |id: &str| Change::Source(Box::new(SourceState { source_id: id.into(), ..SourceState::default() }));
    let in_time = [Change::Held(held.clone()), state("in time")];
    assert_eq!(nodes.store("a").apply(&in_time, None).unwrap(), Applied::Kept);
    nodes.script("UPDATE lease SET until = until - 60001");
    // Nobody has taken it yet, so nothing can have been overlooked.
    let late = [Change::Held(held.clone()), state("late")];
    assert_eq!(nodes.store("a").apply(&late, None).unwrap(), Applied::Kept);
    assert_eq!(nodes.ask("b", &["x"], 1).len(), 1);
    let too_late = [state("too late"), Change::Held(held)];
    let refused = nodes.store("a").apply(&too_late, None);
    assert!(matches!(refused, Err(StoreError::Overtaken { lease }) if lease == "x"));
    let known: Vec<String> =
        nodes.store("b").sources(None).unwrap().into_iter().map(|known| known.state.source_id).collect();
    assert_eq!(known, ["in time", "late"]);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn what_a_dead_node_held_is_free_at_once_and_keeps_its_gap() {
    let mut nodes = Nodes::new(&["a", "b"]);
    let held = nodes.ask("a", &["x", "y"], 2);
    nodes.ask("b", &["z"], 1);
    let answer = nodes.round("b", LeaseRequest { dead: vec!["a".into()], ..wish(&["x", "y"]) });
    assert_eq!(names(&answer.granted.iter().map(|granted| granted.hold.clone()).collect::<Vec<_>>()), ["x", "y"]);
    assert!(answer.granted.iter().all(|granted| (1_500..=2_000).contains(&granted.free_in.as_millis())), "{answer:?}");
    assert!(answer.granted.iter().all(|granted| held.iter().all(|hold| hold.fence < granted.hold.fence)));
    assert_eq!(answer.nodes.iter().map(|node| node.sign.id.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[test]
#[ignore = "needs a server: tests/postgres.sh"]
fn a_node_that_was_taken_for_dead_loses_its_leases_and_nothing_else() {
    let mut nodes = Nodes::new(&["a", "b"]);
    let held = nodes.ask("a", &["x"], 1);
    nodes.round("b", LeaseRequest { dead: vec!["a".into()], ..wish(&["x"]) });
    assert_eq!(nodes.round("a", LeaseRequest { kept: held.clone(), ..wish(&[]) }).renewed, []);
    let refused = nodes.store("a").apply(&[Change::Held(held[0].clone())], None);
    assert!(matches!(refused, Err(StoreError::Overtaken { .. })), "{refused:?}");
    let answer = nodes.round("a", wish(&["y"]));
    assert_eq!((answer.granted.len(), answer.nodes.len()), (1, 2));
}
