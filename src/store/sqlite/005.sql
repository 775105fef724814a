-- Format 5: labels by the rules that they come from, and what comparing needs of each entry.

-- Each set of rules that entries were labelled by, by a hash of it. `meta.rules` is the id of the one in force,
-- `meta.next_rules` that of a relabelling under way, `meta.labelled` the last entry that it has reached.
CREATE TABLE ruleset (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    rules TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO ruleset (rules) SELECT value FROM meta WHERE name = 'rules';
UPDATE meta SET value = (SELECT id FROM ruleset) WHERE name = 'rules';
CREATE TABLE labelled (
    entry   INTEGER NOT NULL,
    rules   INTEGER NOT NULL,
    topic   TEXT NOT NULL,
    date    INTEGER NOT NULL, -- that of its story's head
    score   REAL NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (entry, rules, topic)
) STRICT, WITHOUT ROWID;
INSERT INTO labelled SELECT entry, (SELECT id FROM ruleset), topic, date, score, reasons FROM label WHERE entry <> 0;
-- Says that there were labels, should they be deleted.
INSERT OR REPLACE INTO meta SELECT 'has_labels', 1 WHERE EXISTS (SELECT 1 FROM labelled);
DROP TABLE label;
-- Entries that came or changed under other rules, and lack labels under these: those in force, or being made.
CREATE TABLE unlabelled (
    rules INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (rules, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX unlabelled_by_entry ON unlabelled (entry);
-- What will look different once the relabelling under way is done.
CREATE TABLE relabelled (
    topic TEXT NOT NULL,
    month TEXT NOT NULL,
    PRIMARY KEY (topic, month)
) STRICT, WITHOUT ROWID;

-- Stamps are generations from now on: they only grow.
UPDATE month SET stamp = (SELECT value FROM meta WHERE name = 'generation');

-- Clues stay; that no other table is read to find those of an entry, they stand in its sketch.
DELETE FROM clue WHERE entry = 0;
DROP INDEX clue_by_entry;
-- The last entry whose clues, story and sketch were made again; absent if all are there.
INSERT INTO meta SELECT 'rebuilt', 0 WHERE EXISTS (SELECT 1 FROM entry);

-- Stories that are gone from a month, found without reading those that are gone from all others.
CREATE INDEX entry_withdrawn_by_date ON entry (date) WHERE withdrawn IS NOT NULL;
CREATE INDEX entry_joined_by_date ON entry (date) WHERE joined IS NOT NULL;

-- Statistics of a younger store mislead the planner: there are none from now on.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1;
ANALYZE sqlite_schema;
