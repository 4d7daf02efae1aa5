-- This phone itself took its confirmed fingerprint or face away: its person goes on being guarded by it, until
-- another one is confirmed on it, or the issuer lets it go.
ALTER TABLE devices ADD COLUMN biometrics_missed INTEGER NOT NULL DEFAULT 0 CHECK (biometrics_missed IN (0, 1));
