-- Format 3: stories that grow together, are corrected by hand, and whose entries are edited or withdrawn.

-- An entry that says only when it was updated is dated by that, as it was when first seen.
UPDATE entry SET date = min(updated, first_seen) WHERE published IS NULL AND updated >= 631152000;
UPDATE label SET date = (
    SELECT head.date FROM entry JOIN entry AS head ON head.number = entry.story WHERE entry.number = label.entry
);
DELETE FROM month;
INSERT INTO month SELECT topic, strftime('%Y-%m', date, 'unixepoch') AS month, random() FROM label GROUP BY 1, 2;

-- Whether it has its guid to itself in its document, so that the guid tells it among all sources.
ALTER TABLE entry ADD COLUMN owns_guid INTEGER NOT NULL DEFAULT 0;
UPDATE entry SET owns_guid = 1 WHERE id = atom_id;
-- Since when it is gone from its feed though what stood beside it is still there; and when it had been so for long
-- enough to say that its publisher has taken it back.
ALTER TABLE entry ADD COLUMN suspected INTEGER;
ALTER TABLE entry ADD COLUMN withdrawn INTEGER;
CREATE INDEX entry_suspected ON entry (source_id, suspected) WHERE suspected IS NOT NULL AND withdrawn IS NULL;
CREATE INDEX entry_withdrawn ON entry (withdrawn) WHERE withdrawn IS NOT NULL;
-- Answers by itself, for every poll with news asks it.
CREATE INDEX entry_listed ON entry (source_id, date, published, updated, key, left_feed) WHERE left_feed IS NULL;
-- When the story that it headed became part of an earlier one.
ALTER TABLE entry ADD COLUMN joined INTEGER;
CREATE INDEX entry_joined ON entry (joined) WHERE joined IS NOT NULL;

-- Hashes of the telling words of entries, by which related news is found; made when needed. Beside the entries, for
-- a column behind their texts would be read through all of them.
CREATE TABLE terms (
    entry  INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL
) STRICT;

-- What two entries are held to be, whatever they say: by hand, or because they were published as one.
CREATE TABLE bond (
    one      INTEGER NOT NULL, -- the lower number
    other    INTEGER NOT NULL,
    together INTEGER NOT NULL, -- 1 one story, 0 never one
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX bond_by_other ON bond (other);

-- What an entry said before it was edited.
CREATE TABLE revision (
    entry    INTEGER NOT NULL,
    replaced INTEGER NOT NULL, -- when
    title    TEXT,
    summary  TEXT,
    content  TEXT,
    url      TEXT
) STRICT;
CREATE INDEX revision_by_entry ON revision (entry);

-- Earlier news of the topic that a story is shown with, chosen once.
CREATE TABLE related (
    topic TEXT NOT NULL,
    story INTEGER NOT NULL,
    place INTEGER NOT NULL, -- 0 says that the choice was made; then the best first
    other INTEGER NOT NULL,
    PRIMARY KEY (topic, story, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX related_by_story ON related (story);
CREATE INDEX related_by_other ON related (other);
-- What was published without stays without.
INSERT INTO related SELECT DISTINCT label.topic, entry.story, 0, entry.story
FROM label JOIN entry ON entry.number = label.entry;

-- Marks that these tables are whole.
-- Clues are made in another way now: whoever opens an older store makes them again.
DELETE FROM clue;
INSERT INTO clue SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM entry);
INSERT INTO label VALUES (0, '', 0, 0, '[]');

-- Hosts that asked to be left alone.
CREATE TABLE throttle (
    host  TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
