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
-- When its publisher was found to have taken it back.
ALTER TABLE entry ADD COLUMN withdrawn INTEGER;
-- When the story that it headed became part of an earlier one.
ALTER TABLE entry ADD COLUMN joined INTEGER;
-- Hashes of its telling words, by which related news is found.
ALTER TABLE entry ADD COLUMN terms BLOB;

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

-- Marks that these tables are whole.
INSERT INTO clue VALUES (0, 0);
INSERT INTO label VALUES (0, '', 0, 0, '[]');
