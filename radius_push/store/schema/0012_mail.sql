-- An invitation that was sent, and not shown, asks for the directory's password.
ALTER TABLE invitations ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
-- 0: the phone is trusted as soon as it has come.
ALTER TABLE invitations ADD COLUMN asks_code INTEGER NOT NULL DEFAULT 1;
ALTER TABLE invitations ADD COLUMN wrong_passwords INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invitations ADD COLUMN invited_at REAL;
ALTER TABLE invitations ADD COLUMN mailed_at REAL;

-- Where a person is written to, as their directory said when they were invited.
CREATE TABLE mail_addresses (
    person  TEXT PRIMARY KEY,
    address TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What is to be mailed: written with what it tells of, gone when it was sent or given up.
CREATE TABLE mails (
    id       INTEGER PRIMARY KEY,
    person   TEXT NOT NULL,
    username TEXT NOT NULL,
    address  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    about    TEXT NOT NULL,
    name     TEXT NOT NULL,
    at       REAL NOT NULL,
    due      REAL NOT NULL,
    tries    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX mails_by_due ON mails (due);

-- What an app shows until somebody has seen it.
CREATE TABLE notices (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    person TEXT NOT NULL,
    kind   TEXT NOT NULL,
    about  TEXT NOT NULL,
    name   TEXT NOT NULL,
    at     REAL NOT NULL,
    rung   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notices_of_device ON notices (device, id);
CREATE INDEX notices_to_ring ON notices (at) WHERE rung = 0;

-- However a device goes, nobody is shown anything on it any more.
CREATE TRIGGER notices_of_a_removed_device AFTER UPDATE OF state ON devices WHEN new.state = 'removed'
BEGIN
    DELETE FROM notices WHERE device = new.id;
END;
