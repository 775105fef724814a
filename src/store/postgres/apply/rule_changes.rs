//! Changes of labels and of the sets of rules that they belong to.

use std::collections::BTreeSet;

use super::super::rows::{self, array, text};
use super::super::session::call;
use super::super::{StoreError, archive, entries, meta};
use super::{ChangeBatch, latest};
use crate::store::Change;
use crate::story::Fingerprint;
use crate::topic::Label;

impl<'a> ChangeBatch<'_, 'a> {
    /// The number of a set of rules. The first rules that anything is labelled by are in force at once: if there are no
    /// entries besides those of this transaction's first source. `before` is the number of entries of this run before the
    /// one that asks.
    pub(super) fn ruleset(&mut self, rules: &str, before: usize) -> Result<i64, StoreError> {
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
    pub(super) fn write_labels(&mut self, of: Vec<(i64, i64, &'a [Label])>) -> Result<(), StoreError> {
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
    pub(super) fn begin_rules(&mut self, rules: &str) -> Result<(), StoreError> {
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
    pub(super) fn label_anew(&mut self, run: &[&'a Change]) -> Result<(), StoreError> {
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

    pub(super) fn finish_rules(&mut self) -> Result<(), StoreError> {
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
