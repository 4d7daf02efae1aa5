-- What was seen of each gateway, for people to look at. No login is decided by it.
CREATE TABLE sightings (
    client      TEXT NOT NULL,
    source      TEXT NOT NULL,
    first_at    REAL NOT NULL,
    last_at     REAL NOT NULL,
    sealed_at   REAL,
    unsealed_at REAL,
    secret      BLOB,
    PRIMARY KEY (client, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE strangers (
    source   TEXT PRIMARY KEY,
    packets  INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at  REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tallies (
    client  TEXT NOT NULL,
    counter TEXT NOT NULL,
    times   INTEGER NOT NULL,
    PRIMARY KEY (client, counter)
) STRICT, WITHOUT ROWID;

-- Which sources have shown that they can seal, under `require_message_authenticator: auto`.
CREATE TABLE latches (
    client TEXT NOT NULL,
    source TEXT NOT NULL,
    at     REAL NOT NULL,
    PRIMARY KEY (client, source)
) STRICT, WITHOUT ROWID;
