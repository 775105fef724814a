-- What can be made again from entries and bonds. Opened without one of these tables, the store makes it, and it is filled
-- again.
CREATE TABLE IF NOT EXISTS clue (
    period INTEGER NOT NULL, -- that in which the entry was first seen, so that what is looked up is near; 0 for lasting ones
    hash   INTEGER NOT NULL,
    entry  INTEGER NOT NULL,
    PRIMARY KEY (period, hash, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sketch (
    entry INTEGER PRIMARY KEY,
    clues BLOB NOT NULL, -- pairs of period and hash, 8 bytes each, little-endian
    words BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS labelled (
    entry   INTEGER NOT NULL,
    rules   INTEGER NOT NULL,
    topic   TEXT NOT NULL,
    date    INTEGER NOT NULL, -- that of its story's head
    score   REAL NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (entry, rules, topic)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS labelled_by_topic ON labelled (rules, topic, date DESC, entry DESC);
-- The order of arrival, by which late entries are found.
CREATE INDEX IF NOT EXISTS labelled_by_arrival ON labelled (rules, topic, entry DESC);
-- The labels that are published.
CREATE VIEW IF NOT EXISTS label AS SELECT entry, topic, date, score, reasons FROM labelled
    WHERE rules = (SELECT value FROM meta WHERE name = 'rules');

CREATE TABLE IF NOT EXISTS month (
    topic TEXT NOT NULL,
    month TEXT NOT NULL, -- 2026-11
    stamp INTEGER NOT NULL,
    PRIMARY KEY (topic, month)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE IF NOT EXISTS entry_text USING fts5 (
    title, text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
