-- Format 2: several nodes on one store.

-- Who lives, who may ask which host, and which rules came last. Times are Unix
-- milliseconds of this server's clock.

CREATE TABLE node (
    id          TEXT COLLATE "C" PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    version     TEXT NOT NULL,
    rules       TEXT COLLATE "C" NOT NULL,
    passing     BOOLEAN NOT NULL,
    published   BIGINT NOT NULL,
    lag_seconds BIGINT NOT NULL,
    hosts       BIGINT NOT NULL,
    reasons     TEXT NOT NULL, -- a line each
    began       BIGINT NOT NULL,
    seen        BIGINT NOT NULL
);

-- The rules that nodes have, and when the store met them: those of living nodes that it met last are followed.
CREATE TABLE met (
    rules TEXT COLLATE "C" PRIMARY KEY,
    since BIGINT NOT NULL,
    seen  BIGINT NOT NULL
);

-- A fence is this number with random digits behind it: a server that lost its last seconds never repeats one.
CREATE SEQUENCE fence;

CREATE TABLE lease (
    name      TEXT COLLATE "C" PRIMARY KEY, -- a host, or a job after a colon
    node      TEXT COLLATE "C",             -- nobody's if NULL
    fence     BIGINT NOT NULL DEFAULT 0,
    until     BIGINT NOT NULL DEFAULT 0,
    free_from BIGINT NOT NULL DEFAULT 0,    -- no request to the host before
    gap       BIGINT NOT NULL DEFAULT 0,    -- milliseconds that follow the end of a lease that nobody gave back
    awaited   BOOLEAN NOT NULL DEFAULT false
) WITH (fillfactor = 60); -- each taking, renewal and return changes its row, in the same page while there is room
