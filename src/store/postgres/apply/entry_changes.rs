//! Changes of entries and of what is derived from them: clues, sketches, telling words, stories, dates.

use std::collections::{BTreeMap, BTreeSet};

use super::super::entry_columns::EntryColumns;
use super::super::rows::{self, array, text, unix};
use super::super::session::call;
use super::super::{StoreError, archive, outbox, redating, stories};
use super::{ChangeBatch, Fact, WrittenEntry, latest, of, stored};
use crate::feed::Timestamp;
use crate::store::{Change, clued};
use crate::story::{Clues, Prepared};

impl<'a> ChangeBatch<'_, 'a> {
    pub(super) fn insert(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
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

    pub(super) fn update(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
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
    pub(super) fn move_all(&mut self, run: &[&'a Change]) {
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

    pub(super) fn bind(&mut self, run: &[&'a Change]) {
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
    pub(super) fn set_column<T>(&mut self, column: &'static str, values: BTreeMap<i64, T>)
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

    pub(super) fn withdraw(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
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

    pub(super) fn relist(&mut self, run: &[&'a Change]) {
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

    pub(super) fn redate(
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

    pub(super) fn set_telling_words(&mut self, words: Vec<(i64, Vec<u8>)>) {
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

    pub(super) fn set_sketches(&mut self, run: &[&'a Change]) {
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
}
