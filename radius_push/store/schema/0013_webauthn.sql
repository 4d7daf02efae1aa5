-- What proves on a phone, by fingerprint or face, that its person is there (WebAuthn). One counts; a new one
-- waits beside it until the issuer has typed its code.
CREATE TABLE credentials (
    device      TEXT NOT NULL REFERENCES devices (id),
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'active')),
    id          BLOB NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 1023),
    -- COSE_Key (RFC 9052, section 7).
    public_key  BLOB NOT NULL,
    counter     INTEGER NOT NULL CHECK (counter >= 0),
    -- SHA-256 of what the phone sent for it: the six digits are made of this, too.
    mark        BLOB NOT NULL CHECK (length(mark) = 32),
    synced      INTEGER NOT NULL CHECK (synced IN (0, 1)),
    since       REAL NOT NULL,
    wrong_codes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, state)
) STRICT, WITHOUT ROWID;

-- However a device is removed, what was on it proves nothing any more.
CREATE TRIGGER forget_the_credentials_of_a_removed_device AFTER UPDATE OF state ON devices
WHEN new.state = 'removed'
BEGIN
    DELETE FROM credentials WHERE device = new.id;
END;

-- What a yes to this question needs, as its profile said when it was asked.
ALTER TABLE questions ADD COLUMN biometrics TEXT NOT NULL DEFAULT 'optional'
    CHECK (biometrics IN ('off', 'optional', 'required'));
