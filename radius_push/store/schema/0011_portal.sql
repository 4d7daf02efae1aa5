-- Sign-ins to the page for people's own phones. They lie apart from the questions, as test requests do: no
-- statement that lets anybody in to a VPN reads this table, and none that signs in to the page reads questions.
CREATE TABLE portal_sign_ins (
    id          TEXT PRIMARY KEY,
    person      TEXT NOT NULL,
    account     TEXT NOT NULL,
    page        TEXT NOT NULL,
    address     TEXT,
    nonce       TEXT NOT NULL,
    browser     BLOB NOT NULL UNIQUE CHECK (length(browser) = 32), -- keyed hash of what the browser holds
    opened_at   REAL NOT NULL,
    expires_at  REAL NOT NULL,
    state       TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied', 'spent')),
    device      TEXT REFERENCES devices (id),
    answered_at REAL
) STRICT;
CREATE INDEX portal_sign_ins_of_person ON portal_sign_ins (person, opened_at);
CREATE INDEX portal_sign_ins_of_device ON portal_sign_ins (device);
CREATE INDEX portal_sign_ins_by_age ON portal_sign_ins (opened_at);

CREATE TABLE portal_sessions (
    mark       BLOB PRIMARY KEY CHECK (length(mark) = 32), -- keyed hash of the cookie
    person     TEXT NOT NULL,
    account    TEXT NOT NULL,
    device     TEXT REFERENCES devices (id), -- null: somebody who never had one
    opened_at  REAL NOT NULL,
    seen_at    REAL NOT NULL,
    invitation TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX portal_sessions_of_person ON portal_sessions (person, opened_at);
CREATE INDEX portal_sessions_of_device ON portal_sessions (device);
CREATE INDEX portal_sessions_by_age ON portal_sessions (opened_at);
