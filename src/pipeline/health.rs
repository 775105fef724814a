//! Health of the config, of hubs and of this machine, kept beside that of sources: one table, and one page for operators.

use super::Context;
use crate::feed::Timestamp;
use crate::outage::{Lack, Outage};
use crate::state::{Health, Monitored, Turn};
use crate::store::{Change, Store, StoreError};

/// Notes the first mistake of the config, or (`None`) that it has none, if that is news.
///
/// # Errors
/// When the store fails.
pub async fn note_config(context: &Context, mistake: Option<String>, now: Timestamp) -> Result<(), StoreError> {
    if !context.has_jobs() {
        // Another node would note that its own has none.
        return Ok(());
    }
    let trouble = mistake.map(|mistake| (Health::Invalid, mistake));
    context.store.call(move |store| note_turn(store, &Monitored::Config, trouble, now)).await
}

/// Notes the present outages of this machine, as far as they are news.
///
/// # Errors
/// When the store fails.
pub async fn note_outages(context: &Context, outages: Vec<Outage>, now: Timestamp) -> Result<(), StoreError> {
    if context.node().is_some() {
        // The service lacks nothing that another node has: each tells of its own by signs of life.
        return Ok(());
    }
    let note = move |store: &mut dyn Store| {
        Lack::ALL.into_iter().try_for_each(|lack| {
            let outage = outages.iter().find(|outage| outage.lack == lack);
            let trouble = outage.map(|outage| (Health::Lacking, outage.reason.clone()));
            note_turn(store, &Monitored::Machine(lack), trouble, outage.map_or(now, |outage| outage.since))
        })
    };
    context.store.call(note).await
}

/// Notes the trouble of the config, a hub or this machine, or (`None`) its end, if that is news.
pub(super) fn note_turn(
    store: &mut dyn Store,
    of: &Monitored,
    trouble: Option<(Health, String)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let last = store.health(Some(of))?.pop().filter(|last| last.health != Health::Recovered);
    let (health, detail) = match (trouble, last) {
        (None, None) => return Ok(()),
        (None, Some(_)) => (Health::Recovered, None),
        (Some((health, detail)), Some(last))
            // Another mistake in the config is news; another way in which a hub fails is not.
            if last.health == health && (health != Health::Invalid || last.detail.as_ref() == Some(&detail)) =>
        {
            return Ok(());
        }
        (Some((health, detail)), _) => (health, Some(detail)),
    };
    let turn = Turn { of: of.clone(), date: now, health, detail };
    store.apply(&[Change::Turn(turn)], None).map(|_| ())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::store::sqlite::Sqlite;

    /// Checks which of some troubles, one an hour, are noted: at which hour, and with which text.
    #[track_caller]
    fn check(of: &Monitored, troubles: &[Option<(Health, &str)>], expected: &[(i64, Health, Option<&str>)]) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&folder.path().join("veille.db")).unwrap();
        let mut noted: Vec<(i64, Health, Option<String>)> = Vec::new();
        for (hour, trouble) in (0..).zip(troubles) {
            let now = Timestamp::UNIX_EPOCH + TimeDelta::hours(hour);
            let trouble = trouble.map(|(health, detail)| (health, detail.to_owned()));
            note_turn(&mut store, of, trouble, now).unwrap();
            let last = store.health(Some(of)).unwrap().pop().filter(|last| last.date == now);
            noted.extend(last.map(|last| (hour, last.health, last.detail)));
        }
        let noted: Vec<_> = noted.iter().map(|(hour, health, detail)| (*hour, *health, detail.as_deref())).collect();
        assert_eq!(noted, expected);
    }

    #[test]
    fn another_mistake_in_the_config_is_news_and_the_same_one_is_not() {
        let mistake = |detail| Some((Health::Invalid, detail));
        let troubles = [None, mistake("a"), mistake("a"), mistake("b"), None, None, mistake("b")];
        let invalid = |hour, detail| (hour, Health::Invalid, Some(detail));
        check(
            &Monitored::Config,
            &troubles,
            &[invalid(1, "a"), invalid(3, "b"), (4, Health::Recovered, None), invalid(6, "b")],
        );
    }

    #[test]
    fn another_way_in_which_a_hub_fails_is_no_news() {
        let fails = |detail| Some((Health::Unreachable, detail));
        let expected = [(0, Health::Unreachable, Some("dns")), (3, Health::Gone, Some("410"))];
        check(
            &Monitored::Hub("https://hub.example/".into()),
            &[fails("dns"), fails("timeout"), fails("dns"), Some((Health::Gone, "410"))],
            &expected,
        );
    }
}
