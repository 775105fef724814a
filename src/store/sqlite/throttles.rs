//! Hosts that asked to be left alone.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::feed::Timestamp;
use crate::state::Throttle;

pub(super) fn all(connection: &Connection, now: Timestamp) -> Result<Vec<Throttle>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT host, until FROM throttle WHERE until > ?1 ORDER BY host")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, rows::time(row, 1)?));
    let found = statement.query_map([unix(now)], read)?.collect::<Result<Vec<(String, Option<Timestamp>)>, _>>()?;
    Ok(found.into_iter().filter_map(|(host, until)| Some(Throttle { host, until: until? })).collect())
}

pub(super) fn save(connection: &Connection, throttle: &Throttle, now: Timestamp) -> Result<(), StoreError> {
    let over = "DELETE FROM throttle WHERE until <= ?1 OR host = ?2 AND ?3 <= ?1";
    connection.prepare_cached(over)?.execute(params![unix(now), throttle.host, unix(throttle.until)])?;
    if throttle.until <= now {
        return Ok(());
    }
    let sql = "INSERT INTO throttle VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)";
    connection.prepare_cached(sql)?.execute(params![throttle.host, unix(throttle.until)])?;
    Ok(())
}
