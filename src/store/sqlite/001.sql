-- Format 1. Times are Unix seconds. Lists are JSON. A number is an entry's rowid and never given twice.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('generation', 0), ('rules', '');

CREATE TABLE source (
    id            TEXT PRIMARY KEY,
    url           TEXT,
    moved_to      TEXT,
    redirect      TEXT,
    body_hash     BLOB,
    last_poll     INTEGER,
    last_success  INTEGER,
    next_poll     INTEGER,
    next_poll_why TEXT NOT NULL,
    failures      INTEGER NOT NULL,
    last_error    TEXT,
    retired       INTEGER NOT NULL,
    about         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE validator (
    source_id     TEXT NOT NULL,
    url           TEXT NOT NULL,
    etag          BLOB,
    last_modified BLOB,
    PRIMARY KEY (source_id, url)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id      TEXT NOT NULL,
    key            BLOB NOT NULL,
    guid_key       BLOB,
    fingerprint    BLOB NOT NULL,
    atom_id        TEXT NOT NULL,
    story          INTEGER NOT NULL,
    first_seen     INTEGER NOT NULL,
    changed        INTEGER,
    left_feed      INTEGER,
    date           INTEGER NOT NULL, -- published, else first seen; never later than first seen
    id             TEXT,
    url            TEXT,
    canonical_link TEXT,
    title          TEXT,
    summary        TEXT,
    content        TEXT,
    published      INTEGER,
    updated        INTEGER,
    language       TEXT,
    details        TEXT NOT NULL, -- authors, categories, enclosures, comments, rights, origin, base
    searchable     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source_id, key)
) STRICT;
CREATE INDEX entry_by_guid ON entry (source_id, guid_key);
CREATE INDEX entry_by_story ON entry (story);
CREATE INDEX entry_by_atom_id ON entry (atom_id);
CREATE INDEX entry_by_date ON entry (date);
CREATE INDEX entry_not_searchable ON entry (number) WHERE searchable = 0;

CREATE TABLE clue (
    hash  INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (hash, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX clue_by_entry ON clue (entry);

CREATE TABLE label (
    entry   INTEGER NOT NULL,
    topic   TEXT NOT NULL,
    date    INTEGER NOT NULL, -- the entry's
    score   REAL NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (entry, topic)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_by_topic ON label (topic, date DESC, entry DESC);

-- Filled when somebody searches: beside each insert it would cost three times the insert itself.
CREATE VIRTUAL TABLE entry_text USING fts5 (
    title, text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
