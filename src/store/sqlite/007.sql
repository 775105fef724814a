-- Format 7: posts, and the outbox of what they send.

-- The topics that posts tell of, as the config in force has them.
CREATE TABLE post_topic (
    topic    TEXT NOT NULL,
    post     TEXT NOT NULL,
    after    INTEGER NOT NULL, -- the last entry before the post told of this topic: stories with earlier heads are old to it
    too_old  INTEGER NOT NULL, -- seconds
    PRIMARY KEY (topic, post)
) STRICT, WITHOUT ROWID;

-- The state of each post that ever sent or failed.
CREATE TABLE post (
    id         TEXT PRIMARY KEY,
    stopped    TEXT, -- a mark of the settings that its target refused
    failures   INTEGER NOT NULL,
    since      INTEGER,
    next_try   INTEGER,
    last_error TEXT,
    last_sent  INTEGER
) STRICT, WITHOUT ROWID;

-- Each story that a post has to tell, or has told. Made in the transaction that brings the story into the topic.
CREATE TABLE outbox (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    post       TEXT NOT NULL,
    story      INTEGER NOT NULL, -- its head when the row was made
    topic      TEXT NOT NULL,
    event      TEXT NOT NULL, -- new, changed, withdrawn
    noted      INTEGER NOT NULL, -- when the event happened
    generation INTEGER NOT NULL, -- the store's when the story was last touched
    state      TEXT NOT NULL, -- waiting, sent, skipped
    sent       INTEGER, -- the first time
    remote     TEXT, -- the name of the message at the target
    failures   INTEGER NOT NULL DEFAULT 0,
    next_try   INTEGER,
    why        TEXT
) STRICT;
CREATE UNIQUE INDEX outbox_by_story ON outbox (story, post);
CREATE INDEX outbox_waiting ON outbox (post, number) WHERE state = 'waiting';
CREATE INDEX outbox_sent ON outbox (post, sent) WHERE sent IS NOT NULL;
