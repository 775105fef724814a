//! Changes in the health of sources, hubs and the config.

use rusqlite::{Connection, Row, params};

use super::{StoreError, rows, unix};
use crate::outage::Lack;
use crate::state::{Health, Monitored, Turn};

const COLUMNS: &str = "source_id, date, health, detail";

pub(super) fn note(connection: &Connection, turn: &Turn) -> Result<(), StoreError> {
    connection.prepare_cached(&format!("INSERT INTO change ({COLUMNS}) VALUES (?1, ?2, ?3, ?4)"))?.execute(params![
        id(&turn.of),
        unix(turn.date),
        word(turn.health),
        turn.detail
    ])?;
    Ok(())
}

pub(super) fn last(connection: &Connection, of: Option<&Monitored>) -> Result<Vec<Turn>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM change WHERE number IN (
            SELECT max(number) FROM change
            WHERE health <> 'moved' AND (?1 IS NULL OR source_id = ?1) GROUP BY source_id
         ) ORDER BY source_id"
    );
    Ok(connection.prepare_cached(&sql)?.query_map([of.map(id)], read)?.collect::<Result<_, _>>()?)
}

/// Outages of this machine, whose ids begin with a colon, are no news of a source.
pub(super) fn turns(connection: &Connection, limit: usize) -> Result<Vec<Turn>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let sql = format!("SELECT {COLUMNS} FROM change WHERE source_id NOT LIKE ':%' ORDER BY number DESC LIMIT ?1");
    Ok(connection.prepare_cached(&sql)?.query_map([limit], read)?.collect::<Result<_, _>>()?)
}

fn word(health: Health) -> &'static str {
    match health {
        Health::Recovered => "recovered",
        Health::Silent => "silent",
        Health::Unreachable => "unreachable",
        Health::Unreadable => "unreadable",
        Health::Gone => "gone",
        Health::Moved => "moved",
        Health::Invalid => "invalid",
        Health::Lacking => "lacking",
    }
}

/// What a word stands for.
pub(super) fn of(word: &str) -> Health {
    match word {
        "silent" => Health::Silent,
        "unreachable" => Health::Unreachable,
        "unreadable" => Health::Unreadable,
        "gone" => Health::Gone,
        "moved" => Health::Moved,
        "invalid" => Health::Invalid,
        "lacking" => Health::Lacking,
        _ => Health::Recovered,
    }
}

/// Returns the text that stands in `source_id`: a source's id, a hub's address, nothing for the config, a word after a colon
/// for this machine.
fn id(of: &Monitored) -> &str {
    match of {
        Monitored::Source(id) | Monitored::Hub(id) => id,
        Monitored::Config => "",
        Monitored::Machine(lack) => lack.id(),
    }
}

/// Reads a text that [`id`] wrote. Ids of sources have no colon.
fn monitored(id: String) -> Monitored {
    if let Some(lack) = Lack::ALL.into_iter().find(|lack| lack.id() == id) {
        return Monitored::Machine(lack);
    }
    match id {
        id if id.is_empty() => Monitored::Config,
        id if id.contains(':') => Monitored::Hub(id),
        id => Monitored::Source(id),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Turn> {
    let health = of(&row.get::<_, String>(2)?);
    let date = rows::time(row, 1)?.unwrap_or_default();
    Ok(Turn { of: monitored(row.get(0)?), date, health, detail: row.get(3)? })
}
