//! The store in a database of a PostgreSQL server, the only home of `tokio_postgres` and `rustls`.
//!
//! Several machines may share it. Whoever writes something that a decision or a publication may see locks the row
//! `generation` of `meta` first, and finds there whether the store has changed since its look. So such writes stand in one
//! row, as they do in a file. A poll without news takes no lock.
//!
//! Each method is one transaction and one round trip to the server, `apply` two: all that a look asks for is sent at once.

mod address;
mod causes;
mod leases;
mod rows;
mod schema;
mod session;
mod tls;

use std::path::Path;
use std::time::Duration;

use tokio_postgres::Row;

use super::ailment::Ailment;
use super::{
    Applied, Arrivals, Change, EntryDay, Filter, Held, Inquiry, Outline, Part, Pulse, SourceShare, Store, StoreError,
    Surroundings,
};
use crate::feed::Timestamp;
use crate::state::{Announcement, LeaseAnswer, LeaseRequest, Monitored, NodeState, Remembered, Throttle, Turn};
use crate::story::{Gist, Month, Order, Revision, Told, Tombstone};

pub use address::Address;
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
        let mut session = Session::connect(address, patience)?;
        schema::migrate(&mut session)?;
        Ok(Self { session })
    }

    /// Opens the store at `address` as [`Postgres::open_within`] does; makes no tables where there are none.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and those of [`Postgres::open_within`].
    pub fn open_existing(address: &Address, patience: Duration) -> Result<Self, StoreError> {
        let mut session = Session::connect(address, patience)?;
        if schema::format(&mut session)?.is_none() {
            return Err(StoreError::Missing { store: session.name().to_owned() });
        }
        schema::migrate(&mut session)?;
        Ok(Self { session })
    }

    /// Opens an existing store for reading; one that is of an older format is migrated.
    ///
    /// # Errors
    /// Those of [`Postgres::open_existing`].
    pub fn read_within(address: &Address, patience: Duration) -> Result<Self, StoreError> {
        let mut session = Session::connect(address, patience)?;
        match schema::format(&mut session)? {
            None => Err(StoreError::Missing { store: session.name().to_owned() }),
            Some(format) if format == schema::known_format() => Ok(Self { session }),
            Some(_) => Self::open_existing(address, patience),
        }
    }

    fn of_server<T>(&self, instead: &'static str) -> Result<T, StoreError> {
        Err(StoreError::OfServer { store: self.session.name().to_owned(), instead })
    }
}

impl Store for Postgres {
    fn sources(&mut self, _: Option<&[String]>) -> Result<Vec<Remembered>, StoreError> {
        Err(StoreError::Shut)
    }
    fn surroundings(&mut self, _: &Inquiry) -> Result<Surroundings, StoreError> {
        Err(StoreError::Shut)
    }
    fn apply(&mut self, _: &[Change], _: Option<i64>) -> Result<Applied, StoreError> {
        Err(StoreError::Shut)
    }
    fn entries(&mut self, _: &Filter) -> Result<Vec<Held>, StoreError> {
        Err(StoreError::Shut)
    }
    fn revisions(&mut self, _: i64) -> Result<Vec<Revision>, StoreError> {
        Err(StoreError::Shut)
    }
    fn unrelated(&mut self, _: &str, _: Option<Order>, _: usize) -> Result<Vec<(Gist, bool)>, StoreError> {
        Err(StoreError::Shut)
    }
    fn outline(&mut self, _: &[String], _: usize) -> Result<Outline, StoreError> {
        Err(StoreError::Shut)
    }
    fn stories(&mut self, _: &str, _: Part) -> Result<Vec<i64>, StoreError> {
        Err(StoreError::Shut)
    }
    fn told(&mut self, _: &str, _: &[i64]) -> Result<Vec<Told>, StoreError> {
        Err(StoreError::Shut)
    }
    fn tombstones(&mut self, _: &str, _: Option<Month>, _: usize) -> Result<Vec<Tombstone>, StoreError> {
        Err(StoreError::Shut)
    }
    fn entry_days(&mut self, _: Timestamp) -> Result<Vec<EntryDay>, StoreError> {
        Err(StoreError::Shut)
    }
    fn shares(&mut self) -> Result<Vec<SourceShare>, StoreError> {
        Err(StoreError::Shut)
    }
    fn arrivals(&mut self, _: i64) -> Result<Arrivals, StoreError> {
        Err(StoreError::Shut)
    }
    fn health(&mut self, _: Option<&Monitored>) -> Result<Vec<Turn>, StoreError> {
        Err(StoreError::Shut)
    }
    fn announcements(&mut self) -> Result<Vec<Announcement>, StoreError> {
        Err(StoreError::Shut)
    }
    fn lease(&mut self, request: &LeaseRequest) -> Result<LeaseAnswer, StoreError> {
        leases::lease(&mut self.session, request)
    }

    fn nodes(&mut self) -> Result<Vec<NodeState>, StoreError> {
        leases::nodes(&mut self.session)
    }

    fn throttles(&mut self, _: Timestamp) -> Result<Vec<Throttle>, StoreError> {
        Err(StoreError::Shut)
    }
    fn pulse(&mut self) -> Result<Pulse, StoreError> {
        Err(StoreError::Shut)
    }
    fn drop_before(&mut self, _: Timestamp, _: &[String], _: usize) -> Result<usize, StoreError> {
        Err(StoreError::Shut)
    }
    fn drop_labels(&mut self, _: usize) -> Result<usize, StoreError> {
        Err(StoreError::Shut)
    }
    fn tidy(&mut self, _: Timestamp) -> Result<(), StoreError> {
        Err(StoreError::Shut)
    }

    fn attempt(&mut self) -> Result<(), StoreError> {
        // An unlogged change of a row that nobody else locks.
        self.session.begin(&[call!("INSERT INTO meta VALUES ('attempt', 1) ON CONFLICT DO NOTHING")])?;
        self.session.commit(&[call!("DELETE FROM meta WHERE name = 'attempt'")])?;
        Ok(())
    }

    fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.session.set_patience(patience)
    }

    fn check_all(&mut self) -> Result<(), StoreError> {
        schema::format(&mut self.session)?;
        Ok(())
    }

    fn backup(&mut self, _: &Path) -> Result<(), StoreError> {
        self.of_server("make a dump with `pg_dump --format=custom`, put it back with `pg_restore`")
    }
}
