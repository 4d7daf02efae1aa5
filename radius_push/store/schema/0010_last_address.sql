-- Where a person was let in from last, however often somebody was refused under their name since.
CREATE INDEX accepts_of_person ON evidence (person, at) WHERE kind = 'accepted';
