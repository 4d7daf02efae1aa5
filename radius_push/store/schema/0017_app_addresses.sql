-- A device may be reached by its browser's push service and by an app's (Apple's, Google's): one address each.
-- `endpoint` is the URL of a subscription, or an app's token; only a browser has keys of its own.
CREATE TABLE push_addresses_by_channel (
    device   TEXT NOT NULL REFERENCES devices (id),
    channel  TEXT NOT NULL CHECK (channel IN ('web_push', 'apns', 'fcm')),
    endpoint TEXT NOT NULL,
    p256dh   BLOB CHECK (length(p256dh) = 65),
    auth     BLOB CHECK (length(auth) = 16),
    since    REAL NOT NULL,
    PRIMARY KEY (device, channel),
    CHECK ((channel = 'web_push') = (p256dh IS NOT NULL) AND (channel = 'web_push') = (auth IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO push_addresses_by_channel (device, channel, endpoint, p256dh, auth, since)
    SELECT device, 'web_push', endpoint, p256dh, auth, since FROM push_addresses;
DROP TRIGGER forget_where_a_removed_device_was;
DROP TABLE push_addresses;
ALTER TABLE push_addresses_by_channel RENAME TO push_addresses;
CREATE INDEX push_addresses_by_endpoint ON push_addresses (endpoint);

CREATE TRIGGER forget_where_a_removed_device_was AFTER UPDATE OF state ON devices WHEN new.state = 'removed'
BEGIN
    DELETE FROM push_addresses WHERE device = new.id;
END;
