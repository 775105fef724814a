//! Writing changes in one transaction. Nothing is decided here but which months of which topics look different.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, TransactionBehavior, params};
use url::Url;

use super::{StoreError, archive, entries, maybe, meta, operations, outbox, redating, related, unix, websub};
use crate::feed::Timestamp;
use crate::store::{Applied, Change, clued};
use crate::story::{Clues, Fingerprint, Prepared};
use crate::topic::Label;

pub(super) fn apply(connection: &mut Connection, changes: &[Change], seen: Option<i64>) -> Result<Applied, StoreError> {
    // IMMEDIATE: a reader that becomes a writer may find that another process wrote in between, and fail.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let generation = meta::number(&transaction, "generation")?;
    if seen.is_some() && seen != generation {
        return Ok(Applied::Conflict);
    }
    let mut writing = Writing::new(&transaction)?;
    if changes.iter().any(Change::is_seen) {
        writing.raise_generation()?;
    }
    for change in changes {
        writing.write(change)?;
    }
    writing.finish()?;
    transaction.commit()?;
    Ok(Applied::Kept)
}

struct Writing<'a> {
    connection: &'a Connection,
    /// Whether the generation was raised for this transaction.
    is_raised: bool,
    rules: i64,
    /// The rules to come.
    next_rules: Option<i64>,
    rulesets: HashMap<String, i64>,
    /// Stories that look different.
    touched: BTreeSet<i64>,
    /// Clues to write: period, hash, entry. They are written at the end in the order of their table, so that each page
    /// is found and changed once.
    clues: Vec<(i64, i64, i64)>,
}

impl<'a> Writing<'a> {
    fn new(connection: &'a Connection) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            is_raised: false,
            rules: meta::number(connection, "rules")?.unwrap_or_default(),
            next_rules: meta::number(connection, "next_rules")?,
            rulesets: HashMap::new(),
            touched: BTreeSet::new(),
            clues: Vec::new(),
        })
    }

    fn write(&mut self, change: &Change) -> Result<(), StoreError> {
        let connection = self.connection;
        match change {
            // One node: nobody takes anything over.
            Change::Held(_) => Ok(()),
            Change::Source(state) => operations::save_source(connection, state),
            Change::Throttle { throttle, now } => operations::save_throttle(connection, throttle, *now),
            Change::Turn(turn) => operations::write_turn(connection, turn),
            Change::Announced(announcement) => operations::save_announcement(connection, announcement),
            Change::Enroll(topics) => outbox::save_post_topics(connection, topics),
            Change::News { numbers, now } => outbox::note_news(connection, numbers, *now),
            Change::Revised { numbers, now } => outbox::note_changed(connection, numbers, *now),
            Change::Outbox(result) => outbox::save_result(connection, result),
            Change::Post(state) => outbox::save_post(connection, state),
            Change::WebSub(change) => websub::write_websub(connection, change),
            Change::Insert { .. } => self.insert(change),
            Change::Update { .. } => self.update(change),
            Change::Move { number, story, joined } => self.move_to(*number, *story, *joined),
            Change::Bind(bond) => {
                let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO bond VALUES (?1, ?2, ?3)")?;
                insert.execute(params![bond.one, bond.other, bond.together])?;
                Ok(())
            }
            Change::Relate { topic, story, others } => related::write_related(connection, topic, *story, others),
            Change::Unrelated(stories) => related::note_unrelated(connection, stories),
            Change::Related(stories) => related::forget_unrelated(connection, stories),
            Change::TellingWords { number, telling_words } => {
                related::set_telling_words(connection, *number, Some(telling_words))
            }
            Change::Leave { numbers, now } => {
                let mut leave = connection.prepare_cached("UPDATE entry SET left_feed = ?2 WHERE number = ?1")?;
                numbers.iter().try_for_each(|number| leave.execute(params![number, unix(*now)]).map(|_| ()))?;
                Ok(())
            }
            Change::Relist { number, changed } => {
                self.touch_story_of(*number)?;
                let sql = "UPDATE entry SET left_feed = NULL, suspected = NULL, withdrawn = NULL, changed = ?2
                           WHERE number = ?1";
                connection.prepare_cached(sql)?.execute(params![number, changed.map(unix)])?;
                Ok(())
            }
            Change::Miss { numbers, since } => {
                let mut miss = connection.prepare_cached("UPDATE entry SET suspected = ?2 WHERE number = ?1")?;
                numbers.iter().try_for_each(|number| miss.execute(params![number, since.map(unix)]).map(|_| ()))?;
                Ok(())
            }
            Change::Withdraw { numbers, now } => {
                for number in numbers {
                    self.touch_story_of(*number)?;
                    let sql = "UPDATE entry SET withdrawn = ?2 WHERE number = ?1";
                    connection.prepare_cached(sql)?.execute(params![number, unix(*now)])?;
                    outbox::note_withdrawn(connection, *number, *now)?;
                }
                Ok(())
            }
            Change::Redate { source_id, from, until, now } => {
                for entry in redating::misdated(connection, source_id, (*from, *until), *now)? {
                    self.touch(entry.story)?;
                    redating::redate(connection, &entry)?;
                }
                Ok(())
            }
            Change::BeginRules(rules) => self.begin_rules(rules),
            Change::Label { number, seen, labels } => self.label_anew(*number, *seen, labels),
            Change::Labelled(number) => meta::set(connection, "labelled", Some(*number)),
            Change::FinishRules => self.finish_rules(),
            Change::Sketch { number, clues, sketch } => self.set_sketch(*number, clues, sketch),
            Change::Rebuilt(number) => meta::set(connection, "rebuilt", *number),
        }
    }

    /// Raises the generation, once a transaction: stamps are taken from it.
    fn raise_generation(&mut self) -> Result<(), StoreError> {
        if !std::mem::replace(&mut self.is_raised, true) {
            meta::raise_generation(self.connection)?;
        }
        Ok(())
    }

    /// Stamps the months of a story that looks different: as it is shown now, and in [`Writing::finish`] as it will be.
    fn touch(&mut self, story: i64) -> Result<(), StoreError> {
        if self.touched.insert(story) { archive::touch(self.connection, story) } else { Ok(()) }
    }

    fn touch_story_of(&mut self, number: i64) -> Result<(), StoreError> {
        let sql = "SELECT story FROM entry WHERE number = ?1";
        let story = maybe(self.connection, sql, number, |row| row.get(0))?;
        story.map_or(Ok(()), |story| self.touch(story))
    }

    fn finish(mut self) -> Result<(), StoreError> {
        self.clues.sort_unstable();
        let mut insert = self.connection.prepare_cached("INSERT OR IGNORE INTO clue VALUES (?1, ?2, ?3)")?;
        for clue in &self.clues {
            insert.execute(*clue)?;
        }
        for story in &self.touched {
            archive::touch(self.connection, *story)?;
            if let Some(next) = self.next_rules {
                archive::note_relabelled(self.connection, *story)?;
                archive::note_to_come(self.connection, *story, next)?;
            }
        }
        Ok(())
    }

    fn insert(&mut self, change: &Change) -> Result<(), StoreError> {
        let Change::Insert { number, source_id, story, first_seen, date, atom_id, prepared } = change else {
            return Ok(());
        };
        let Prepared { entry, identity, telling_words, .. } = &**prepared;
        self.connection
            .prepare_cached(
                "INSERT INTO entry (number, source_id, key, guid_key, fingerprint, atom_id, story, first_seen, date, id,
                    url, canonical_link, title, summary, content, published, updated, language, details, owns_guid)
                 VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)",
            )?
            .execute(params![
                number,
                source_id,
                identity.key.0,
                identity.guid_key.map(|key| key.0),
                identity.fingerprint.0,
                atom_id,
                story,
                unix(*first_seen),
                unix(*date),
                entry.id,
                entry.url.as_ref().map(Url::as_str),
                identity.canonical_link,
                entry.title,
                entry.summary,
                entry.content,
                entry.published.map(unix),
                entry.updated.map(unix),
                entry.language,
                entries::details(entry)?,
                identity.owns_guid,
            ])?;
        self.set_derived(*number, prepared, *first_seen)?;
        if let Some(telling_words) = telling_words {
            related::set_telling_words(self.connection, *number, Some(telling_words))?;
        }
        if story != number {
            self.touch(*story)?;
        } else if !prepared.labels.is_empty() {
            // A new story was shown nowhere before; one in no topic is shown nowhere.
            self.touched.insert(*story);
        }
        Ok(())
    }

    fn update(&mut self, change: &Change) -> Result<(), StoreError> {
        let Change::Update { number, prepared, date, published, changed, revision } = change else { return Ok(()) };
        let before =
            maybe(self.connection, "SELECT story, date, first_seen FROM entry WHERE number = ?1", *number, |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, super::rows::time(row, 2)?.unwrap_or_default()))
            })?;
        let Some((story, date_before, first_seen)) = before else { return Ok(()) };
        self.touch(story)?;
        if let Some((replaced, most)) = revision {
            entries::keep_revision(self.connection, *number, *most, *replaced)?;
        }
        let Prepared { entry, identity, telling_words, .. } = &**prepared;
        self.connection
            .prepare_cached(
                "UPDATE entry SET key = ?2, guid_key = ?3, fingerprint = ?4, changed = ?5, id = ?6, url = ?7,
                    canonical_link = ?8, title = ?9, summary = ?10, content = ?11, published = ?12, updated = ?13,
                    language = ?14, details = ?15, searchable = 0, date = ?16, owns_guid = ?17
                 WHERE number = ?1",
            )?
            .execute(params![
                number,
                identity.key.0,
                identity.guid_key.map(|key| key.0),
                identity.fingerprint.0,
                changed.map(unix),
                entry.id,
                entry.url.as_ref().map(Url::as_str),
                identity.canonical_link,
                entry.title,
                entry.summary,
                entry.content,
                published.map(unix),
                entry.updated.map(unix),
                entry.language,
                entries::details(entry)?,
                unix(*date),
                identity.owns_guid,
            ])?;
        self.forget_derived(*number, &prepared.rules)?;
        self.set_derived(*number, prepared, first_seen)?;
        related::set_telling_words(self.connection, *number, telling_words.as_ref())?;
        if *number == story && unix(*date) != date_before {
            let sql = "UPDATE labelled SET date = ?2 WHERE entry IN (SELECT number FROM entry WHERE story = ?1)";
            self.connection.prepare_cached(sql)?.execute(params![number, unix(*date)])?;
        }
        Ok(())
    }

    /// Moves an entry. Its labels get the date of the new head.
    fn move_to(&mut self, number: i64, story: i64, joined: Option<Timestamp>) -> Result<(), StoreError> {
        self.touch_story_of(number)?;
        self.touch(story)?;
        let sql = "UPDATE entry SET story = ?2, joined = ?3 WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute(params![number, story, joined.map(unix)])?;
        let sql = "UPDATE labelled SET date = (SELECT date FROM entry WHERE number = ?2) WHERE entry = ?1";
        self.connection.prepare_cached(sql)?.execute([number, story])?;
        Ok(())
    }

    fn set_derived(&mut self, number: i64, prepared: &Prepared, first_seen: Timestamp) -> Result<(), StoreError> {
        self.write_sketch(number, &prepared.identity.clues, &prepared.sketch, first_seen)?;
        let rules = self.ruleset(&prepared.rules)?;
        self.write_labels(number, rules, &prepared.labels)?;
        for wanted in [Some(self.rules), self.next_rules].into_iter().flatten().filter(|wanted| *wanted != rules) {
            let sql = "INSERT OR IGNORE INTO unlabelled VALUES (?1, ?2)";
            self.connection.prepare_cached(sql)?.execute([wanted, number])?;
        }
        Ok(())
    }

    /// Deletes clues and labels. Published labels stay until others replace them, lest the entry vanish and come back.
    fn forget_derived(&mut self, number: i64, rules: &str) -> Result<(), StoreError> {
        self.forget_clues(number)?;
        let kept = if self.ruleset(rules)? == self.rules { None } else { Some(self.rules) };
        let sql = "DELETE FROM labelled WHERE entry = ?1 AND rules IS NOT ?2";
        self.connection.prepare_cached(sql)?.execute(params![number, kept])?;
        self.connection.prepare_cached("DELETE FROM unlabelled WHERE entry = ?1")?.execute([number])?;
        Ok(())
    }

    fn forget_clues(&mut self, number: i64) -> Result<(), StoreError> {
        self.clues.retain(|(_, _, entry)| *entry != number);
        forget_clues(self.connection, number)
    }

    fn write_sketch(
        &mut self,
        number: i64,
        clues: &Clues,
        sketch: &[u8],
        first_seen: Timestamp,
    ) -> Result<(), StoreError> {
        let pairs = clued::pairs(clues, first_seen);
        self.clues.extend(pairs.iter().map(|(period, hash)| (*period, *hash, number)));
        let bytes = clued::written(&pairs);
        let sql = "INSERT OR REPLACE INTO sketch VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![number, bytes, sketch])?;
        Ok(())
    }

    fn set_sketch(&mut self, number: i64, clues: &Clues, sketch: &[u8]) -> Result<(), StoreError> {
        let sql = "SELECT first_seen FROM entry WHERE number = ?1";
        let first_seen = maybe(self.connection, sql, number, |row| super::rows::time(row, 0))?.flatten();
        let Some(first_seen) = first_seen else { return Ok(()) };
        self.forget_clues(number)?;
        self.write_sketch(number, clues, sketch, first_seen)
    }

    /// The number of a set of rules. The first rules that anything is labelled by are in force at once.
    fn ruleset(&mut self, rules: &str) -> Result<i64, StoreError> {
        if let Some(known) = self.rulesets.get(rules) {
            return Ok(*known);
        }
        let number = meta::ruleset(self.connection, rules)?;
        if meta::rules_in_force(self.connection)?.is_empty() && self.next_rules.is_none() && !self.has_entries()? {
            meta::set(self.connection, "rules", Some(number))?;
            self.rules = number;
        }
        self.rulesets.insert(rules.to_owned(), number);
        Ok(number)
    }

    /// Whether there are entries besides those of this transaction's first source, none of whose labels are written
    /// yet.
    fn has_entries(&self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM labelled) OR EXISTS (SELECT 1 FROM entry LIMIT 1 OFFSET 1)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// A label has the date of its story's head: so one index gives the latest stories of a topic, whatever the store's
    /// size.
    fn write_labels(&self, number: i64, rules: i64, labels: &[Label]) -> Result<(), StoreError> {
        if labels.is_empty() {
            return Ok(());
        }
        let mut insert = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO labelled SELECT ?1, ?2, ?3, head.date, ?4, ?5
             FROM entry JOIN entry AS head ON head.number = entry.story WHERE entry.number = ?1",
        )?;
        for label in labels {
            let reasons = serde_json::to_string(&label.reasons)?;
            insert.execute(params![number, rules, label.topic, label.score, reasons])?;
        }
        self.connection.prepare_cached("INSERT OR IGNORE INTO meta VALUES ('has_labels', 1)")?.execute([])?;
        Ok(())
    }

    /// Sets the rules to come. Labels of an unfinished relabelling go little by little, as all stale labels.
    fn begin_rules(&mut self, rules: &str) -> Result<(), StoreError> {
        let number = meta::ruleset(self.connection, rules)?;
        if self.next_rules == Some(number) {
            return Ok(());
        }
        if number == self.rules {
            // Back to what is published: only entries that came meanwhile are still to be labelled.
            meta::set(self.connection, "next_rules", None)?;
            meta::set(self.connection, "labelled", None)?;
            self.next_rules = None;
        } else {
            meta::set(self.connection, "next_rules", Some(number))?;
            meta::set(self.connection, "labelled", Some(0))?;
            self.next_rules = Some(number);
        }
        self.connection.execute("DELETE FROM relabelled", [])?;
        self.forget_waiting()
    }

    /// Deletes the waiting entries of rules that are neither in force nor to come.
    fn forget_waiting(&self) -> Result<(), StoreError> {
        let sql = "DELETE FROM unlabelled WHERE rules <> ?1 AND rules IS NOT ?2";
        self.connection.execute(sql, params![self.rules, self.next_rules])?;
        Ok(())
    }

    /// Keeps the labels of an entry under the rules to come, else those in force, and notes the months that will
    /// differ.
    fn label_anew(&mut self, number: i64, seen: Fingerprint, labels: &[Label]) -> Result<(), StoreError> {
        let sql = "SELECT 1 FROM entry WHERE number = ?1 AND fingerprint = ?2";
        if !self.connection.prepare_cached(sql)?.exists(params![number, seen.0])? {
            return Ok(());
        }
        let rules = self.next_rules.unwrap_or(self.rules);
        let sql = "DELETE FROM unlabelled WHERE rules = ?1 AND entry = ?2";
        self.connection.prepare_cached(sql)?.execute([rules, number])?;
        let mut labels = labels.to_vec();
        labels.sort_by(|one, other| one.topic.cmp(&other.topic));
        let before = entries::read_labels(self.connection, number)?;
        let differs = before != labels;
        if rules == self.rules {
            if !differs {
                return Ok(());
            }
            self.raise_generation()?;
            self.touch_story_of(number)?;
        } else if differs {
            archive::note_relabelled(self.connection, number)?;
        }
        let sql = "DELETE FROM labelled WHERE entry = ?1 AND rules = ?2";
        self.connection.prepare_cached(sql)?.execute([number, rules])?;
        self.write_labels(number, rules, &labels)?;
        if rules != self.rules && differs {
            let sql = "INSERT OR IGNORE INTO relabelled SELECT topic, strftime('%Y-%m', date, 'unixepoch')
                       FROM labelled WHERE entry = ?1 AND rules = ?2";
            self.connection.prepare_cached(sql)?.execute([number, rules])?;
        }
        Ok(())
    }

    fn finish_rules(&mut self) -> Result<(), StoreError> {
        let Some(next) = self.next_rules else { return Ok(()) };
        if meta::count_unlabelled(self.connection)? > 0 {
            return Ok(());
        }
        self.connection.execute(
            "INSERT INTO month (topic, month, stamp)
             SELECT topic, month, (SELECT value FROM meta WHERE name = 'generation') FROM relabelled WHERE true
             ON CONFLICT (topic, month) DO UPDATE SET stamp = excluded.stamp",
            [],
        )?;
        self.connection.execute("DELETE FROM relabelled", [])?;
        meta::set(self.connection, "rules", Some(next))?;
        meta::set(self.connection, "next_rules", None)?;
        meta::set(self.connection, "labelled", None)?;
        (self.rules, self.next_rules) = (next, None);
        self.forget_waiting()
    }
}

/// Deletes the clues of an entry, which its sketch lists. Clues of an entry without a sketch stay: that costs
/// comparisons.
pub(super) fn forget_clues(connection: &Connection, number: i64) -> Result<(), StoreError> {
    let clues = maybe(connection, "SELECT clues FROM sketch WHERE entry = ?1", number, |row| row.get::<_, Vec<u8>>(0))?;
    let mut forget = connection.prepare_cached("DELETE FROM clue WHERE period = ?1 AND hash = ?2 AND entry = ?3")?;
    for (period, hash) in clues.iter().flat_map(|clues| clued::read(clues)) {
        forget.execute([period, hash, number])?;
    }
    Ok(())
}
