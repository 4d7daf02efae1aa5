-- Several processes may serve from one store, each under its own name.
CREATE TABLE servers (
    name       TEXT PRIMARY KEY,
    pid        INTEGER NOT NULL,
    started_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Each counts for itself since its own start.
DROP TABLE tallies;
CREATE TABLE tallies (
    server  TEXT NOT NULL,
    client  TEXT NOT NULL,
    counter TEXT NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (server, client, counter)
) STRICT, WITHOUT ROWID;

-- What has just changed, for whoever waits in another process: the topics of the bells that were rung, and by whom.
-- It is a hint and no more, so that its oldest rows may go at any moment.
CREATE TABLE rung (
    number INTEGER PRIMARY KEY,
    topic  TEXT NOT NULL,
    by     INTEGER NOT NULL
) STRICT;
