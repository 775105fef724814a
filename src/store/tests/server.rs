//! Schemas of a PostgreSQL server for tests, and the promises that only a server can show. `tests/postgres.sh` starts one.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::config::Secret;
use crate::store::postgres::Address;

/// The server for tests.
fn server() -> String {
    std::env::var("VEILLE_TEST_POSTGRES").expect("run by tests/postgres.sh, which starts a server and names it")
}

/// An address with a setting of the session.
fn with_option(address: &str, option: &str) -> Address {
    let url = if address.contains("://") {
        let sign = if address.contains('?') { '&' } else { '?' };
        format!("{address}{sign}options=-c%20{}", option.replace('=', "%3D"))
    } else {
        format!("{address} options='-c {option}'")
    };
    Address { url: Secret::Text(url), password: None }
}

/// A schema of its own, as long as it is held.
pub(super) struct Schema {
    pub(super) address: Address,
    name: String,
}

impl Schema {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("veille_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let schema = Self { address: with_option(&server(), &format!("search_path={name}")), name };
        schema.run(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    fn run(&self, sql: &str) {
        Postgres::script(&Address { url: Secret::Text(server()), password: None }, sql).unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.run(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}
