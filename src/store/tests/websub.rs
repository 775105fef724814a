//! `WebSub`: subscriptions of ours, and subscribers of our hub.

use super::*;
use crate::websub::{
    DeliveryResult, FeedSubscription, HubMode, PushTrust, Settlement, Subscriber, SubscriberIntent, SubscribersAsked,
    SubscriptionStage, WebSubChange,
};

pub(super) fn subscription(source_id: &str) -> FeedSubscription {
    FeedSubscription {
        source_id: source_id.into(),
        token: format!("token of {source_id}"),
        hub: "https://hub.example/".parse().unwrap(),
        topic: "https://a.example/feed".parse().unwrap(),
        callback: "https://veille.example/websub/1".parse().unwrap(),
        secret: "secret".into(),
        stage: SubscriptionStage::Verified,
        asked: Some(noon()),
        verified: Some(noon()),
        lease_end: Some(hour(240)),
        next_try: None,
        failures: 1,
        why: Some("it answered 500".into()),
        last_push: Some(hour(1)),
        pushes: 3,
        refused: 1,
        method: None,
        bodies: vec!["00ff".into()],
        trust: PushTrust::default(),
    }
}

fn keep(store: &mut dyn Store, change: WebSubChange) {
    apply(store, &[Change::WebSub(change)]);
}

fn subscribe(store: &mut dyn Store, subscription: &FeedSubscription) {
    keep(store, WebSubChange::Subscription(Box::new(subscription.clone())));
}

#[test]
fn a_subscription_is_found_by_its_source_and_its_token() {
    check(|store| {
        let [one, other] = ["culture", "education"].map(subscription);
        subscribe(store, &one);
        subscribe(store, &other);
        let generation = generation(store);
        let changed = FeedSubscription { token: "another".into(), failures: 0, ..other };
        subscribe(store, &changed);
        assert_eq!(store.subscriptions(None).unwrap(), [one.clone(), changed.clone()]);
        assert_eq!(store.subscriptions(Some("another")).unwrap(), [changed]);
        assert_eq!(store.subscriptions(Some("token of education")).unwrap(), []);
        keep(store, WebSubChange::Forget("education".into()));
        assert_eq!(store.subscriptions(None).unwrap(), [one]);
        assert_eq!(super::generation(store), generation, "no publication depends on it");
    });
}

#[test]
fn a_source_is_remembered_with_its_subscription() {
    check(|store| {
        let state = |id: &str| SourceState { source_id: id.into(), ..SourceState::default() };
        apply(store, &["culture", "education"].map(|id| Change::Source(Box::new(state(id)))));
        let known = subscription("education");
        subscribe(store, &known);
        let found: Vec<_> = store.sources(None).unwrap().into_iter().map(|known| known.subscription).collect();
        assert_eq!(found, [None, Some(Box::new(known.clone()))]);
        let one = store.sources(Some(&["education".to_owned()])).unwrap().remove(0);
        assert_eq!(one.subscription, Some(Box::new(known)));
    });
}

#[test]
fn trust_is_kept_apart_from_all_else() {
    check(|store| {
        let known = subscription("education");
        let trust = PushTrust { confirmed: 2, missed: 1, polled: Some(hour(2)), ..PushTrust::default() };
        let note = |trust: &PushTrust| WebSubChange::Trust { source_id: "education".into(), trust: trust.clone() };
        keep(store, note(&trust));
        assert_eq!(store.subscriptions(None).unwrap(), [], "nothing to trust");
        subscribe(store, &known);
        keep(store, note(&trust));
        subscribe(store, &FeedSubscription { pushes: 4, ..known.clone() });
        assert_eq!(store.subscriptions(None).unwrap(), [FeedSubscription { pushes: 4, trust, ..known }]);
    });
}

pub(super) fn intent(mode: HubMode, secret: &str) -> SubscriberIntent {
    SubscriberIntent { mode, secret: Some(secret.into()), lease_seconds: 3600, noted: noon(), denied: None }
}

fn ask(store: &mut dyn Store, name: &str, intent: &SubscriberIntent) {
    let callback = format!("https://{name}.example/cb").parse().unwrap();
    keep(
        store,
        WebSubChange::Intent { callback, topic: "https://veille.example/a.atom".into(), intent: intent.clone() },
    );
}

fn asking(store: &mut dyn Store) -> Vec<Subscriber> {
    store.subscribers(&SubscribersAsked::Intents { limit: 100 }).unwrap()
}

/// Settles the only intent.
fn settle(store: &mut dyn Store, settlement: Settlement) {
    let Subscriber { number, intent, .. } = asking(store).remove(0);
    keep(store, WebSubChange::Settled { number, intent: intent.unwrap(), settlement });
}

fn subscribed(told: &str, secret: &str) -> Settlement {
    Settlement::Subscribed { lease_end: hour(1), told: told.into(), secret: Some(secret.into()) }
}

/// Makes a subscriber with the document `old`.
fn subscriber(store: &mut dyn Store, name: &str) {
    ask(store, name, &intent(HubMode::Subscribe, "secret"));
    settle(store, subscribed("old", "secret"));
}

fn due(store: &mut dyn Store, told: &str, now: Timestamp) -> Vec<Subscriber> {
    let topic = "https://veille.example/a.atom".into();
    store.subscribers(&SubscribersAsked::Due { topic, told: told.into(), now, after: 0, limit: 100 }).unwrap()
}

fn callbacks(subscribers: &[Subscriber]) -> Vec<&str> {
    subscribers.iter().map(|subscriber| subscriber.callback.as_str()).collect()
}

#[test]
fn a_subscriber_counts_once_it_is_verified() {
    check(|store| {
        ask(store, "reader", &intent(HubMode::Subscribe, "one"));
        assert_eq!(due(store, "new", noon()), []);
        settle(store, subscribed("old", "one"));
        assert_eq!(asking(store), []);
        assert_eq!(callbacks(&due(store, "new", noon())), ["https://reader.example/cb"]);
        assert_eq!(due(store, "old", noon()), [], "it has that");
        assert_eq!(due(store, "new", hour(1)), [], "its lease is over");
    });
}

#[test]
fn one_that_did_not_ask_leaves_nothing_and_changes_nothing() {
    check(|store| {
        ask(store, "reader", &intent(HubMode::Subscribe, "one"));
        settle(store, Settlement::Failed);
        assert_eq!(store.subscriber_counts("reader.example").unwrap().all, 0);
        subscriber(store, "reader");
        ask(store, "reader", &intent(HubMode::Subscribe, "evil"));
        settle(store, Settlement::Failed);
        assert_eq!(due(store, "new", noon())[0].secret.as_deref(), Some("secret"));
    });
}

#[test]
fn a_renewal_keeps_the_document_and_takes_the_new_secret() {
    check(|store| {
        subscriber(store, "reader");
        ask(store, "reader", &intent(HubMode::Subscribe, "new secret"));
        settle(store, subscribed("newest", "new secret"));
        let due = due(store, "newest", noon());
        assert_eq!((due[0].told.as_str(), due[0].secret.as_deref()), ("old", Some("new secret")));
    });
}

#[test]
fn a_later_request_outlives_the_end_of_an_earlier_one() {
    check(|store| {
        ask(store, "reader", &intent(HubMode::Subscribe, "one"));
        let Subscriber { number, intent: first, .. } = asking(store).remove(0);
        ask(store, "reader", &intent(HubMode::Unsubscribe, "two"));
        keep(store, WebSubChange::Settled { number, intent: first.unwrap(), settlement: subscribed("old", "one") });
        assert_eq!(asking(store)[0].intent.as_ref().unwrap().mode, HubMode::Unsubscribe);
        settle(store, Settlement::Unsubscribed);
        assert_eq!(store.subscriber_counts("reader.example").unwrap().all, 0);
    });
}

#[test]
fn a_delivery_is_noted_and_a_failed_one_waits() {
    check(|store| {
        for name in ["a", "b", "c"] {
            subscriber(store, name);
        }
        let [a, b, c] = due(store, "new", noon()).try_into().unwrap();
        keep(store, WebSubChange::Delivered(DeliveryResult::taken(&a, "new")));
        keep(store, WebSubChange::Delivered(DeliveryResult::failed(&b, "new", "500", None, noon())));
        keep(store, WebSubChange::Delivered(DeliveryResult::gone(&c)));
        let minute = |minutes| noon() + TimeDelta::minutes(minutes);
        assert_eq!(due(store, "new", noon()), []);
        assert_eq!(callbacks(&due(store, "new", minute(1))), ["https://b.example/cb"]);
        let counts = store.subscriber_counts("b.example").unwrap();
        assert_eq!((counts.all, counts.of_host, counts.intents, counts.next_try), (2, 1, 0, Some(minute(1))));
    });
}

#[test]
fn subscribers_are_read_in_pages_and_counted_by_host() {
    check(|store| {
        for name in ["a", "b"] {
            subscriber(store, name);
        }
        ask(store, "a", &intent(HubMode::Unsubscribe, ""));
        let first = due(store, "new", noon())[0].number;
        let topic = "https://veille.example/a.atom".into();
        let asked = SubscribersAsked::Due { topic, told: "new".into(), now: noon(), after: first, limit: 1 };
        assert_eq!(callbacks(&store.subscribers(&asked).unwrap()), ["https://b.example/cb"]);
        let counts = store.subscriber_counts("a.example").unwrap();
        assert_eq!((counts.all, counts.of_host, counts.intents, counts.intents_of_host), (2, 1, 1, 1));
    });
}

#[test]
fn upkeep_drops_subscribers_whose_lease_is_over() {
    check(|store| {
        subscriber(store, "a");
        store.tidy(noon()).unwrap();
        assert_eq!(store.subscriber_counts("").unwrap().all, 1);
        store.tidy(hour(1)).unwrap();
        assert_eq!(store.subscriber_counts("").unwrap().all, 0);
    });
}
