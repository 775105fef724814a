//! Sources, hubs and hosts.

use super::*;
use crate::outage::Lack;

#[test]
fn a_source_never_polled_is_not_remembered() {
    check(|store| assert_eq!(store.sources(Some(&["education".into()])).unwrap(), []));
}

#[test]
fn a_state_comes_back_as_it_was_kept() {
    check(|store| {
        let state = SourceState {
            source_id: "education".into(),
            validators: vec![crate::state::Validators {
                url: "https://a.example/feed".into(),
                etag: Some(b"\"\xe9\"".to_vec()),
                last_modified: None,
            }],
            body_hash: Some([7; 32]),
            last_poll: Some(noon()),
            next_poll: Some(hour(1)),
            next_poll_why: "schedule".into(),
            failures: 3,
            retired: true,
            url: Some("https://a.example/feed".parse().unwrap()),
            ..SourceState::default()
        };
        apply(store, &[Change::Source(Box::new(SourceState { validators: Vec::new(), ..state.clone() }))]);
        apply(store, &[Change::Source(Box::new(state.clone()))]);
        assert_eq!(store.sources(None).unwrap(), [Remembered { state, ..Remembered::default() }]);
    });
}

#[test]
fn the_failure_the_move_and_the_words_of_a_source_come_back() {
    use crate::state::{About, PollFailure, Redirect};
    check(|store| {
        let to: url::Url = "https://b.example/feed".parse().unwrap();
        let state = SourceState {
            source_id: "education".into(),
            last_success: Some(hour(-1)),
            last_error: Some(PollFailure { code: "dns".into(), message: "no such host".into(), since: noon() }),
            moved_to: Some("https://c.example/feed".parse().unwrap()),
            redirect: Some(Redirect { to, since: hour(-3), polls: 2 }),
            about: Box::new(About { title: Some("Éducation".into()), ..About::default() }),
            ..SourceState::default()
        };
        apply(store, &[Change::Source(Box::new(state.clone()))]);
        assert_eq!(store.sources(None).unwrap(), [Remembered { state, ..Remembered::default() }]);
    });
}

#[test]
fn sources_come_by_id_all_or_those_asked_for() {
    check(|store| {
        let state = |id: &str| Change::Source(Box::new(SourceState { source_id: id.into(), ..SourceState::default() }));
        apply(store, &["b", "a", "c"].map(state));
        let ids =
            |sources: Vec<Remembered>| sources.into_iter().map(|source| source.state.source_id).collect::<Vec<_>>();
        assert_eq!(ids(store.sources(None).unwrap()), ["a", "b", "c"]);
        assert_eq!(ids(store.sources(Some(&["c".into(), "x".into()])).unwrap()), ["c"]);
        assert_eq!(ids(store.sources(Some(&[])).unwrap()), [] as [String; 0]);
    });
}

#[test]
fn a_source_is_remembered_with_its_health_and_the_longest_suspicion() {
    check(|store| {
        let [a, b] = insert_all(store, ["a", "b"]);
        let turn = |health| {
            Change::Turn(Turn { of: Monitored::Source("education".into()), date: noon(), health, detail: None })
        };
        apply(
            store,
            &[
                Change::Source(Box::new(SourceState { source_id: "education".into(), ..SourceState::default() })),
                turn(Health::Gone),
                turn(Health::Moved),
                Change::Miss { numbers: vec![a], since: Some(hour(1)) },
                Change::Miss { numbers: vec![b], since: Some(hour(2)) },
            ],
        );
        let remembered = |store: &mut dyn Store| {
            let source = store.sources(None).unwrap().remove(0);
            (source.health, source.missed_since)
        };
        assert_eq!(remembered(store), (Some(Health::Gone), Some(hour(1))));
        apply(store, &[Change::Withdraw { numbers: vec![a], now: hour(3) }]);
        assert_eq!(remembered(store).1, Some(hour(2)));
        apply(store, &[Change::Miss { numbers: vec![b], since: None }]);
        assert_eq!(remembered(store).1, None);
    });
}

#[test]
fn a_host_that_asked_to_be_left_alone_is_kept_until_then() {
    check(|store| {
        let throttle = |host: &str, hours| Throttle { host: host.into(), until: hour(hours) };
        let asks = |throttle: Throttle, now| Change::Throttle { throttle, now };
        apply(store, &[throttle("b", 2), throttle("a", 3), throttle("b", 1)].map(|throttle| asks(throttle, noon())));
        assert_eq!(store.throttles(noon()).unwrap(), [throttle("a", 3), throttle("b", 2)]);
        assert_eq!(store.throttles(hour(2)).unwrap(), [throttle("a", 3)]);
        apply(store, &[asks(throttle("c", 9), hour(8))]);
        assert_eq!(store.throttles(noon()).unwrap(), [throttle("c", 9)], "what is over is dropped");
        apply(store, &[asks(throttle("d", 9), hour(8)), asks(throttle("c", 8), hour(8))]);
        assert_eq!(store.throttles(noon()).unwrap(), [throttle("d", 9)], "an end that is over ends a longer wait");
    });
}

#[test]
fn the_health_of_a_source_is_its_last_change_but_moves() {
    check(|store| {
        let source = |id: &str| Monitored::Source(id.into());
        let turn = |id: &str, health| Turn { of: source(id), date: noon(), health, detail: None };
        let turns = [Health::Unreachable, Health::Gone, Health::Moved].map(|health| turn("education", health));
        apply(store, &turns.map(Change::Turn));
        apply(store, &[Change::Turn(turn("culture", Health::Silent))]);
        assert_eq!(store.health(Some(&source("education"))).unwrap(), [turn("education", Health::Gone)]);
        assert_eq!(store.health(None).unwrap(), [turn("culture", Health::Silent), turn("education", Health::Gone)]);
        let network = Monitored::Machine(Lack::Network);
        let outage = Turn { of: network.clone(), date: noon(), health: Health::Lacking, detail: None };
        apply(store, &[Change::Turn(outage.clone())]);
        assert_eq!(store.health(Some(&network)).unwrap(), [outage]);
        let latest = store.outline(&[], 2).unwrap().turns;
        assert_eq!(latest, [turn("culture", Health::Silent), turn("education", Health::Moved)]);
    });
}

#[test]
fn the_config_and_hubs_have_a_health_of_their_own() {
    check(|store| {
        let all =
            [Monitored::Config, Monitored::Source("education".into()), Monitored::Hub("https://hub.example/".into())];
        for of in &all {
            let turn = Turn { of: of.clone(), date: noon(), health: Health::Gone, detail: None };
            apply(store, &[Change::Turn(turn.clone())]);
            assert_eq!(store.health(Some(of)).unwrap(), [turn]);
        }
        let told: Vec<Monitored> = store.outline(&[], 9).unwrap().turns.into_iter().rev().map(|turn| turn.of).collect();
        assert_eq!(told, all);
    });
}

#[test]
fn what_a_hub_was_told_is_remembered() {
    check(|store| {
        let told = Announcement {
            hub: "https://hub.example/".into(),
            topic: "numerique".into(),
            told: "hash".into(),
            told_at: Some(noon()),
            failures: 2,
            next_try: Some(noon() + TimeDelta::minutes(4)),
            last_error: Some("503".into()),
        };
        apply(
            store,
            &[Announcement::default(), Announcement { failures: 1, ..told.clone() }, told.clone()]
                .map(Change::Announced),
        );
        assert_eq!(store.announcements().unwrap(), [Announcement::default(), told]);
    });
}
