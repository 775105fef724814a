//! Writing changes in one transaction. Nothing is decided here but which months of which topics look different.
//!
//! Two round trips: the first locks the generation and reads what the changes need to know of stored entries, the second
//! writes all and commits. Changes of one kind are one statement. Only relabelling, new dates and first rules read in between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::discriminant;

use tokio_postgres::Row;

use super::entry_columns::EntryColumns;
use super::rows::{self, array, text, unix};
use super::session::{Call, call};
use super::{
    Postgres, StoreError, archive, causes, entries, leases, meta, operations, outbox, redating, related, stories,
    websub,
};
use crate::feed::Timestamp;
use crate::state::{Hold, Validators};
use crate::store::{Applied, Change, clued};
use crate::story::{Clues, Fingerprint, Prepared};
use crate::topic::Label;

/// The content of a variant, if a change is one.
macro_rules! of {
    ($change:expr, $pattern:pat => $content:expr) => {
        if let $pattern = $change { Some($content) } else { None }
    };
}

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
        let mut answers = self.session.begin(&calls)?;
        if !holds.is_empty() {
            let guarded = answers.next().unwrap_or_default();
            if let Err(error) = leases::refuse_overtaken(&holds, &guarded) {
                self.session.rollback()?;
                return Err(error);
            }
        }
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

    fn insert(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
        let mut rows = EntryColumns::default();
        let mut written = Vec::with_capacity(run.len());
        let mut touched = Vec::new();
        let (mut stories, mut seen, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        let mut atom_ids = Vec::new();
        for (place, change) in run.iter().enumerate() {
            let Change::Insert { number, source_id, story, first_seen, date, atom_id, prepared } = change else {
                continue;
            };
            let Prepared { entry, identity, labels, .. } = &**prepared;
            let rules = self.ruleset(&prepared.rules, place)?;
            rows.push(*number, entry, identity, *date, entry.published)?;
            stories.push(*story);
            seen.push(unix(*first_seen));
            sources.push(text(source_id));
            atom_ids.push(text(atom_id));
            let fact = Fact {
                story: *story,
                date: unix(*date),
                first_seen: unix(*first_seen),
                fingerprint: identity.fingerprint,
                clues: Vec::new(),
            };
            self.facts.insert(*number, fact);
            self.last = self.last.max(*number);
            written.push(WrittenEntry { number: *number, prepared, first_seen: *first_seen, rules });
            if story != number {
                touched.push(*story);
            } else if !labels.is_empty() {
                // A new story was shown nowhere before; one in no topic is shown nowhere.
                self.touched.insert(*story);
            }
        }
        self.calls.push(rows.insertion(stories, seen, sources, atom_ids));
        self.set_derived(&written)?;
        self.set_telling_words(
            written
                .iter()
                .filter_map(|one| Some((one.number, one.prepared.telling_words.as_ref()?.to_bytes())))
                .collect(),
        );
        self.touch(touched);
        Ok(())
    }

    fn update(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
        let mut rows = EntryColumns::default();
        let mut written = Vec::with_capacity(run.len());
        let (mut changes, mut kept, mut dated) = (Vec::new(), Vec::new(), Vec::new());
        let touched = self.stories_of(run.iter().filter_map(|change| stored(change)));
        self.touch(touched);
        for change in run {
            let Change::Update { number, prepared, date, published, changed, revision } = change else { continue };
            let rules = self.ruleset(&prepared.rules, 0)?;
            let Some(fact) = self.facts.get_mut(number) else { continue };
            let Prepared { entry, identity, .. } = &**prepared;
            rows.push(*number, entry, identity, *date, *published)?;
            changes.push(changed.map(unix));
            if let Some((replaced, most)) = revision {
                kept.push((*number, unix(*replaced), rows::limit(*most)));
            }
            if *number == fact.story && unix(*date) != fact.date {
                dated.push((*number, unix(*date)));
            }
            (fact.date, fact.fingerprint) = (unix(*date), identity.fingerprint);
            let first_seen = archive::stored_instant(fact.first_seen);
            written.push(WrittenEntry { number: *number, prepared, first_seen, rules });
        }
        if written.is_empty() {
            return Ok(());
        }
        self.keep_revisions(&kept);
        self.calls.push(rows.update(changes));
        self.forget_derived(&written);
        self.set_derived(&written)?;
        let (with, without): (Vec<_>, Vec<_>) =
            written.iter().partition(|one: &&WrittenEntry<'_>| one.prepared.telling_words.is_some());
        let without: Vec<i64> = without.iter().map(|one| one.number).collect();
        if !without.is_empty() {
            self.calls.push(call!("DELETE FROM terms WHERE entry = ANY($1)", without));
        }
        self.set_telling_words(
            with.iter().filter_map(|one| Some((one.number, one.prepared.telling_words.as_ref()?.to_bytes()))).collect(),
        );
        if !dated.is_empty() {
            self.calls.push(call!(
                "UPDATE labelled SET date = head.date FROM unnest($1::bigint[], $2::bigint[]) AS head (number, date)
                 JOIN entry ON entry.story = head.number WHERE labelled.entry = entry.number",
                array(dated.iter().map(|(number, _)| *number)),
                array(dated.iter().map(|(_, date)| *date)),
            ));
        }
        Ok(())
    }

    /// Keeps the texts of entries before an edit: number, when, and most revisions of each.
    fn keep_revisions(&mut self, kept: &[(i64, i64, i64)]) {
        if kept.is_empty() {
            return;
        }
        let numbers = || array(kept.iter().map(|(number, _, _)| *number));
        self.calls.push(call!(
            "INSERT INTO revision (entry, replaced, title, summary, content, url)
             SELECT number, kept.replaced, title, summary, content, url
             FROM unnest($1::bigint[], $2::bigint[]) AS kept (entry, replaced) JOIN entry ON entry.number = kept.entry",
            numbers(),
            array(kept.iter().map(|(_, replaced, _)| *replaced)),
        ));
        self.calls.push(call!(
            "DELETE FROM revision USING unnest($1::bigint[], $2::bigint[]) AS kept (entry, most)
             WHERE revision.entry = kept.entry AND (
                SELECT count(*) FROM revision AS later
                WHERE later.entry = kept.entry AND later.number >= revision.number) > kept.most",
            numbers(),
            array(kept.iter().map(|(_, _, most)| *most)),
        ));
    }

    /// Moves entries. Their labels get the dates of the new heads.
    fn move_all(&mut self, run: &[&'a Change]) {
        let moves: Vec<(i64, i64, Option<i64>)> = run
            .iter()
            .filter_map(
                |change| of!(change, Change::Move { number, story, joined } => (*number, *story, joined.map(unix))),
            )
            .collect();
        let mut touched = self.stories_of(moves.iter().map(|(number, _, _)| *number));
        touched.extend(moves.iter().map(|(_, story, _)| *story));
        self.touch(touched);
        for (number, story, _) in &moves {
            if let Some(fact) = self.facts.get_mut(number) {
                fact.story = *story;
            }
        }
        let numbers = || array(moves.iter().map(|(number, _, _)| *number));
        let stories = || array(moves.iter().map(|(_, story, _)| *story));
        self.calls.push(call!(
            "UPDATE entry SET story = moved.story, joined = moved.joined
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS moved (number, story, joined)
             WHERE entry.number = moved.number",
            numbers(),
            stories(),
            array(moves.iter().map(|(_, _, joined)| *joined)),
        ));
        self.calls.push(call!(
            "UPDATE labelled SET date = head.date FROM unnest($1::bigint[], $2::bigint[]) AS moved (number, story)
             JOIN entry AS head ON head.number = moved.story WHERE labelled.entry = moved.number",
            numbers(),
            stories(),
        ));
    }

    fn bind(&mut self, run: &[&'a Change]) {
        let bonds = run.iter().filter_map(|change| of!(change, Change::Bind(bond) => bond));
        let bonds = latest(bonds.map(|bond| ((bond.one, bond.other), bond.together)));
        self.calls.push(call!(
            "INSERT INTO bond SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::boolean[])
             ON CONFLICT (one, other) DO UPDATE SET together = excluded.together",
            array(bonds.keys().map(|(one, _)| *one)),
            array(bonds.keys().map(|(_, other)| *other)),
            array(bonds.values().copied()),
        ));
    }

    /// Sets a column of entries.
    fn set_column<T>(&mut self, column: &'static str, values: BTreeMap<i64, T>)
    where
        Vec<T>: tokio_postgres::types::ToSql + Sync + Send + 'a,
    {
        if values.is_empty() {
            return;
        }
        let (numbers, values): (Vec<i64>, Vec<T>) = values.into_iter().unzip();
        let sql = format!(
            "UPDATE entry SET {column} = given.value FROM unnest($1::bigint[], $2::bigint[]) AS given (number, value)
             WHERE entry.number = given.number"
        );
        self.calls.push(call!(sql, numbers, values));
    }

    fn withdraw(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
        let withdrawn =
            run.iter().filter_map(|change| of!(change, Change::Withdraw { numbers, now } => (numbers, *now)));
        let withdrawn =
            latest(withdrawn.flat_map(|(numbers, now)| numbers.iter().map(move |number| (*number, unix(now)))));
        let unknown: Vec<i64> = withdrawn.keys().copied().filter(|number| !self.facts.contains_key(number)).collect();
        let mut stories = self.stories_of(withdrawn.keys().copied());
        if !unknown.is_empty() {
            let ask = call!("SELECT DISTINCT story FROM entry WHERE number = ANY($1)", unknown);
            stories.extend(self.read(ask, |row| rows::number(row, 0))?);
        }
        self.touch(stories);
        let by_instant: BTreeMap<i64, Vec<i64>> =
            withdrawn.iter().fold(BTreeMap::new(), |mut by_instant, (number, now)| {
                by_instant.entry(*now).or_default().push(*number);
                by_instant
            });
        self.set_column("withdrawn", withdrawn);
        for (now, numbers) in by_instant {
            self.calls.push(outbox::note_withdrawn(&numbers, archive::stored_instant(now)));
        }
        Ok(())
    }

    fn relist(&mut self, run: &[&'a Change]) {
        let listed: Vec<(i64, Option<i64>)> = run
            .iter()
            .filter_map(|change| of!(change, Change::Relist { number, changed } => (*number, changed.map(unix))))
            .collect();
        let touched = self.stories_of(listed.iter().map(|(number, _)| *number));
        self.touch(touched);
        self.calls.push(call!(
            "UPDATE entry SET left_feed = NULL, suspected = NULL, withdrawn = NULL, changed = listed.changed
             FROM unnest($1::bigint[], $2::bigint[]) AS listed (number, changed) WHERE entry.number = listed.number",
            array(listed.iter().map(|(number, _)| *number)),
            array(listed.iter().map(|(_, changed)| *changed)),
        ));
    }

    fn redate(
        &mut self,
        source_id: &'a str,
        (from, until): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let misdated =
            self.read(redating::ask_misdated(source_id, (from, until), now), |row| redating::misdated(row, now))?;
        self.touch(misdated.iter().map(|entry| entry.story));
        self.calls.extend(redating::redate(&misdated));
        for entry in &misdated {
            if let Some(fact) = self.facts.get_mut(&entry.number) {
                (fact.date, fact.first_seen) = (entry.date, entry.seen);
                fact.clues = entry.moved_clues();
            }
            let period = |at| crate::story::Period::of(archive::stored_instant(at)).0;
            let (before, after) = (period(entry.first_seen), period(entry.seen));
            // The entries that this transaction still has to write.
            let own: Vec<_> =
                self.clues.iter().filter(|clue| clue.2 == entry.number && clue.0 == before).copied().collect();
            for clue in own {
                self.clues.remove(&clue);
                self.clues.insert((after, clue.1, clue.2));
            }
        }
        Ok(())
    }

    fn set_telling_words(&mut self, words: Vec<(i64, Vec<u8>)>) {
        if words.is_empty() {
            return;
        }
        let words = latest(words.into_iter());
        let (numbers, words): (Vec<i64>, Vec<Vec<u8>>) = words.into_iter().unzip();
        self.calls.push(call!(
            "INSERT INTO terms SELECT * FROM unnest($1::bigint[], $2::bytea[])
             ON CONFLICT (entry) DO UPDATE SET hashes = excluded.hashes",
            numbers,
            words,
        ));
    }

    /// Writes sketches and labels, and notes that entries wait for others, and for the index.
    fn set_derived(&mut self, written: &[WrittenEntry<'a>]) -> Result<(), StoreError> {
        let sketches = written.iter().map(|one| {
            let Prepared { identity, sketch, .. } = one.prepared;
            (one.number, &identity.clues, sketch.as_slice(), one.first_seen)
        });
        self.write_sketches(sketches.collect());
        let labels = written.iter().map(|one| (one.number, one.rules, one.prepared.labels.as_slice()));
        self.write_labels(labels.collect())?;
        for wanted in [Some(self.rules), self.next_rules].into_iter().flatten() {
            let waiting: Vec<i64> = written.iter().filter(|one| one.rules != wanted).map(|one| one.number).collect();
            if !waiting.is_empty() {
                let sql = "INSERT INTO unlabelled SELECT $1, * FROM unnest($2::bigint[]) ON CONFLICT DO NOTHING";
                self.calls.push(call!(sql, wanted, waiting));
            }
        }
        // An update of a row that is there waits for the search that indexes it, and so comes after it.
        self.calls.push(call!(
            "INSERT INTO unindexed SELECT * FROM unnest($1::bigint[])
             ON CONFLICT (entry) DO UPDATE SET entry = excluded.entry",
            array(written.iter().map(|one| one.number).collect::<BTreeSet<_>>().into_iter()),
        ));
        Ok(())
    }

    /// Deletes clues and labels. Published labels stay until others replace them, lest the entry vanish and come back.
    fn forget_derived(&mut self, written: &[WrittenEntry<'a>]) {
        self.forget_clues(written.iter().map(|one| one.number));
        for is_in_force in [true, false] {
            let numbers: Vec<i64> =
                written.iter().filter(|one| (one.rules == self.rules) == is_in_force).map(|one| one.number).collect();
            if numbers.is_empty() {
                continue;
            }
            let kept = (!is_in_force).then_some(self.rules);
            let sql = "DELETE FROM labelled WHERE entry = ANY($1) AND rules IS DISTINCT FROM $2";
            self.calls.push(call!(sql, numbers, kept));
        }
        let numbers: Vec<i64> = written.iter().map(|one| one.number).collect();
        self.calls.push(call!("DELETE FROM unlabelled WHERE entry = ANY($1)", numbers));
    }

    fn forget_clues(&mut self, numbers: impl Iterator<Item = i64>) {
        let numbers: BTreeSet<i64> = numbers.collect();
        self.clues.retain(|(_, _, entry)| !numbers.contains(entry));
        let sketches: Vec<(i64, Vec<u8>)> = numbers
            .iter()
            .filter_map(|number| self.facts.get_mut(number).map(|fact| (*number, std::mem::take(&mut fact.clues))))
            .filter(|(_, clues)| !clues.is_empty())
            .collect();
        if !sketches.is_empty() {
            self.calls.push(stories::forget_clues(&sketches));
        }
    }

    /// Writes the clues and sketches of entries.
    fn write_sketches(&mut self, sketches: Vec<(i64, &'a Clues, &'a [u8], Timestamp)>) {
        let mut written: BTreeMap<i64, (Vec<u8>, &[u8])> = BTreeMap::new();
        for (number, clues, sketch, first_seen) in sketches {
            let pairs = clued::pairs(clues, first_seen);
            self.clues.extend(pairs.iter().map(|(period, hash)| (*period, *hash, number)));
            written.insert(number, (clued::written(&pairs), sketch));
        }
        self.calls.push(call!(
            "INSERT INTO sketch SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])
             ON CONFLICT (entry) DO UPDATE SET clues = excluded.clues, words = excluded.words",
            array(written.keys().copied()),
            array(written.values().map(|(clues, _)| clues.clone())),
            array(written.values().map(|(_, sketch)| *sketch)),
        ));
    }

    fn set_sketches(&mut self, run: &[&'a Change]) {
        let sketches: Vec<(i64, &Clues, &[u8], Timestamp)> = run
            .iter()
            .filter_map(|change| {
                let Change::Sketch { number, clues, sketch } = change else { return None };
                let fact = self.facts.get(number)?;
                Some((*number, clues, sketch.as_slice(), archive::stored_instant(fact.first_seen)))
            })
            .collect();
        if sketches.is_empty() {
            return;
        }
        self.forget_clues(sketches.iter().map(|(number, _, _, _)| *number));
        self.write_sketches(sketches);
    }

    /// The number of a set of rules. The first rules that anything is labelled by are in force at once: if there are no
    /// entries besides those of this transaction's first source. `before` is the number of entries of this run before the
    /// one that asks.
    fn ruleset(&mut self, rules: &str, before: usize) -> Result<i64, StoreError> {
        let number = self.ruleset_of(rules)?;
        let in_force = self.rulesets.iter().find(|(_, id)| **id == self.rules).map(|(rules, _)| rules.as_str());
        if in_force.unwrap_or_default().is_empty() && self.next_rules.is_none() && number != self.rules && before == 0 {
            let ask = call!(
                "SELECT EXISTS (SELECT 1 FROM labelled),
                    (SELECT count(*) FROM (SELECT 1 FROM entry LIMIT 2) AS some_entries)"
            );
            let facts = self.read(ask, |row| Ok((rows::get::<bool>(row, 0)?, rows::number(row, 1)?)))?;
            if facts.iter().all(|(has_labels, entries)| !has_labels && *entries <= 1 - i64::from(self.last > 0)) {
                self.calls.push(meta::set("rules", Some(number)));
                self.rules = number;
            }
        }
        Ok(number)
    }

    /// The number of a set of rules; a new one if it was never met.
    fn ruleset_of(&mut self, rules: &str) -> Result<i64, StoreError> {
        if let Some(known) = self.rulesets.get(rules) {
            return Ok(*known);
        }
        let made = call!(
            "INSERT INTO ruleset (rules) VALUES ($1) ON CONFLICT (rules) DO UPDATE SET rules = excluded.rules RETURNING id",
            text(rules),
        );
        let number = self.read(made, |row| rows::number(row, 0))?.pop().unwrap_or_default();
        self.rulesets.insert(rules.to_owned(), number);
        Ok(number)
    }

    /// A label has the date of its story's head: so one index gives the latest stories of a topic, whatever the store's
    /// size.
    fn write_labels(&mut self, of: Vec<(i64, i64, &'a [Label])>) -> Result<(), StoreError> {
        let all =
            of.into_iter().flat_map(|(number, rules, labels)| labels.iter().map(move |label| (number, rules, label)));
        let labels = latest(all.map(|(number, rules, label)| ((number, rules, label.topic.as_str()), label)));
        if labels.is_empty() {
            return Ok(());
        }
        let reasons = labels.values().map(|label| serde_json::to_string(&label.reasons));
        let reasons = reasons.collect::<Result<Vec<String>, _>>()?;
        self.calls.push(call!(
            "INSERT INTO labelled SELECT given.entry, given.rules, given.topic, head.date, given.score, given.reasons
             FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::double precision[], $5::text[])
                AS given (entry, rules, topic, score, reasons)
             JOIN entry ON entry.number = given.entry JOIN entry AS head ON head.number = entry.story
             ON CONFLICT (entry, rules, topic) DO UPDATE
                SET date = excluded.date, score = excluded.score, reasons = excluded.reasons",
            array(labels.keys().map(|(number, _, _)| *number)),
            array(labels.keys().map(|(_, rules, _)| *rules)),
            array(labels.keys().map(|(_, _, topic)| text(topic))),
            array(labels.values().map(|label| label.score)),
            reasons,
        ));
        if !std::mem::replace(&mut self.has_labels, true) {
            self.calls.push(meta::set("has_labels", Some(1)));
        }
        Ok(())
    }

    /// Sets the rules to come. Labels of an unfinished relabelling go little by little, as all stale labels.
    fn begin_rules(&mut self, rules: &str) -> Result<(), StoreError> {
        let number = self.ruleset_of(rules)?;
        if self.next_rules == Some(number) {
            return Ok(());
        }
        // Back to what is published: only entries that came meanwhile are still to be labelled.
        let next = (number != self.rules).then_some(number);
        self.calls.push(meta::set("next_rules", next));
        self.calls.push(meta::set("labelled", next.map(|_| 0)));
        self.next_rules = next;
        self.calls.push(call!("DELETE FROM relabelled"));
        self.forget_waiting();
        Ok(())
    }

    /// Deletes the waiting entries of rules that are neither in force nor to come.
    fn forget_waiting(&mut self) {
        let sql = "DELETE FROM unlabelled WHERE rules <> $1 AND rules IS DISTINCT FROM $2";
        self.calls.push(call!(sql, self.rules, self.next_rules));
    }

    /// Keeps the labels of entries under the rules to come, else those in force, and notes the months that will differ.
    fn label_anew(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
        let is_current =
            |number: &i64, seen: &Fingerprint| self.facts.get(number).is_some_and(|fact| fact.fingerprint == *seen);
        let current: Vec<(i64, &'a [Label])> = run
            .iter()
            .filter_map(|change| {
                let Change::Label { number, seen, labels } = change else { return None };
                is_current(number, seen).then_some((*number, labels.as_slice()))
            })
            .collect();
        let numbers: Vec<i64> = current.iter().map(|(number, _)| *number).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let rules = self.next_rules.unwrap_or(self.rules);
        self.calls.push(call!("DELETE FROM unlabelled WHERE rules = $1 AND entry = ANY($2)", rules, numbers.clone()));
        self.flush()?;
        let before = self.store.session.send(&[entries::ask_labels(&numbers)])?.next().unwrap_or_default();
        let before = entries::labels_by_entry(&before)?;
        let differs = |number: &i64, labels: &[Label]| {
            let mut labels: Vec<&Label> = labels.iter().collect();
            labels.sort_by(|one, other| one.topic.cmp(&other.topic));
            let before = before.get(number).map(Vec::as_slice).unwrap_or_default();
            !before.iter().eq(labels)
        };
        let different: Vec<i64> =
            current.iter().filter(|(number, labels)| differs(number, labels)).map(|(number, _)| *number).collect();
        let written: Vec<(i64, i64, &'a [Label])> = if rules == self.rules {
            if different.is_empty() {
                return Ok(());
            }
            self.raise_generation();
            let touched = self.stories_of(different.iter().copied());
            self.touch(touched);
            let different: BTreeSet<i64> = different.iter().copied().collect();
            current
                .iter()
                .filter(|(number, _)| different.contains(number))
                .map(|(number, labels)| (*number, rules, *labels))
                .collect()
        } else {
            if !different.is_empty() {
                self.calls.extend(archive::note_relabelled(&different));
            }
            current.iter().map(|(number, labels)| (*number, rules, *labels)).collect()
        };
        let numbers: Vec<i64> = written.iter().map(|(number, _, _)| *number).collect();
        self.calls.push(call!("DELETE FROM labelled WHERE entry = ANY($1) AND rules = $2", numbers, rules));
        self.write_labels(written)?;
        if rules != self.rules && !different.is_empty() {
            let sql = concat!(
                "INSERT INTO relabelled SELECT DISTINCT topic, ",
                archive::month_of!("date"),
                " FROM labelled WHERE entry = ANY($1) AND rules = $2 ON CONFLICT DO NOTHING"
            );
            self.calls.push(call!(sql, different, rules));
        }
        Ok(())
    }

    fn finish_rules(&mut self) -> Result<(), StoreError> {
        let Some(next) = self.next_rules else { return Ok(()) };
        let waiting = call!("SELECT EXISTS (SELECT 1 FROM unlabelled WHERE rules = $1)", next);
        if self.read(waiting, |row| rows::get::<bool>(row, 0))?.contains(&true) {
            return Ok(());
        }
        self.calls.push(call!(
            "INSERT INTO month (topic, month, stamp)
             SELECT topic, month, (SELECT value FROM meta WHERE name = 'generation') FROM relabelled
             ON CONFLICT (topic, month) DO UPDATE SET stamp = excluded.stamp"
        ));
        self.calls.push(call!("DELETE FROM relabelled"));
        self.calls.push(meta::set("rules", Some(next)));
        self.calls.push(meta::set("next_rules", None));
        self.calls.push(meta::set("labelled", None));
        (self.rules, self.next_rules) = (next, None);
        self.forget_waiting();
        Ok(())
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
