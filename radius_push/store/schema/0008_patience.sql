-- How each gateway repeats itself while it waits: a JSON list of the newest series.
ALTER TABLE sightings ADD COLUMN series TEXT;
