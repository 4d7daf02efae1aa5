-- Where a device is reached when its app is closed (RFC 8030). Whoever knows the endpoint may send to it, but
-- not read what others send.
CREATE TABLE push_addresses (
    device   TEXT PRIMARY KEY REFERENCES devices (id),
    endpoint TEXT NOT NULL,
    p256dh   BLOB NOT NULL CHECK (length(p256dh) = 65),
    auth     BLOB NOT NULL CHECK (length(auth) = 16),
    since    REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- However a device is removed, nobody knows afterwards where it was.
CREATE TRIGGER forget_where_a_removed_device_was AFTER UPDATE OF state ON devices WHEN new.state = 'removed'
BEGIN
    DELETE FROM push_addresses WHERE device = new.id;
END;

-- Test requests. They lie apart from the questions: no statement that lets anybody in reads this table.
CREATE TABLE trials (
    id          TEXT PRIMARY KEY,
    device      TEXT NOT NULL REFERENCES devices (id),
    opened_at   REAL NOT NULL,
    expires_at  REAL NOT NULL,
    answered_at REAL
) STRICT;
CREATE INDEX trials_of_device ON trials (device, opened_at);
CREATE INDEX trials_by_age ON trials (opened_at);
