-- What gateways tell of who is in. A session's key is its gateway's own, and given out again: the newest row counts.
CREATE TABLE sessions (
    number       INTEGER PRIMARY KEY,
    client       TEXT NOT NULL,
    nas          TEXT NOT NULL,
    id           TEXT NOT NULL,
    username     TEXT,
    address      TEXT,
    framed       TEXT NOT NULL,
    port         TEXT,
    started_at   REAL NOT NULL,
    started_told INTEGER NOT NULL CHECK (started_told IN (0, 1)),
    heard_at     REAL NOT NULL,
    seconds      INTEGER,
    octets_in    INTEGER,
    octets_out   INTEGER,
    packets_in   INTEGER,
    packets_out  INTEGER,
    ended_at     REAL,
    ended_by     TEXT CHECK (ended_by IN ('stop', 'on', 'off', 'replaced')),
    cause        TEXT,
    -- The login that it came from, found by its name.
    login        TEXT,
    person       TEXT
) STRICT;
CREATE UNIQUE INDEX one_live_session_per_key ON sessions (client, nas, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_key ON sessions (client, nas, id, number);
CREATE INDEX sessions_by_news ON sessions (heard_at);

-- Accounting-Requests that opened or closed something: none does so twice.
CREATE TABLE seen_accounting (
    hash       BLOB PRIMARY KEY,
    forget_at  REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_accounting_by_age ON seen_accounting (forget_at);

-- Which login a session came from: one of those that were accepted shortly before.
CREATE INDEX accepted_logins ON evidence (at) WHERE kind = 'accepted';
