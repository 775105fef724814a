-- What can be made again from entries and bonds. Opened without one of these tables, the store makes it; who finds its
-- mark missing (entry 0) fills it again.
CREATE TABLE IF NOT EXISTS clue (
    period INTEGER NOT NULL, -- that in which the entry was first seen, so that what is looked up is near; 0 for lasting ones
    hash   INTEGER NOT NULL,
    entry  INTEGER NOT NULL,
    PRIMARY KEY (period, hash, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS clue_by_entry ON clue (entry);

CREATE TABLE IF NOT EXISTS label (
    entry   INTEGER NOT NULL,
    topic   TEXT NOT NULL,
    date    INTEGER NOT NULL, -- that of its story's head
    score   REAL NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (entry, topic)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS label_by_topic ON label (topic, date DESC, entry DESC);

CREATE TABLE IF NOT EXISTS month (
    topic TEXT NOT NULL,
    month TEXT NOT NULL, -- 2026-11
    stamp INTEGER NOT NULL,
    PRIMARY KEY (topic, month)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE IF NOT EXISTS entry_text USING fts5 (
    title, text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
