-- When a device answered, and when the person took a yes back: from then on it lets nobody in.
ALTER TABLE questions ADD COLUMN answered_at REAL;
ALTER TABLE questions ADD COLUMN contested_at REAL;
-- A yes of a device that shares the login's address is not taken.
ALTER TABLE questions ADD COLUMN not_from_login_address INTEGER NOT NULL DEFAULT 0
    CHECK (not_from_login_address IN (0, 1));

-- The device that invited another one; NULL: an issuer did.
ALTER TABLE invitations ADD COLUMN by_device TEXT;
CREATE INDEX open_invitations_of_device ON invitations (by_device) WHERE by_device IS NOT NULL AND closed = 0;

-- When a device said last that a push had reached it, and since when its push service knows it no more.
ALTER TABLE devices ADD COLUMN push_seen_at REAL;
ALTER TABLE devices ADD COLUMN push_gone_at REAL;
