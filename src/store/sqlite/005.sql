-- Format 5: stamps are taken from the generation, so that the newest of a topic is its largest.
UPDATE month SET stamp = (SELECT value FROM meta WHERE name = 'generation');

-- What is gone from a month, found without reading what is gone from all others.
CREATE INDEX entry_withdrawn_by_date ON entry (date) WHERE withdrawn IS NOT NULL;
CREATE INDEX entry_joined_by_date ON entry (date) WHERE joined IS NOT NULL;
