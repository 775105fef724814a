//! Writing changes in one transaction. Nothing is decided here but which months of which topics look different.
//!
//! Two round trips: the first locks the generation and reads what the changes need to know of stored entries, the second
//! writes all and commits. Changes of one kind are one statement. Only relabelling, new dates and first rules read in between.

mod entry_changes;
mod rule_changes;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::discriminant;

use tokio_postgres::Row;

use super::rows::{self, array, unix};
use super::session::{Call, call};
use super::{Postgres, StoreError, archive, causes, entries, leases, meta, operations, outbox, related, websub};
use crate::feed::Timestamp;
use crate::state::{Hold, Validators};
use crate::store::{Applied, Change};
use crate::story::{Fingerprint, Prepared};

/// The content of a variant, if a change is one.
macro_rules! of {
    ($change:expr, $pattern:pat => $content:expr) => {
        if let $pattern = $change { Some($content) } else { None }
    };
}

use of;

/// Tries of a transaction that the server gives up for another one.
const TRIES: usize = 5;

impl Postgres {
    pub(super) fn write(&mut self, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError> {
        for _ in 1..TRIES {
            match self.try_write(changes, seen) {
                Err(error) if causes::is_given_up(&error) => {}
                applied => return applied,
            }
        }
        self.try_write(changes, seen)
    }

    fn try_write(&mut self, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError> {
        let numbers: Vec<i64> = changes.iter().filter_map(stored).collect();
        let sources: Vec<String> = changes
            .iter()
            .filter_map(|change| if let Change::Source(state) = change { Some(state.source_id.clone()) } else { None })
            .collect();
        // A poll without news depends on nothing that others write, and waits for nobody.
        let is_locking = changes.iter().any(|change| {
            !matches!(change, Change::Held(_) | Change::Source(_) | Change::Throttle { .. } | Change::WebSub(_))
        });
        let generation =
            if is_locking { meta::lock() } else { call!("SELECT value FROM meta WHERE name = 'generation'") };
        let holds: Vec<Hold> =
            changes.iter().filter_map(|change| of!(change, Change::Held(hold) => hold.clone())).collect();
        // Before the generation: a round of leases that waits for this transaction must not hold anything that it waits for.
        let mut calls: Vec<Call<'_>> = Vec::new();
        calls.extend((!holds.is_empty()).then(|| leases::guarded(&holds)));
        calls.extend([
            meta::count_write(),
            generation,
            call!(
                "SELECT (SELECT value FROM meta WHERE name = 'rules'), (SELECT value FROM meta WHERE name = 'next_rules'),
                    EXISTS (SELECT 1 FROM meta WHERE name = 'has_labels')"
            ),
            call!("SELECT id, rules FROM ruleset"),
        ]);
        calls.push(call!(
            "SELECT entry.number, story, date, first_seen, fingerprint, sketch.clues
             FROM entry LEFT JOIN sketch ON sketch.entry = entry.number WHERE entry.number = ANY($1)",
            numbers,
        ));
        calls.push(call!(
            "SELECT source_id, url, etag, last_modified FROM validator WHERE source_id = ANY($1) ORDER BY source_id, url",
            sources,
        ));
        self.written += 1;
        let mut answers = self.session.begin(&calls)?;
        if !holds.is_empty() {
            let guarded = answers.next().unwrap_or_default();
            if let Err(error) = leases::refuse_overtaken(&holds, &guarded) {
                self.session.rollback()?;
                return Err(error);
            }
        }
        drop(answers.next());
        let generation = rows::next_single(&mut answers, |row| rows::number(row, 0))?;
        if seen.is_some() && seen != generation {
            self.session.rollback()?;
            return Ok(Applied::Conflict);
        }
        let rules = |row: &Row| Ok((rows::get::<Option<i64>>(row, 0)?, rows::get(row, 1)?, rows::get(row, 2)?));
        let (rules, next_rules, has_labels) = rows::next_single(&mut answers, rules)?.unwrap_or_default();
        let ruleset = |row: &Row| Ok((rows::get(row, 1)?, rows::number(row, 0)?));
        let rulesets = rows::next(&mut answers, ruleset)?.into_iter().collect();
        let facts = rows::next(&mut answers, fact)?.into_iter().collect();
        let validators = operations::validators(&mut answers)?;
        let mut writing = ChangeBatch {
            store: self,
            calls: Vec::new(),
            is_raised: false,
            rules: rules.unwrap_or_default(),
            next_rules,
            has_labels,
            rulesets,
            facts,
            validators,
            last: 0,
            touched: BTreeSet::new(),
            clues: BTreeSet::new(),
        };
        let written = writing.write(changes);
        if let Err(error) = written {
            // Nothing is left open, also after a failure that the server has not seen.
            let _ = self.session.rollback();
            return Err(error);
        }
        Ok(Applied::Kept)
    }
}

/// The stored entry of which a change needs to know something.
fn stored(change: &Change) -> Option<i64> {
    match change {
        Change::Update { number, .. }
        | Change::Move { number, .. }
        | Change::Relist { number, .. }
        | Change::Label { number, .. }
        | Change::Sketch { number, .. } => Some(*number),
        _ => None,
    }
}

/// Facts about a stored entry that changes to it need.
#[derive(Debug, Clone)]
struct Fact {
    story: i64,
    date: i64,
    first_seen: i64,
    fingerprint: Fingerprint,
    /// As its sketch lists them.
    clues: Vec<u8>,
}

fn fact(row: &Row) -> Result<(i64, Fact), StoreError> {
    let fact = Fact {
        story: rows::number(row, 1)?,
        date: rows::number(row, 2)?,
        first_seen: rows::number(row, 3)?,
        fingerprint: entries::fingerprint(row, 4)?,
        clues: rows::get::<Option<Vec<u8>>>(row, 5)?.unwrap_or_default(),
    };
    Ok((rows::number(row, 0)?, fact))
}

struct ChangeBatch<'s, 'a> {
    store: &'s mut Postgres,
    /// Statements that are still to be sent.
    calls: Vec<Call<'a>>,
    /// Whether the generation was raised for this transaction.
    is_raised: bool,
    rules: i64,
    /// The rules to come.
    next_rules: Option<i64>,
    /// Whether it is noted that there are labels.
    has_labels: bool,
    rulesets: HashMap<String, i64>,
    /// By number.
    facts: HashMap<i64, Fact>,
    /// By source, as they are stored.
    validators: HashMap<String, Vec<Validators>>,
    /// The highest number that was inserted.
    last: i64,
    /// Stories that look different.
    touched: BTreeSet<i64>,
    /// Clues to write: period, hash, entry. They are written at the end in the order of their table.
    clues: BTreeSet<(i64, i64, i64)>,
}

/// An entry with what is made of it.
struct WrittenEntry<'a> {
    number: i64,
    prepared: &'a Prepared,
    first_seen: Timestamp,
    /// The set of its rules.
    rules: i64,
}

impl<'a> ChangeBatch<'_, 'a> {
    fn write(&mut self, changes: &'a [Change]) -> Result<(), StoreError> {
        if changes.iter().any(Change::is_seen) {
            self.raise_generation();
        }
        let (apart, rest): (Vec<&Change>, Vec<&Change>) =
            changes.iter().filter(|change| !matches!(change, Change::Held(_))).partition(|change| stands_alone(change));
        let rest = insertions_first(rest);
        for run in runs(&rest) {
            self.run(run)?;
        }
        for run in runs(&apart) {
            self.run(run)?;
        }
        self.finish()
    }

    /// Writes changes of one kind, no two of which are of one entry.
    fn run(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
        let Some(first) = run.first() else { return Ok(()) };
        match first {
            // Looked up before anything else, and not among these.
            Change::Held(_) => {}
            Change::Source(_) => {
                let states: Vec<_> =
                    run.iter().filter_map(|change| of!(change, Change::Source(state) => &**state)).collect();
                let calls = operations::save_sources(&states, &self.validators)?;
                self.calls.extend(calls);
            }
            Change::Throttle { .. } => {
                let throttles =
                    run.iter().filter_map(|change| of!(change, Change::Throttle { throttle, now } => (throttle, *now)));
                self.calls.extend(throttles.flat_map(|(throttle, now)| operations::save_throttle(throttle, now)));
            }
            Change::Turn(_) => {
                let turns: Vec<_> = run.iter().filter_map(|change| of!(change, Change::Turn(turn) => turn)).collect();
                self.calls.push(operations::note_turns(&turns));
            }
            Change::Announced(_) => {
                let announced = run.iter().filter_map(|change| of!(change, Change::Announced(announced) => announced));
                self.calls.extend(announced.map(operations::save_announcement));
            }
            Change::Enroll(_)
            | Change::News { .. }
            | Change::Revised { .. }
            | Change::Outbox(_)
            | Change::Post(_)
            | Change::WebSub(_) => self.run_posts(run)?,
            Change::Insert { .. } => self.insert(run)?,
            Change::Update { .. } => self.update(run)?,
            Change::Move { .. } => self.move_all(run),
            Change::Bind(_) => self.bind(run),
            Change::Relate { .. } => {
                let choices: Vec<_> = run
                    .iter()
                    .filter_map(|change| {
                        of!(change, Change::Relate { topic, story, others } => (topic.as_str(), *story, others.as_slice()))
                    })
                    .collect();
                self.calls.push(related::relate(&choices));
            }
            Change::Unrelated(_) => {
                let stories = run.iter().filter_map(|change| of!(change, Change::Unrelated(stories) => stories));
                let stories: BTreeSet<i64> = stories.flatten().copied().collect();
                let sql = "INSERT INTO unrelated SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING";
                self.calls.push(call!(sql, array(stories.into_iter())));
            }
            Change::Related(_) => self.forget_unrelated(run),
            Change::TellingWords { .. } => {
                let words = run.iter().filter_map(|change| {
                    of!(change, Change::TellingWords { number, telling_words } => (*number, telling_words.to_bytes()))
                });
                let words = words.collect();
                self.set_telling_words(words);
            }
            Change::Leave { .. } => {
                let left =
                    run.iter().filter_map(|change| of!(change, Change::Leave { numbers, now } => (numbers, *now)));
                let left =
                    latest(left.flat_map(|(numbers, now)| numbers.iter().map(move |number| (*number, unix(now)))));
                self.set_column("left_feed", left);
            }
            Change::Miss { .. } => {
                let missed =
                    run.iter().filter_map(|change| of!(change, Change::Miss { numbers, since } => (numbers, *since)));
                let missed = latest(
                    missed.flat_map(|(numbers, since)| numbers.iter().map(move |number| (*number, since.map(unix)))),
                );
                self.set_column("suspected", missed);
            }
            Change::Withdraw { .. } => self.withdraw(run)?,
            Change::Relist { .. } => self.relist(run),
            Change::Redate { .. } => {
                for change in run {
                    if let Change::Redate { source_id, from, until, now } = change {
                        self.redate(source_id, (*from, *until), *now)?;
                    }
                }
            }
            Change::BeginRules(_) => {
                for change in run {
                    if let Change::BeginRules(rules) = change {
                        self.begin_rules(rules)?;
                    }
                }
            }
            Change::Label { .. } => self.label_anew(run)?,
            Change::Labelled(_) => {
                let last = run.last().and_then(|change| of!(change, Change::Labelled(number) => *number));
                self.calls.push(meta::set("labelled", last));
            }
            Change::FinishRules => self.finish_rules()?,
            Change::Sketch { .. } => self.set_sketches(run),
            Change::Rebuilt(_) => {
                let last = run.last().and_then(|change| of!(change, Change::Rebuilt(number) => *number)).flatten();
                self.calls.push(meta::set("rebuilt", last));
            }
        }
        Ok(())
    }

    /// Writes changes of posts and their outbox, or of subscriptions and subscribers.
    fn run_posts(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
        for change in run {
            self.calls.extend(outbox::calls(change));
            self.calls.extend(websub::websub_calls(change)?);
        }
        Ok(())
    }

    /// Notes that stories wait no more for their related news.
    fn forget_unrelated(&mut self, run: &[&'a Change]) {
        let stories = run.iter().filter_map(|change| of!(change, Change::Related(stories) => stories));
        let stories: Vec<i64> = stories.flatten().copied().collect();
        self.calls.push(call!("DELETE FROM unrelated WHERE story = ANY($1)", stories));
    }

    /// Sends all statements that wait, for what is read next has to see them.
    fn flush(&mut self) -> Result<(), StoreError> {
        let calls = std::mem::take(&mut self.calls);
        if calls.is_empty() { Ok(()) } else { self.store.session.send(&calls).map(|_| ()) }
    }

    /// Reads the answer to one statement.
    fn read<T>(
        &mut self,
        ask: Call<'_>,
        read: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.flush()?;
        rows::next(&mut self.store.session.send(&[ask])?, read)
    }

    /// Raises the generation, once a transaction: stamps are taken from it.
    fn raise_generation(&mut self) {
        if !std::mem::replace(&mut self.is_raised, true) {
            self.calls.push(meta::raise_generation());
            // Heard once it is committed.
            self.calls.push(call!(format!("SELECT pg_notify('{}', '')", super::listening::CHANNEL)));
        }
    }

    /// Stamps the months of stories that look different: as they are shown now, and in [`ChangeBatch::finish`] as they will be.
    fn touch(&mut self, stories: impl IntoIterator<Item = i64>) {
        let new: Vec<i64> = stories.into_iter().filter(|story| self.touched.insert(*story)).collect();
        if !new.is_empty() {
            self.calls.extend(archive::touch(&new));
        }
    }

    fn stories_of(&self, numbers: impl IntoIterator<Item = i64>) -> Vec<i64> {
        numbers.into_iter().filter_map(|number| self.facts.get(&number)).map(|fact| fact.story).collect()
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        if !self.clues.is_empty() {
            self.calls.push(call!(
                "INSERT INTO clue SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) ON CONFLICT DO NOTHING",
                array(self.clues.iter().map(|(period, _, _)| *period)),
                array(self.clues.iter().map(|(_, hash, _)| *hash)),
                array(self.clues.iter().map(|(_, _, entry)| *entry)),
            ));
        }
        if !self.touched.is_empty() {
            let touched = array(self.touched.iter().copied());
            self.calls.extend(archive::touch(&touched));
            if let Some(next) = self.next_rules {
                self.calls.extend(archive::note_relabelled(&touched));
                self.calls.push(archive::note_to_come(&touched, next));
            }
        }
        if self.last > 0 {
            let sql = "UPDATE meta SET value = greatest(value, $1) WHERE name = 'last_entry'";
            self.calls.push(call!(sql, self.last));
        }
        let calls = std::mem::take(&mut self.calls);
        self.store.session.commit(&calls).map(|_| ())
    }
}

/// Whether a change neither reads nor writes what other kinds do.
fn stands_alone(change: &Change) -> bool {
    matches!(
        change,
        Change::Source(_)
            | Change::Throttle { .. }
            | Change::Turn(_)
            | Change::Announced(_)
            | Change::WebSub(_)
            | Change::Bind(_)
            | Change::Unrelated(_)
            | Change::Related(_)
    )
}

/// Puts insertions before changes that say nothing of what makes an entry unique, so that they are one statement.
fn insertions_first(changes: Vec<&Change>) -> Vec<&Change> {
    let mut ordered: Vec<&Change> = Vec::with_capacity(changes.len());
    let mut waiting: Vec<&Change> = Vec::new();
    for change in changes {
        match change {
            Change::Insert { .. } => ordered.push(change),
            Change::Move { .. }
            | Change::Relate { .. }
            | Change::Leave { .. }
            | Change::Relist { .. }
            | Change::Miss { .. }
            | Change::News { .. }
            | Change::Revised { .. }
            | Change::Withdraw { .. } => waiting.push(change),
            _ => {
                ordered.append(&mut waiting);
                ordered.push(change);
            }
        }
    }
    ordered.append(&mut waiting);
    ordered
}

/// Cuts changes into runs of one kind, none of which holds two changes of one entry.
fn runs<'c, 'a>(changes: &'c [&'a Change]) -> Vec<&'c [&'a Change]> {
    let mut runs = Vec::new();
    let mut rest = changes;
    while let Some(first) = rest.first() {
        let mut numbers = BTreeSet::new();
        let goes_on = |change: &&&Change| {
            discriminant(**change) == discriminant(*first) && stored(change).is_none_or(|number| numbers.insert(number))
        };
        let (run, behind) = rest.split_at(rest.iter().take_while(goes_on).count().max(1));
        runs.push(run);
        rest = behind;
    }
    runs
}

/// Of several values for one key the last.
fn latest<K: Ord, V>(pairs: impl Iterator<Item = (K, V)>) -> BTreeMap<K, V> {
    pairs.collect()
}
