//! When a hub is asked for a subscription, for its renewal or for its end. And whether it can find us at all.

use chrono::TimeDelta;
use ipnet::IpNet;
use url::{Host, Url};

use super::{FeedSubscription, HubOffer, SubscriptionStage};
use crate::feed::Timestamp;

/// A hub has so long to verify a request: then it is asked again. Each time it has twice as long.
pub const VERIFIED_WITHIN: TimeDelta = TimeDelta::hours(1);
const VERIFIED_WITHIN_MAX: TimeDelta = TimeDelta::days(1);

/// Shortest time between two renewals, whatever lease the hub gives.
const RENEWAL_MIN: TimeDelta = TimeDelta::minutes(10);

/// Longest wait for the verification of an end: then the subscription is forgotten, and its lease runs out.
const ENDED_WITHIN: TimeDelta = TimeDelta::days(1);

/// Pause after the first failure; doubles with each further one.
const PAUSE: TimeDelta = TimeDelta::minutes(5);
const PAUSE_MAX: TimeDelta = TimeDelta::days(1);

/// The same after a denial.
const DENIAL_PAUSE: TimeDelta = TimeDelta::days(1);
const DENIAL_PAUSE_MAX: TimeDelta = TimeDelta::days(30);

/// The next step of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriptionStep {
    /// Ask this hub for it.
    Ask(Url),
    /// Ask its hub to end it.
    End,
    /// Forget it: the hub knows nothing of it, or has heard of the end.
    Forget,
    /// Nothing until then; `None` if only something else can change that.
    Wait(Option<Timestamp>),
}

/// Decides what a subscription needs. `offer` is that of the source, if it is to be subscribed; `base` is where hubs find
/// us.
#[must_use]
pub fn next_step(
    known: Option<&FeedSubscription>,
    offer: Option<(&HubOffer, &Url)>,
    now: Timestamp,
) -> SubscriptionStep {
    let Some(known) = known else {
        return match offer.and_then(|(offer, _)| offer.hubs.first()) {
            Some(hub) => SubscriptionStep::Ask(hub.clone()),
            None => SubscriptionStep::Wait(None),
        };
    };
    let asked = known.asked.filter(|asked| *asked <= now);
    let Some((offer, base)) = offer else { return end(known, asked, now) };
    let hub = hub_of(known, offer);
    let is_another = known.topic != offer.topic
        || !known.callback.as_str().starts_with(base.as_str())
        || known.stage == SubscriptionStage::Ending;
    // A pause beyond the longest was set by a clock that was ahead.
    if let Some(next) = known.next_try.filter(|next| *next > now && *next <= now + DENIAL_PAUSE_MAX && !is_another) {
        return SubscriptionStep::Wait(Some(next));
    }
    if is_another || !offer.hubs.contains(&known.hub) {
        return SubscriptionStep::Ask(hub);
    }
    let patience = doubled(VERIFIED_WITHIN, VERIFIED_WITHIN_MAX, known.failures.saturating_add(1));
    let awaited = asked.filter(|asked| *asked + patience > now);
    match (known.stage, awaited) {
        (SubscriptionStage::Asked, Some(asked)) => SubscriptionStep::Wait(Some(asked + patience)),
        (SubscriptionStage::Verified, awaited) => {
            let renewal = renewal(known);
            match renewal {
                Some(at) if at > now => SubscriptionStep::Wait(Some(at)),
                _ if awaited.is_some_and(|asked| Some(asked) > known.verified) => {
                    SubscriptionStep::Wait(awaited.map(|asked| asked + patience))
                }
                _ => SubscriptionStep::Ask(hub),
            }
        }
        (SubscriptionStage::Asked | SubscriptionStage::Denied | SubscriptionStage::Ending, _) => {
            SubscriptionStep::Ask(hub)
        }
    }
}

fn end(known: &FeedSubscription, asked: Option<Timestamp>, now: Timestamp) -> SubscriptionStep {
    let is_over = known.lease_end.is_none_or(|end| end <= now);
    match known.stage {
        SubscriptionStage::Ending => match asked.filter(|asked| *asked + ENDED_WITHIN > now) {
            Some(asked) => SubscriptionStep::Wait(Some(asked + ENDED_WITHIN)),
            None => SubscriptionStep::Forget,
        },
        _ if is_over => SubscriptionStep::Forget,
        SubscriptionStage::Asked | SubscriptionStage::Verified | SubscriptionStage::Denied => SubscriptionStep::End,
    }
}

/// The hub to ask: the same one while it does well, else the next of the offer.
fn hub_of(known: &FeedSubscription, offer: &HubOffer) -> Url {
    let count = offer.hubs.len().max(1);
    let next = usize::try_from(known.failures).unwrap_or_default() % count;
    let is_well = known.failures == 0 && offer.hubs.contains(&known.hub);
    let next = if is_well { Some(&known.hub) } else { offer.hubs.get(next) };
    next.unwrap_or(&known.hub).clone()
}

/// When a lease is renewed: once three quarters of it are over.
fn renewal(known: &FeedSubscription) -> Option<Timestamp> {
    let (verified, end) = known.verified.zip(known.lease_end)?;
    Some(verified + ((end - verified) / 4 * 3).max(RENEWAL_MIN))
}

pub(super) fn pause_after(failures: u32) -> TimeDelta {
    doubled(PAUSE, PAUSE_MAX, failures)
}

pub(super) fn pause_after_denial(failures: u32) -> TimeDelta {
    doubled(DENIAL_PAUSE, DENIAL_PAUSE_MAX, failures)
}

pub(super) fn doubled(first: TimeDelta, longest: TimeDelta, failures: u32) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(16);
    first.checked_mul(1 << doublings).map_or(longest, |pause| pause.min(longest))
}

/// Returns where hubs find us: `websub/` below the site's address. `None` if it is none that they can reach safely: without
/// https, or of this machine. An address in a network that may be polled though it is not public counts as public.
#[must_use]
pub fn callback_base(site: &Url, is_public: impl Fn(std::net::IpAddr) -> bool, allowed: &[IpNet]) -> Option<Url> {
    let address = match site.host()? {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let is_local = name == "localhost" || !name.contains('.');
            let is_local = is_local
                || [".localhost", ".local", ".internal", ".test", ".invalid"].iter().any(|end| name.ends_with(end));
            return (site.scheme() == "https" && !is_local).then(|| site.join("websub/").ok())?;
        }
        Host::Ipv4(address) => address.into(),
        Host::Ipv6(address) => address.into(),
    };
    let is_allowed = allowed.iter().any(|network| network.contains(&address));
    let is_reached = is_allowed || site.scheme() == "https" && is_public(address);
    is_reached.then(|| site.join("websub/").ok())?
}

#[cfg(test)]
mod tests {
    use super::super::intent::tests::subscription;
    use super::*;
    use SubscriptionStep::{Ask, End, Forget, Wait};

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
    }

    fn hub() -> Url {
        "https://hub.example/".parse().unwrap()
    }

    fn other_hub() -> Url {
        "https://other.example/".parse().unwrap()
    }

    fn base() -> Url {
        "https://veille.example/websub/".parse().unwrap()
    }

    fn offer() -> HubOffer {
        HubOffer { topic: subscription().topic, hubs: vec![hub(), other_hub()] }
    }

    /// Verified at minute 0, with a lease of so many minutes.
    fn leased(minutes: i64) -> FeedSubscription {
        FeedSubscription { verified: Some(minute(0)), lease_end: Some(minute(minutes)), ..subscription() }
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "callers write it in place")]
    fn check(known: &FeedSubscription, at: i64, expected: SubscriptionStep) {
        assert_eq!(next_step(Some(known), Some((&offer(), &base())), minute(at)), expected);
    }

    #[test]
    fn a_feed_that_names_a_hub_is_subscribed() {
        assert_eq!(next_step(None, Some((&offer(), &base())), minute(0)), Ask(hub()));
        assert_eq!(next_step(None, None, minute(0)), Wait(None));
    }

    #[test]
    fn a_lease_is_renewed_before_its_end() {
        check(&leased(400), 299, Wait(Some(minute(300))));
        check(&leased(400), 300, Ask(hub()));
        let asked = FeedSubscription { asked: Some(minute(300)), ..leased(400) };
        check(&asked, 310, Wait(Some(minute(360))));
        check(&asked, 360, Ask(hub()));
    }

    #[test]
    fn a_lease_of_nothing_makes_no_storm() {
        check(&leased(0), 1, Wait(Some(minute(10))));
        check(&leased(0), 10, Ask(hub()));
    }

    #[test]
    fn a_hub_that_does_not_verify_is_asked_again_after_an_hour() {
        let asked = FeedSubscription { stage: SubscriptionStage::Asked, ..subscription() };
        check(&asked, 59, Wait(Some(minute(60))));
        check(&asked, 60, Ask(hub()));
    }

    #[test]
    fn a_hub_that_never_verifies_is_asked_less_and_less_often() {
        let unanswered = |failures| FeedSubscription { stage: SubscriptionStage::Asked, failures, ..subscription() };
        check(&unanswered(1), 60, Wait(Some(minute(120))));
        check(&unanswered(20), 60, Wait(Some(minute(1440))));
    }

    #[test]
    fn after_a_failure_the_next_hub_has_its_turn() {
        let mut failed = FeedSubscription { stage: SubscriptionStage::Asked, ..subscription() };
        failed.note_failure("it answered 410".into(), minute(0));
        check(&failed, 4, Wait(Some(minute(5))));
        check(&FeedSubscription { asked: None, ..failed }, 5, Ask(other_hub()));
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!([1, 2, 3, 9, 99].map(|failures| pause_after(failures).num_minutes()), [5, 10, 20, 1280, 1440]);
        assert_eq!([1, 2, 9].map(|failures| pause_after_denial(failures).num_days()), [1, 2, 30]);
    }

    #[test]
    fn another_topic_hub_or_address_of_ours_is_asked_for_at_once() {
        let moved = HubOffer { topic: "https://agence.example/new".parse().unwrap(), ..offer() };
        assert_eq!(next_step(Some(&leased(400)), Some((&moved, &base())), minute(1)), Ask(hub()));
        let other = HubOffer { hubs: vec![other_hub()], ..offer() };
        assert_eq!(next_step(Some(&leased(400)), Some((&other, &base())), minute(1)), Ask(other_hub()));
        let base = "https://veille.example/new/websub/".parse().unwrap();
        assert_eq!(next_step(Some(&leased(400)), Some((&offer(), &base)), minute(1)), Ask(hub()));
    }

    #[test]
    fn a_subscription_that_nobody_wants_is_ended_and_forgotten() {
        let step = |known: &FeedSubscription, at| next_step(Some(known), None, minute(at));
        assert_eq!(step(&leased(400), 1), End);
        assert_eq!(step(&leased(400), 400), Forget);
        assert_eq!(step(&subscription(), 1), Forget);
        let ending = FeedSubscription { stage: SubscriptionStage::Ending, ..leased(100_000) };
        assert_eq!(step(&ending, 1), Wait(Some(minute(1440))));
        assert_eq!(step(&ending, 1440), Forget);
        check(&ending, 1, Ask(hub()));
    }

    #[test]
    fn a_clock_that_was_ahead_holds_nothing_up() {
        let ahead = FeedSubscription { next_try: Some(minute(99 * 1440)), asked: Some(minute(9000)), ..subscription() };
        check(&FeedSubscription { stage: SubscriptionStage::Denied, ..ahead }, 0, Ask(hub()));
    }

    #[track_caller]
    fn check_base(site: &str, allowed: &[&str], expected: Option<&str>) {
        let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().unwrap()).collect();
        let is_public = |address: std::net::IpAddr| !address.is_loopback();
        let found = callback_base(&Url::parse(site).unwrap(), is_public, &allowed);
        assert_eq!(found.as_ref().map(Url::as_str), expected, "{site}");
    }

    #[test]
    fn hubs_find_public_sites_with_https_only() {
        check_base("https://veille.example/", &[], Some("https://veille.example/websub/"));
        check_base("https://site.example/news/", &[], Some("https://site.example/news/websub/"));
        check_base("http://veille.example/", &[], None);
        for local in ["https://localhost/", "https://machine/", "https://machine.local/", "https://a.localhost./"] {
            check_base(local, &[], None);
        }
        check_base("https://127.0.0.1/", &[], None);
        check_base("https://[::1]/", &[], None);
        check_base("https://93.184.215.14/", &[], Some("https://93.184.215.14/websub/"));
    }

    #[test]
    fn an_address_that_may_be_polled_is_one_where_hubs_find_us() {
        check_base("http://127.0.0.1:8080/", &["127.0.0.0/8"], Some("http://127.0.0.1:8080/websub/"));
        check_base("http://localhost:8080/", &["127.0.0.0/8"], None);
    }
}
