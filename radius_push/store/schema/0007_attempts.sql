-- Which questions are about the same attempt, so that a no counts for its next tries: a keyed hash over person,
-- client, user address and password; its key is not in here. NULL: nobody can tell.
ALTER TABLE questions ADD COLUMN attempt BLOB CHECK (length(attempt) = 32);

-- How many earlier questions nobody had answered when it was asked.
ALTER TABLE questions ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
