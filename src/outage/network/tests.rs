use super::Reply::{Doubtful, Offline, Silent, Unresolved};
use super::*;

/// Checks what is found of so many hosts that answered, and these that did not, when all have ended.
#[track_caller]
fn check(answered: usize, replies: &[(usize, Reply)], finding: Finding) {
    let replies = replies.iter().flat_map(|(hosts, reply)| std::iter::repeat_n(reply.clone(), *hosts)).collect();
    let hearing = Hearing { answered, replies, ..Hearing::default() };
    assert_eq!(judge(&hearing), finding, "{hearing:?}");
}

fn page(mark: &str) -> Reply {
    Doubtful(mark.to_owned())
}

#[test]
fn a_dead_host_is_dead_however_many_others_there_are() {
    for others in [0, 1, 2, 5, 36, 499] {
        check(others, &[(1, Silent)], Finding::Hosts);
        check(others, &[(1, Unresolved)], Finding::Hosts);
    }
}

#[test]
fn one_host_is_enough_if_the_system_says_that_there_is_no_way_out() {
    check(0, &[(1, Offline)], Finding::Offline);
    check(1, &[(1, Offline)], Finding::Hosts);
}

#[test]
fn two_hosts_are_enough_only_if_the_resolver_is_out_of_order() {
    check(0, &[(2, Silent)], Finding::Hosts);
    check(0, &[(1, Silent), (1, Unresolved)], Finding::Hosts);
    check(0, &[(2, Unresolved)], Finding::Offline);
}

#[test]
fn when_nobody_answers_it_is_the_machine_from_three_hosts_to_five_hundred() {
    for hosts in [3, 4, 5, 10, 37, 88, 250, 500] {
        check(0, &[(hosts, Silent)], Finding::Offline);
        check(0, &[(hosts, Unresolved)], Finding::Offline);
        check(0, &[(hosts / 2, Silent), (hosts - hosts / 2, Unresolved)], Finding::Offline);
    }
}

#[test]
fn half_of_the_hosts_on_ipv6_only_are_no_outage_while_the_others_answer() {
    for hosts in [2, 4, 6, 10, 36, 100, 500] {
        check(hosts / 2, &[(hosts / 2, Silent)], Finding::Hosts);
    }
    for hosts in [4, 10, 36, 500] {
        check(0, &[(hosts / 2, Silent), (hosts / 2, Unresolved)], Finding::Offline);
    }
}

#[test]
fn a_feed_of_the_local_network_that_answers_does_not_hide_an_outage() {
    check(1, &[(2, Silent)], Finding::Hosts);
    check(1, &[(8, Silent)], Finding::Hosts);
    check(1, &[(9, Silent)], Finding::Offline);
    check(10, &[(89, Silent)], Finding::Hosts);
    check(10, &[(90, Silent)], Finding::Offline);
}

#[test]
fn one_page_in_the_place_of_all_hosts_is_a_portal_and_pages_that_differ_are_not() {
    check(0, &[(1, page("login"))], Finding::Hosts);
    check(0, &[(2, page("login"))], Finding::Hosts);
    for hosts in [3, 10, 500] {
        check(0, &[(hosts, page("login"))], Finding::Portal);
        check(0, &[(hosts - 1, page("login")), (1, page("other"))], Finding::Hosts);
        check(hosts, &[(hosts, page("login"))], Finding::Hosts);
        // https fails where http is answered.
        check(0, &[(hosts, Silent), (hosts, page("login"))], Finding::Portal);
        check(0, &[(hosts, Silent), (1, page("login"))], Finding::Offline);
    }
    check(0, &[(2, Silent), (1, page("login"))], Finding::Hosts);
}

#[test]
fn it_is_too_early_to_say_while_others_are_asked() {
    let some = Hearing { replies: vec![Silent; 7], asking: 1, ..Hearing::default() };
    assert_eq!(judge(&some), Finding::Open);
    assert_eq!(judge(&Hearing { is_overdue: true, ..some.clone() }), Finding::Offline);
    let many = Hearing { replies: vec![Silent; 10], asking: 20, ..Hearing::default() };
    assert_eq!(judge(&many), Finding::Open, "ten dead hosts fail at once where others take their time");
    assert_eq!(judge(&Hearing { replies: vec![Silent; 20], ..many.clone() }), Finding::Offline);
    assert_eq!(judge(&Hearing { answered: 10, ..many }), Finding::Hosts, "those who answer outnumber them");
}

#[test]
fn a_host_that_was_asked_alone_waits_for_those_that_come_soon() {
    let alone = Hearing { replies: vec![Silent], is_more_to_come: true, ..Hearing::default() };
    assert_eq!(judge(&alone), Finding::Open);
    assert_eq!(judge(&Hearing { is_overdue: true, ..alone.clone() }), Finding::Hosts);
    assert_eq!(judge(&Hearing { is_more_to_come: false, ..alone.clone() }), Finding::Hosts);
    assert_eq!(judge(&Hearing { former: 2, ..alone }), Finding::Offline, "two before it did not answer either");
}

fn host(number: usize) -> String {
    format!("h{number}.example")
}

/// Asks so many hosts, none of which answers, and decides.
fn none_answers(network: &mut Network<usize>, hosts: std::ops::Range<usize>, now: Instant) -> (Finding, Vec<usize>) {
    hosts.clone().for_each(|number| network.ask(&host(number)));
    for number in hosts {
        network.doubt(&host(number), Silent, now, now, number);
    }
    network.settle(false, now)
}

#[test]
fn while_nothing_answers_few_are_asked_at_growing_pauses_until_one_answers() {
    let (mut network, start) = (Network::default(), Instant::now());
    assert_eq!(none_answers(&mut network, 0..20, start).0, Finding::Offline);
    let (mut now, mut pauses) = (start, Vec::new());
    for _ in 0..10 {
        assert!(!network.admits(now));
        let next = network.next().unwrap();
        pauses.push((next - now).as_secs());
        now = next;
        let mut begun = 0;
        while network.admits(now) {
            network.ask(&host(begun));
            begun += 1;
        }
        assert_eq!(begun, TRIED_AT_ONCE);
        for number in 0..begun {
            network.doubt(&host(number), Silent, now, now, number);
            assert_eq!(network.settle(false, now), (Finding::Offline, vec![number]), "none is blamed");
        }
    }
    assert_eq!(pauses, [5, 10, 20, 40, 60, 120, 240, 300, 300, 300]);
    network.ask("h1.example");
    assert!(network.answer("h1.example", now));
    assert!(network.admits(now) && !network.is_down());
}

#[test]
fn a_host_that_answered_all_the_same_does_not_end_an_outage() {
    let (mut network, now) = (Network::default(), Instant::now());
    network.ask("bridge.local");
    assert!(!network.answer("bridge.local", now));
    assert_eq!(none_answers(&mut network, 0..20, now).0, Finding::Offline);
    network.ask("bridge.local");
    assert!(!network.answer("bridge.local", now));
    assert!(network.is_down());
    network.ask("h3.example");
    assert!(network.answer("h3.example", now));
}

#[test]
fn a_try_that_says_nothing_is_followed_by_another() {
    let (mut network, now) = (Network::default(), Instant::now());
    none_answers(&mut network, 0..20, now);
    let next = network.next().unwrap();
    network.ask("h1.example");
    network.leave("h1.example", next);
    assert!(!network.admits(next) && network.next().unwrap() > next);
}

#[test]
fn an_answer_from_before_a_host_was_asked_counts_for_nothing() {
    let (mut network, start) = (Network::default(), Instant::now());
    for number in 100..120 {
        network.ask(&host(number));
        network.answer(&host(number), start);
    }
    let later = start + Duration::from_secs(1);
    assert_eq!(none_answers(&mut network, 0..20, later).0, Finding::Offline);
}

#[test]
fn hosts_that_are_asked_one_by_one_are_seen_together() {
    let (mut network, start) = (Network::default(), Instant::now());
    let at = |minutes: u64| start + Duration::from_mins(minutes);
    assert_eq!(none_answers(&mut network, 1..2, at(0)).0, Finding::Hosts);
    assert_eq!(none_answers(&mut network, 2..3, at(2)).0, Finding::Hosts);
    assert_eq!(none_answers(&mut network, 3..4, at(4)).0, Finding::Offline);
}

#[test]
fn dead_hosts_that_are_asked_one_by_one_stay_dead_while_another_answers_between() {
    let (mut network, start) = (Network::default(), Instant::now());
    for minutes in 0..10 {
        let now = start + Duration::from_mins(minutes);
        assert_eq!(none_answers(&mut network, 1..3, now).0, Finding::Hosts);
        network.ask("h9.example");
        network.answer("h9.example", now);
    }
}

#[test]
fn pages_that_differ_end_an_outage() {
    let (mut network, now) = (Network::default(), Instant::now());
    none_answers(&mut network, 0..20, now);
    for (number, title) in [(1, "Accueil"), (2, "Bienvenue")] {
        network.ask(&host(number));
        network.doubt(&host(number), page(title), now, now, number);
    }
    assert_eq!(network.settle(false, now), (Finding::Hosts, vec![1, 2]));
    assert!(!network.is_down());
}
