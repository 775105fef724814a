-- Notes which derived data was deleted or is outdated. Nothing is written where nothing is missing.
-- Clues and sketches are outdated that were made from words which were cut or folded in another way.
INSERT INTO meta SELECT 'rebuilt', 0 WHERE EXISTS (SELECT 1 FROM entry)
    AND NOT EXISTS (SELECT 1 FROM meta WHERE name = 'words_version' AND value = {words_version})
    ON CONFLICT (name) DO UPDATE SET value = 0;
INSERT INTO meta VALUES ('words_version', {words_version})
    ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value;
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
