-- Format 3. Hosts that asked to be left alone.

CREATE TABLE throttle (
    host  TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
