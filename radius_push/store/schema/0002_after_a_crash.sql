-- What outlives the process that wrote it: a login's question meets its packet again, evidence has an end.

-- The packet that a question is about: SHA-256 over where it came from, where to, and its octets. The same packet
-- meets its question again after a restart, and never opens another one.
ALTER TABLE questions ADD COLUMN packet BLOB;
-- What the rules said when it was asked: SHA-256 over profile, methods and reply.
ALTER TABLE questions ADD COLUMN decision BLOB;
-- Its row in the evidence, once it is accepted, and when the Access-Accept left first.
ALTER TABLE questions ADD COLUMN accepted INTEGER;
ALTER TABLE questions ADD COLUMN sent_at REAL;
CREATE UNIQUE INDEX one_question_per_packet ON questions (packet) WHERE packet IS NOT NULL;
CREATE INDEX questions_by_age ON questions (opened_at);

-- A device that a backup brought back is not trusted until somebody says so. SQLite changes no CHECK in place.
CREATE TABLE devices_now (
    id         TEXT PRIMARY KEY,
    person     TEXT NOT NULL,
    username   TEXT NOT NULL,
    name       TEXT NOT NULL,
    public_key BLOB NOT NULL CHECK (length(public_key) = 65),
    state      TEXT NOT NULL CHECK (state IN ('pending', 'restored', 'active', 'removed')),
    created_at REAL NOT NULL,
    invitation TEXT NOT NULL REFERENCES invitations (id)
) STRICT;
INSERT INTO devices_now (id, person, username, name, public_key, state, created_at, invitation)
    SELECT id, person, username, name, public_key, state, created_at, invitation FROM devices;
DROP TABLE devices;
ALTER TABLE devices_now RENAME TO devices;
CREATE INDEX devices_of_person ON devices (person);

-- Where the chain begins after the oldest evidence was let go: number and hash of the last row that is gone.
CREATE TABLE evidence_let_go (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL,
    hash   BLOB NOT NULL
) STRICT;
-- Which time was the latest: a clock behind it is wrong.
CREATE INDEX evidence_by_time ON evidence (at);
