-- Everything that outlives a packet. Times are UTC seconds since 1970; a person is `authentication profile:id`.

-- What happened, chained: hash = SHA-256(previous hash || canonical JSON of [number, at, kind, body]);
-- before the first row stand 32 zero octets.
CREATE TABLE evidence (
    number INTEGER PRIMARY KEY,
    at     REAL NOT NULL,
    kind   TEXT NOT NULL,
    body   TEXT NOT NULL,
    hash   BLOB NOT NULL
) STRICT;

-- A single-use right to add one phone; token and code are keyed hashes, never the words themselves.
CREATE TABLE invitations (
    id          TEXT PRIMARY KEY,
    person      TEXT NOT NULL,
    username    TEXT NOT NULL,
    token       BLOB NOT NULL UNIQUE,
    code        BLOB NOT NULL UNIQUE,
    expires_at  REAL NOT NULL,
    -- The invitation is spent first and its device written next, in one transaction.
    redeemed_by TEXT REFERENCES devices (id) DEFERRABLE INITIALLY DEFERRED,
    closed      INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
    wrong_codes INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX open_invitations_of_person ON invitations (person) WHERE closed = 0;

CREATE TABLE devices (
    id         TEXT PRIMARY KEY,
    person     TEXT NOT NULL,
    username   TEXT NOT NULL,
    name       TEXT NOT NULL,
    public_key BLOB NOT NULL CHECK (length(public_key) = 65),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'active', 'removed')),
    created_at REAL NOT NULL,
    invitation TEXT NOT NULL REFERENCES invitations (id)
) STRICT;
CREATE INDEX devices_of_person ON devices (person);

-- Who has ever had a device: permanent, so that losing the last one needs a new invitation.
CREATE TABLE persons (
    person             TEXT PRIMARY KEY,
    first_device_since REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE questions (
    id         TEXT PRIMARY KEY,
    login      TEXT NOT NULL,
    person     TEXT NOT NULL,
    account    TEXT NOT NULL,
    client     TEXT NOT NULL,
    profile    TEXT NOT NULL,
    address    TEXT,
    nonce      TEXT NOT NULL,
    opened_at  REAL NOT NULL,
    expires_at REAL NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'timed_out', 'spent', 'closed')),
    device     TEXT REFERENCES devices (id),
    closed_at  REAL
) STRICT;
CREATE UNIQUE INDEX one_open_question_per_login ON questions (login) WHERE state IN ('pending', 'approved');
CREATE INDEX open_questions_of_person ON questions (person, opened_at) WHERE state = 'pending';
CREATE INDEX ended_questions_of_person ON questions (person, closed_at) WHERE closed_at IS NOT NULL;

-- Packets that passed the first factor, so that none is worked on twice.
CREATE TABLE seen_requests (
    number INTEGER PRIMARY KEY,
    hash   BLOB NOT NULL UNIQUE,
    at     REAL NOT NULL
) STRICT;
CREATE INDEX seen_requests_by_age ON seen_requests (at);

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
