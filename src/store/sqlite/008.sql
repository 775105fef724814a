-- Format 8: WebSub, both ways.

-- Subscriptions of ours at the hubs of publishers.
CREATE TABLE subscription (
    source_id TEXT PRIMARY KEY,
    token     TEXT NOT NULL, -- the unguessable part of its callback
    facts     TEXT NOT NULL, -- JSON
    trust     TEXT -- JSON: whether the hub tells everything; written by polls alone
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX subscription_by_token ON subscription (token);

-- Subscribers of our hub.
CREATE TABLE subscriber (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    callback  TEXT NOT NULL,
    host      TEXT NOT NULL, -- of the callback
    topic     TEXT NOT NULL, -- the address of a document
    secret    TEXT,
    lease_end INTEGER, -- NULL before the first verification
    told      TEXT NOT NULL, -- the mark of the document that it has
    next_try  INTEGER,
    failures  INTEGER NOT NULL,
    since     INTEGER, -- when the failures began
    why       TEXT,
    intent    TEXT -- JSON: a request that is to be verified
) STRICT;
CREATE UNIQUE INDEX subscriber_by_callback ON subscriber (callback, topic);
CREATE INDEX subscriber_by_host ON subscriber (host);
CREATE INDEX subscriber_by_topic ON subscriber (topic, number) WHERE lease_end IS NOT NULL;
CREATE INDEX subscriber_intent ON subscriber (number) WHERE intent IS NOT NULL;
CREATE INDEX subscriber_next_try ON subscriber (next_try) WHERE next_try IS NOT NULL;
