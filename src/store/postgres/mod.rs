//! The store in a database of a PostgreSQL server, the only home of `tokio_postgres` and `rustls`.
//!
//! Several machines may share it. Whoever writes something that a decision or a publication may see locks the row
//! `generation` of `meta` first, and finds there whether the store has changed since its look. So such writes stand in one
//! row, as they do in a file. A poll without news takes no lock.
//!
//! Each method is one transaction and one round trip to the server, `apply` two: all that a look asks for is sent at once.

mod address;
mod apply;
mod archive;
mod causes;
mod entries;
mod entry_columns;
mod leases;
mod listening;
mod meta;
mod operations;
mod outbox;
mod redating;
mod related;
mod rows;
pub(super) mod schema;
mod search;
mod session;
mod shares;
mod stories;
mod surroundings;
mod tables;
mod tls;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio_postgres::Row;

use super::ailment::Ailment;
use super::moving::Tables as _;
use super::{
    Applied, Arrivals, Change, EntryDay, Filter, Held, Inquiry, Outline, Part, Pulse, SourceShare, Store, StoreError,
    Surroundings,
};
use crate::feed::Timestamp;
use crate::outbox::Outbox;
use crate::state::{Announcement, LeaseAnswer, LeaseRequest, Monitored, NodeState, Remembered, Throttle, Turn};
use crate::story::{Gist, Month, Order, Revision, StoryTally, Told, Tombstone};

pub use address::Address;
pub use listening::listen;
use session::{Answers, Session, call};

/// A store in a database.
#[derive(Debug)]
pub struct Postgres {
    session: Session,
}

impl Postgres {
    /// Opens the store at `address`, makes its tables if there are none, migrates them if they are older; waits for locks of
    /// others no longer than `patience`.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Foreign`], [`StoreError::Newer`].
    pub fn open_within(address: &Address, patience: Duration) -> Result<Self, StoreError> {
        Self::open_to_move(address, patience)?.whole()
    }

    /// Opens the store at `address` as [`Postgres::open_within`] does; makes no tables where there are none.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`Postgres::open_within`].
    pub fn open_existing(address: &Address, patience: Duration) -> Result<Self, StoreError> {
        let mut session = Session::connect(address, patience)?;
        if schema::store_format(&mut session)?.is_none() {
            return Err(StoreError::Missing { store: session.name().to_owned() });
        }
        schema::migrate(&mut session)?;
        Self { session }.whole()
    }

    /// Opens an existing store for reading; one that is of an older format is migrated.
    ///
    /// # Errors
    /// Those of [`Postgres::open_existing`].
    pub fn read_within(address: &Address, patience: Duration) -> Result<Self, StoreError> {
        let mut session = Session::connect(address, patience)?;
        match schema::store_format(&mut session)? {
            None => Err(StoreError::Missing { store: session.name().to_owned() }),
            Some(format) if format == schema::known_format() => Self { session }.whole(),
            Some(_) => Self::open_existing(address, patience),
        }
    }

    /// Opens the store at `address` as [`Postgres::open_within`] does, also one to which another one is being moved.
    ///
    /// # Errors
    /// Those of [`Postgres::open_within`].
    pub fn open_to_move(address: &Address, patience: Duration) -> Result<Self, StoreError> {
        let mut session = Session::connect(address, patience)?;
        schema::migrate(&mut session)?;
        Ok(Self { session })
    }

    /// Refuses a store that is not whole.
    fn whole(mut self) -> Result<Self, StoreError> {
        match self.mark()? {
            Some(_) => Err(StoreError::Unfinished { store: self.session.name().to_owned() }),
            None => Ok(self),
        }
    }

    fn of_server<T>(&self, instead: &'static str) -> Result<T, StoreError> {
        Err(StoreError::OfServer { store: self.session.name().to_owned(), instead })
    }
}

impl Store for Postgres {
    fn sources(&mut self, ids: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
        self.told_as(|store| store.remembered(ids))
    }

    fn surroundings(&mut self, asked: &Inquiry) -> Result<Surroundings, StoreError> {
        self.told_as(|store| store.look_around(asked))
    }

    fn apply(&mut self, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError> {
        self.told_as(|store| store.write(changes, seen))
    }

    fn entries(&mut self, filter: &Filter) -> Result<Vec<Held>, StoreError> {
        self.told_as(|store| store.found(filter))
    }

    fn revisions(&mut self, number: i64) -> Result<Vec<Revision>, StoreError> {
        self.told_as(|store| store.all_revisions(number))
    }

    fn unrelated(&mut self, topic: &str, after: Option<Order>, limit: usize) -> Result<Vec<(Gist, bool)>, StoreError> {
        self.told_as(|store| store.unrelated_page(topic, after, limit))
    }

    fn outline(&mut self, topics: &[String], turns: usize) -> Result<Outline, StoreError> {
        self.told_as(|store| store.outline_now(topics, turns))
    }

    fn stories(&mut self, topic: &str, part: Part) -> Result<Vec<Order>, StoreError> {
        self.told_as(|store| store.stories_of(topic, part))
    }

    fn told(&mut self, topic: &str, stories: &[i64]) -> Result<Vec<Told>, StoreError> {
        self.told_as(|store| store.told_beside(topic, stories))
    }

    fn tombstones(&mut self, topic: &str, month: Option<Month>, limit: usize) -> Result<Vec<Tombstone>, StoreError> {
        self.told_as(|store| store.gone(topic, month, limit))
    }

    fn tally(&mut self, topics: &[String], from: Timestamp, until: Timestamp) -> Result<StoryTally, StoreError> {
        self.told_as(|store| store.tally_of(topics, from, until))
    }

    fn entry_days(&mut self, since: Timestamp) -> Result<BTreeMap<String, Vec<EntryDay>>, StoreError> {
        self.told_as(|store| store.days(since))
    }

    fn shares(&mut self) -> Result<Vec<SourceShare>, StoreError> {
        self.told_as(Postgres::all_shares)
    }

    fn arrivals(&mut self, after: i64) -> Result<Arrivals, StoreError> {
        self.told_as(|store| store.arrived(after))
    }

    fn health(&mut self, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError> {
        self.told_as(|store| store.last_turns(of))
    }

    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError> {
        self.told_as(Postgres::all_announcements)
    }

    fn outbox(&mut self, post: &str, since: Timestamp, limit: usize) -> Result<Outbox, StoreError> {
        self.told_as(|store| store.outbox_of(post, since, limit))
    }

    fn lease(&mut self, request: &LeaseRequest) -> Result<LeaseAnswer, StoreError> {
        self.told_as(|store| leases::lease(&mut store.session, request))
    }

    fn nodes(&mut self) -> Result<Vec<NodeState>, StoreError> {
        self.told_as(|store| leases::nodes(&mut store.session))
    }

    fn throttles(&mut self, now: Timestamp) -> Result<Vec<Throttle>, StoreError> {
        self.told_as(|store| store.all_throttles(now))
    }

    fn pulse(&mut self) -> Result<Pulse, StoreError> {
        self.told_as(Postgres::pulse_now)
    }

    fn drop_before(&mut self, before: Timestamp, sources: &[String], limit: usize) -> Result<usize, StoreError> {
        self.told_as(|store| store.drop_stories(before, sources, limit))
    }

    fn drop_labels(&mut self, limit: usize) -> Result<usize, StoreError> {
        self.told_as(|store| store.drop_stale_labels(limit))
    }

    fn attempt(&mut self) -> Result<(), StoreError> {
        let attempt = call!("INSERT INTO meta VALUES ('attempt', 1) ON CONFLICT DO NOTHING");
        self.session.begin(&[attempt])?;
        self.session.commit(&[meta::set("attempt", None)])?;
        Ok(())
    }

    fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.session.set_patience(patience)
    }

    fn check_all(&mut self) -> Result<(), StoreError> {
        match schema::store_format(&mut self.session)? {
            Some(_) => Ok(()),
            None => Err(StoreError::Missing { store: self.session.name().to_owned() }),
        }
    }

    fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        // The server tidies up by itself. Hosts that have left all configs are nobody's any more.
        let tidied = meta::set("tidied", Some(rows::unix(now)));
        self.session.at_once(&[tidied, outbox::drop_spent(now), leases::forget_idle()]).map(|_| ())
    }

    fn backup(&mut self, _: &Path) -> Result<(), StoreError> {
        self.of_server("make a dump with `pg_dump --format=custom`, and put it back with `pg_restore`")
    }
}

impl Postgres {
    /// Lets the failures of a job tell the store's name.
    fn told_as<T>(&mut self, job: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let result = job(self);
        causes::explained(result, self.session.name())
    }

    fn outline_now(&mut self, topics: &[String], turns: usize) -> Result<Outline, StoreError> {
        let mut calls = vec![meta::ask_head()];
        calls.extend(archive::ask_topics(topics));
        calls.extend(operations::ask_remembered(None));
        calls.push(operations::ask_last_turns(None));
        calls.push(operations::ask_turns(turns));
        calls.push(operations::ask_announcements());
        calls.push(related::ask_waiting());
        let mut answers = self.session.look(&calls)?;
        Ok(Outline {
            generation: meta::head(&mut answers)?.0,
            topics: archive::topic_outlines(&mut answers)?,
            sources: operations::remembered(&mut answers, None)?.into_iter().map(|known| known.state).collect(),
            health: rows::next(&mut answers, operations::turn)?,
            turns: rows::next(&mut answers, operations::turn)?,
            hubs: rows::next(&mut answers, operations::announcement)?,
            unrelated: rows::next(&mut answers, |row| rows::number(row, 0))?,
        })
    }
}

#[cfg(test)]
impl Postgres {
    /// Another client does this.
    pub(crate) fn script(address: &Address, sql: &str) -> Result<(), StoreError> {
        Session::connect(address, Duration::from_mins(1))?.simple(sql)
    }

    /// Another client reads the numbers in the first column.
    pub(crate) fn numbers(address: &Address, sql: &str) -> Result<Vec<i64>, StoreError> {
        let mut session = Session::connect(address, Duration::from_mins(1))?;
        rows::next(&mut session.look(&[call!(sql.to_owned())])?, |row| rows::number(row, 0))
    }

    /// Lets the last statement of the session hold a word by which others find it.
    pub(crate) fn mark_session(&mut self, word: &str) -> Result<(), StoreError> {
        self.session.simple(&format!("SELECT 1 AS {word}"))
    }

    /// Locks the generation until the store is dropped.
    pub(crate) fn hold(&mut self) -> Result<(), StoreError> {
        self.session.begin(&[meta::lock()]).map(|_| ())
    }
}
