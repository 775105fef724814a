//! Whether a database is fit to be a store, and whose its tables are; making and migrating them.

use std::time::Instant;

use tracing::info;

use super::session::{Session, call};
use super::{Ailment, StoreError, meta, rows};
use crate::store::ailment::POSTGRES_MIN;
use crate::store::migrated;

/// One step per format, in order, never changed once released; the table `veille` tells the steps done.
pub(in crate::store) const MIGRATIONS: [&str; 3] =
    [include_str!("001.sql"), include_str!("002.sql"), include_str!("003.sql")];

/// The table that tells our tables from those of others.
const MARK: &str = "CREATE TABLE veille (format BIGINT NOT NULL); INSERT INTO veille VALUES (0)";

/// The lock under which one process at a time migrates ("veil").
const MIGRATING: i64 = 0x7665_696c;

/// The longest wait for another process that migrates.
const PATIENCE_TO_MIGRATE: &str = "SET LOCAL lock_timeout = '10min'; SET LOCAL statement_timeout = 0";

/// Facts about the database: version, encoding, the schema for new tables, whether ours are there, and how many others.
/// Those of extensions are nobody's.
const FACTS: &str = "SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding'),
        current_schema()::text, to_regclass(quote_ident(current_schema()) || '.veille') IS NOT NULL,
        (SELECT count(*) FROM pg_class
         WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
            AND relkind IN ('r', 'p', 'v', 'm', 'f')
            AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e'))";

pub(super) fn known_format() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Returns the format of the store; `None` if there is none.
///
/// # Errors
/// When the database cannot be a store, or its tables are not ours or too new.
pub(super) fn store_format(session: &mut Session) -> Result<Option<i64>, StoreError> {
    let facts = session.look(&[call!(FACTS)])?;
    if !is_ours(session, facts)? {
        return Ok(None);
    }
    let answers = session.look(&[call!("SELECT format FROM veille")]);
    let format = match answers {
        // A table of this name, but another one.
        Err(StoreError::Failed { ailment: Ailment::Stripped, .. }) => return Err(foreign(session)),
        answers => rows::single(answers?, |row| rows::number(row, 0))?,
    };
    let found = format.ok_or_else(|| foreign(session))?;
    if found > known_format() {
        let store = session.name().to_owned();
        return Err(StoreError::Newer { store, found, known: known_format() });
    }
    Ok(Some(found))
}

fn foreign(session: &Session) -> StoreError {
    StoreError::Foreign { store: session.name().to_owned() }
}

/// Whether our tables are there.
fn is_ours(session: &Session, facts: super::Answers) -> Result<bool, StoreError> {
    let read = |row: &super::Row| {
        let (version, encoding): (i64, String) = (rows::get(row, 0)?, rows::get(row, 1)?);
        let (schema, is_marked): (Option<String>, bool) = (rows::get(row, 2)?, rows::get(row, 3).unwrap_or(false));
        Ok((version, encoding, schema, is_marked, rows::get::<i64>(row, 4)?))
    };
    let Some((version, encoding, schema, is_marked, tables)) = rows::single(facts, read)? else { return Ok(false) };
    let unfit =
        |ailment, why: String| Err(StoreError::Open { store: session.name().to_owned(), ailment, source: why.into() });
    if version < i64::from(POSTGRES_MIN) * 10_000 {
        return unfit(Ailment::Old, format!("it is version {}", version / 10_000));
    }
    if encoding != "UTF8" {
        return unfit(Ailment::Encoding, format!("it is encoded in {encoding}"));
    }
    if schema.is_none() {
        return unfit(Ailment::Privileges, "no schema of the `search_path` exists, or may be used".into());
    }
    if !is_marked && tables > 0 {
        return Err(foreign(session));
    }
    Ok(is_marked)
}

/// Makes the tables, or runs the missing migrations: all or none, one process at a time.
pub(super) fn migrate(session: &mut Session) -> Result<(), StoreError> {
    let migrated = match store_format(session)? {
        Some(format) if format == known_format() => Ok(()),
        _ => steps(session),
    };
    migrated.and_then(|()| meta::note_missing(session)).map_err(|error| match error {
        StoreError::Failed { store, ailment, source } => StoreError::Open { store, ailment, source },
        other => other,
    })
}

fn steps(session: &mut Session) -> Result<(), StoreError> {
    let began = Instant::now();
    session.begin(&[])?;
    session.script(PATIENCE_TO_MIGRATE)?;
    session.send(&[call!("SELECT pg_advisory_xact_lock($1)", MIGRATING)])?;
    // Read under the lock: another process may have migrated meanwhile.
    let facts = session.send(&[call!(FACTS)])?;
    if !is_ours(session, facts)? {
        session.script(MARK)?;
    }
    let done = session.send(&[call!("SELECT format FROM veille")])?;
    let done = rows::single(done, |row| rows::number(row, 0))?.unwrap_or_default();
    for step in MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0)) {
        session.script(step)?;
    }
    session.commit(&[call!("UPDATE veille SET format = $1", known_format())])?;
    if let Some(told) = migrated(&MIGRATIONS, done, began.elapsed()) {
        info!("{told}");
    }
    Ok(())
}
