-- How fast a device is rung, and how fast it says so: of each channel the last rings. Times are the server's.
CREATE TABLE rings (
    number        INTEGER PRIMARY KEY,
    device        TEXT NOT NULL REFERENCES devices (id),
    channel       TEXT NOT NULL CHECK (channel IN ('web_push', 'apns', 'fcm')),
    kind          TEXT NOT NULL,
    about         TEXT NOT NULL,
    login         TEXT,
    began_at      REAL NOT NULL,
    since_request INTEGER NOT NULL,
    delivered     INTEGER CHECK (delivered IN (0, 1)),
    received_at   REAL,
    opened_at     REAL,
    UNIQUE (device, channel, about)
) STRICT;

-- Since when a push service knows an address no more, of each channel: an app that is gone is not the browser.
CREATE TABLE gone_addresses (
    device  TEXT NOT NULL REFERENCES devices (id),
    channel TEXT NOT NULL CHECK (channel IN ('web_push', 'apns', 'fcm')),
    gone_at REAL NOT NULL,
    PRIMARY KEY (device, channel)
) STRICT, WITHOUT ROWID;
INSERT INTO gone_addresses (device, channel, gone_at)
    SELECT id, 'web_push', push_gone_at FROM devices WHERE push_gone_at IS NOT NULL;
ALTER TABLE devices DROP COLUMN push_gone_at;

CREATE TRIGGER forget_how_a_removed_device_was_rung AFTER UPDATE OF state ON devices WHEN new.state = 'removed'
BEGIN
    DELETE FROM rings WHERE device = new.id;
    DELETE FROM gone_addresses WHERE device = new.id;
END;
