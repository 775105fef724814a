-- Format 2: the archive of a topic, by month.

-- A label's date is from now on that of its story's head: the order in which a topic shows stories, and their month.
UPDATE label SET date = (
    SELECT head.date FROM entry JOIN entry AS head ON head.number = entry.story WHERE entry.number = label.entry
);

-- The stamp changes whenever a story of that month, as the topic shows it, may look different. It is random, so that no
-- two states of a store, nor two stores, are taken for one another.
CREATE TABLE month (
    topic TEXT NOT NULL,
    month TEXT NOT NULL, -- 2026-11
    stamp INTEGER NOT NULL,
    PRIMARY KEY (topic, month)
) STRICT, WITHOUT ROWID;
INSERT INTO month SELECT topic, strftime('%Y-%m', date, 'unixepoch') AS month, random() FROM label GROUP BY 1, 2;

-- What became of sources: changes of their health only, so that a feed of them stays quiet.
CREATE TABLE change (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id TEXT NOT NULL,
    date      INTEGER NOT NULL,
    health    TEXT NOT NULL,
    detail    TEXT
) STRICT;
CREATE INDEX change_by_source ON change (source_id, number);

-- What each hub was told last (WebSub), and when to tell it again if that failed.
CREATE TABLE announcement (
    hub        TEXT NOT NULL,
    topic      TEXT NOT NULL,
    told       TEXT NOT NULL, -- a hash of the documents
    told_at    INTEGER,
    failures   INTEGER NOT NULL,
    next_try   INTEGER,
    last_error TEXT,
    PRIMARY KEY (hub, topic)
) STRICT, WITHOUT ROWID;
