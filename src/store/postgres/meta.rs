//! Facts about the store as a whole: numbers by name, sets of rules, and which derived tables are missing.

use tokio_postgres::Row;

use super::rows;
use super::session::{Answers, Call, Session, call};
use super::{Postgres, StoreError};
use crate::feed::Timestamp;
use crate::store::{Pulse, Relabelling};
use crate::text::WORDS_VERSION;

/// The entries without labels under the rules to come, else those in force.
pub(super) const UNLABELLED: &str = "SELECT entry FROM unlabelled WHERE rules = coalesce(
    (SELECT value FROM meta WHERE name = 'next_rules'), (SELECT value FROM meta WHERE name = 'rules'))";

/// Keeps a number; `None` deletes it.
pub(super) fn set(name: &'static str, value: Option<i64>) -> Call<'static> {
    match value {
        Some(value) => call!(
            "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value,
        ),
        None => call!("DELETE FROM meta WHERE name = $1", name),
    }
}

/// Raises the generation by a random step, as `sqlite` does: a store that was put back from a dump, or a server that takes over
/// without the last seconds, never repeats a generation under which it showed something else.
pub(super) fn raise_generation() -> Call<'static> {
    call!("UPDATE meta SET value = value + 1 + floor(random() * 1048576)::bigint WHERE name = 'generation'")
}

/// Counts a transaction that writes changes, whether it is kept or not.
pub(super) fn count_write() -> Call<'static> {
    call!("SELECT nextval('written')")
}

/// Asks for the generation, the next number and the rules in force; [`head`] reads the answer.
pub(super) fn ask_head() -> Call<'static> {
    call!(
        "SELECT (SELECT value FROM meta WHERE name = 'generation'), (SELECT value FROM meta WHERE name = 'last_entry'),
            (SELECT rules FROM ruleset WHERE id = (SELECT value FROM meta WHERE name = 'rules'))"
    )
}

/// The generation, the last number of an entry, and the rules in force.
pub(super) fn head(answers: &mut Answers) -> Result<(i64, i64, String), StoreError> {
    let read = |row: &Row| {
        let (generation, last): (Option<i64>, Option<i64>) = (rows::get(row, 0)?, rows::get(row, 1)?);
        let rules: Option<String> = rows::get(row, 2)?;
        Ok((generation.unwrap_or_default(), last.unwrap_or_default(), rules.unwrap_or_default()))
    };
    Ok(rows::next_single(answers, read)?.unwrap_or_default())
}

/// Notes which derived data was deleted or is outdated (clues, sketches, stories, labels), to be made again.
pub(super) fn note_missing(session: &mut Session) -> Result<(), StoreError> {
    session.simple(&include_str!("missing.sql").replace("{words_version}", &WORDS_VERSION.to_string()))
}

impl Postgres {
    pub(super) fn pulse_now(&mut self) -> Result<Pulse, StoreError> {
        let facts = "SELECT (SELECT value FROM meta WHERE name = 'generation'),
            (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
             WHERE relkind = 'r' AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'meta'::regclass)),
            (SELECT value FROM meta WHERE name = 'tidied'), (SELECT value FROM meta WHERE name = 'labelled'),
            (SELECT value FROM meta WHERE name = 'rebuilt'),
            (SELECT rules FROM ruleset WHERE id = (SELECT value FROM meta WHERE name = 'rules')),
            (SELECT rules FROM ruleset WHERE id = (SELECT value FROM meta WHERE name = 'next_rules')),
            (SELECT last_value FROM written)";
        let unlabelled = format!("SELECT count(*) FROM ({UNLABELLED}) AS waiting");
        let mut answers = self.session.look(&[call!(facts), call!(unlabelled)])?;
        let own = self.written;
        let read = |row: &Row| {
            let number = |column| rows::get::<Option<i64>>(row, column);
            let word = |column| rows::get::<Option<String>>(row, column);
            let labelled = number(3)?.unwrap_or_default();
            Ok(Pulse {
                generation: number(0)?.unwrap_or_default(),
                size: number(1)?.unwrap_or_default().unsigned_abs(),
                tidied: number(2)?.and_then(|at| Timestamp::from_timestamp(at, 0)),
                rules: word(5)?.unwrap_or_default(),
                relabelling: word(6)?.map(|rules| Relabelling { rules, labelled }),
                unlabelled: 0,
                rebuilt: number(4)?,
                others: number(7)?.unwrap_or_default() - own,
            })
        };
        let pulse = rows::next_single(&mut answers, read)?.unwrap_or_default();
        let unlabelled = rows::next_single(&mut answers, |row| rows::number(row, 0))?.unwrap_or_default();
        Ok(Pulse { unlabelled: usize::try_from(unlabelled).unwrap_or_default(), ..pulse })
    }
}

/// Locks the generation: nobody else writes, until the end of the transaction, what a decision may see.
pub(super) fn lock() -> Call<'static> {
    call!("SELECT value FROM meta WHERE name = 'generation' FOR UPDATE")
}
