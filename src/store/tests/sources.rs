//! Sources, hubs and hosts.

use super::*;

#[test]
fn a_source_never_polled_has_an_empty_state() {
    check(|store| {
        let state = store.source("education").unwrap();
        assert_eq!(state, SourceState { source_id: "education".into(), ..SourceState::default() });
    });
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
            next_poll: Some(noon() + TimeDelta::hours(1)),
            next_poll_why: "schedule".into(),
            failures: 3,
            retired: true,
            url: Some("https://a.example/feed".parse().unwrap()),
            ..SourceState::default()
        };
        store.save_source(&state).unwrap();
        assert_eq!(store.sources().unwrap(), [state]);
    });
}

#[test]
fn a_host_that_asked_to_be_left_alone_is_kept_until_then() {
    check(|store| {
        let until = |hours| noon() + TimeDelta::hours(hours);
        let throttle = |host: &str, hours| Throttle { host: host.into(), until: until(hours) };
        for throttle in [throttle("b", 2), throttle("a", 3), throttle("b", 1)] {
            store.save_throttle(&throttle, noon()).unwrap();
        }
        assert_eq!(store.throttles(noon()).unwrap(), [throttle("a", 3), throttle("b", 2)]);
        assert_eq!(store.throttles(until(2)).unwrap(), [throttle("a", 3)]);
        store.save_throttle(&throttle("c", 9), until(8)).unwrap();
        assert_eq!(store.throttles(noon()).unwrap(), [throttle("c", 9)], "what is over is dropped");
    });
}

#[test]
fn the_health_of_a_source_is_its_last_change_but_moves() {
    check(|store| {
        let change =
            |source_id: &str, health| Change { source_id: source_id.into(), date: noon(), health, detail: None };
        for health in [Health::Unreachable, Health::Gone, Health::Moved] {
            store.note(&change("education", health)).unwrap();
        }
        store.note(&change("culture", Health::Silent)).unwrap();
        assert_eq!(store.health(Some("education")).unwrap(), [change("education", Health::Gone)]);
        assert_eq!(store.health(None).unwrap(), [change("culture", Health::Silent), change("education", Health::Gone)]);
        let changes = store.changes(2).unwrap();
        assert_eq!(changes, [change("culture", Health::Silent), change("education", Health::Moved)]);
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
        store.save_announcement(&Announcement::default()).unwrap();
        store.save_announcement(&told).unwrap();
        store.save_announcement(&told).unwrap();
        assert_eq!(store.announcements().unwrap(), [Announcement::default(), told]);
    });
}
