-- Notes which derived data was deleted. Nothing is written where nothing is missing.
INSERT INTO meta SELECT 'rebuilt', 0 WHERE EXISTS (SELECT 1 FROM entry) AND (
    NOT EXISTS (SELECT 1 FROM clue) OR NOT EXISTS (SELECT 1 FROM sketch)
    OR EXISTS (SELECT 1 FROM entry WHERE story = 0)) ON CONFLICT DO NOTHING;
UPDATE meta SET value = 0 WHERE name = 'rebuilt' AND value <> 0
    AND (NOT EXISTS (SELECT 1 FROM clue) OR NOT EXISTS (SELECT 1 FROM sketch));
INSERT INTO ruleset (rules) SELECT '' WHERE NOT EXISTS (SELECT 1 FROM labelled)
    AND EXISTS (SELECT 1 FROM meta WHERE name = 'has_labels')
    AND NOT EXISTS (SELECT 1 FROM ruleset WHERE rules = '') ON CONFLICT DO NOTHING;
UPDATE meta SET value = (SELECT id FROM ruleset WHERE rules = '') WHERE name = 'rules'
    AND NOT EXISTS (SELECT 1 FROM labelled) AND EXISTS (SELECT 1 FROM meta WHERE name = 'has_labels');
UPDATE meta SET value = 0 WHERE name = 'labelled'
    AND NOT EXISTS (SELECT 1 FROM labelled) AND EXISTS (SELECT 1 FROM meta WHERE name = 'has_labels');
DELETE FROM meta WHERE name = 'has_labels' AND NOT EXISTS (SELECT 1 FROM labelled);
