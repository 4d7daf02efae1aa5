-- What a login, or a person's last one, is found by in the evidence. Copies of what stands in `body`: the chain
-- is over `body` alone, and verifying it compares the copies too.
ALTER TABLE evidence ADD COLUMN login TEXT;
ALTER TABLE evidence ADD COLUMN person TEXT;
UPDATE evidence SET login = json_extract(body, '$.login'), person = json_extract(body, '$.person');
CREATE INDEX evidence_of_login ON evidence (login) WHERE login IS NOT NULL;
CREATE INDEX login_ends_of_person ON evidence (person) WHERE kind IN ('accepted', 'rejected', 'unanswered');

-- When each device last answered.
CREATE INDEX answers_of_device ON questions (device, closed_at) WHERE device IS NOT NULL;
