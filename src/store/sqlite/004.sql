-- Format 4: clues by time. Made again by whoever opens an older store.

DROP TABLE clue;
CREATE TABLE clue (
    period INTEGER NOT NULL, -- that in which the entry was first seen, so that what is looked up is near; 0 for lasting ones
    hash   INTEGER NOT NULL,
    entry  INTEGER NOT NULL,
    PRIMARY KEY (period, hash, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX clue_by_entry ON clue (entry);
INSERT INTO clue SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM entry);
