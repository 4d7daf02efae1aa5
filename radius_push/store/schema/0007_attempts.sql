-- Questions know their attempt: which later try is the same login once more. SQLite changes no CHECK in place.
CREATE TABLE questions_now (
    id          TEXT PRIMARY KEY,
    login       TEXT NOT NULL,
    person      TEXT NOT NULL,
    account     TEXT NOT NULL,
    client      TEXT NOT NULL,
    profile     TEXT NOT NULL,
    address     TEXT,
    nonce       TEXT NOT NULL,
    opened_at   REAL NOT NULL,
    expires_at  REAL NOT NULL,
    -- Its last moment, however many tries join: what phones sign.
    closes_at   REAL NOT NULL,
    state       TEXT NOT NULL CHECK (
        state IN ('pending', 'late', 'ticket', 'approved', 'denied', 'timed_out', 'spent', 'closed')),
    device      TEXT REFERENCES devices (id),
    closed_at   REAL,
    -- What the rules said when it was asked: SHA-256 over profile, methods and reply.
    decision    BLOB,
    -- A keyed hash over person, gateways, user address and password; its key is not in here. NULL: nobody can tell.
    attempt     BLOB CHECK (length(attempt) = 32),
    lane        INTEGER NOT NULL DEFAULT 1,
    rang        INTEGER NOT NULL DEFAULT 1 CHECK (rang IN (0, 1)),
    -- How many earlier questions nobody had answered when it was asked.
    unanswered  INTEGER NOT NULL DEFAULT 0,
    -- While late: until when it can be answered. Of a ticket: until when it lets somebody in.
    later_until REAL,
    -- While late: a yes is for the next try.
    late_counts INTEGER NOT NULL DEFAULT 0 CHECK (late_counts IN (0, 1)),
    -- One more was let in by it.
    followed    INTEGER NOT NULL DEFAULT 0 CHECK (followed IN (0, 1))
) STRICT;
INSERT INTO questions_now (id, login, person, account, client, profile, address, nonce, opened_at, expires_at,
        closes_at, state, device, closed_at, decision)
    SELECT id, login, person, account, client, profile, address, nonce, opened_at, expires_at,
        expires_at, state, device, closed_at, decision FROM questions;

-- The requests that were held for a question: the first of its attempt, and later tries that joined.
CREATE TABLE riders (
    number      INTEGER PRIMARY KEY,
    -- SHA-256 over where it came from, where to, and its octets: the same packet meets its question again after a
    -- restart, and never opens another one.
    packet      BLOB NOT NULL UNIQUE,
    question    TEXT NOT NULL,
    client      TEXT NOT NULL,
    source      TEXT NOT NULL,
    source_port INTEGER NOT NULL,
    proof       TEXT NOT NULL,
    -- What it is remembered by, wherever it was sent to; NULL for those of before.
    request     BLOB,
    -- When its gateway gives up.
    until       REAL NOT NULL,
    -- The gateway was told, or hung up.
    gone        INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1)),
    -- Its row in the evidence, once it is accepted, and when the Access-Accept left first.
    accepted    INTEGER,
    sent_at     REAL
) STRICT;
INSERT INTO riders (packet, question, client, source, source_port, proof, until, accepted, sent_at)
    SELECT packet, id, client, '', 0, 'pap', expires_at, accepted, sent_at FROM questions WHERE packet IS NOT NULL;
CREATE INDEX riders_of_question ON riders (question, number);
CREATE INDEX riders_by_request ON riders (request) WHERE request IS NOT NULL;

DROP TABLE questions;
ALTER TABLE questions_now RENAME TO questions;
CREATE UNIQUE INDEX one_open_question_per_login ON questions (login) WHERE state IN ('pending', 'approved');
CREATE UNIQUE INDEX one_open_question_per_lane ON questions (attempt, lane)
    WHERE attempt IS NOT NULL AND state IN ('pending', 'approved', 'late');
CREATE INDEX questions_of_attempt ON questions (attempt, opened_at) WHERE attempt IS NOT NULL;
CREATE INDEX open_questions_of_person ON questions (person, opened_at) WHERE state IN ('pending', 'late');
CREATE INDEX ended_questions_of_person ON questions (person, closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX recent_questions_of_person ON questions (person, opened_at);
CREATE INDEX answers_of_device ON questions (device, closed_at) WHERE device IS NOT NULL;
CREATE INDEX questions_by_age ON questions (opened_at);
-- Those that nobody may wait for any more are looked for every half minute.
CREATE INDEX unfinished_questions ON questions (state, expires_at)
    WHERE state IN ('pending', 'approved', 'late', 'ticket');
CREATE TRIGGER riders_go_with_their_question AFTER DELETE ON questions
BEGIN
    DELETE FROM riders WHERE question = old.id;
END;
