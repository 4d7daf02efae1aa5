-- A test request that `radius-push push-test` asks for waits until a server has rung for it.
ALTER TABLE trials ADD COLUMN to_ring INTEGER NOT NULL DEFAULT 0 CHECK (to_ring IN (0, 1));
CREATE INDEX trials_to_ring ON trials (to_ring) WHERE to_ring = 1;
