-- Blocking keys: one row per record, rule and key; records that share a key under a rule are worth comparing.
-- In: records (see normalise.py). A key is left out when one of its parts is not known.
SELECT id, source, rule, value
FROM (
    SELECT id, source, 'email' AS rule, email AS value FROM records
    UNION ALL
    SELECT id, source, 'phone', phone FROM records
    UNION ALL
    SELECT id, source, 'card', card FROM records
    UNION ALL
    -- the letters of the e-mail's local part, of the handle, and of the whole name stand in for each other
    SELECT id, source, 'spelling', local FROM records WHERE LENGTH(local) > 7
    UNION ALL
    SELECT id, source, 'spelling', letters FROM records WHERE LENGTH(handle) > 7
    UNION ALL
    SELECT id, source, 'spelling', CONCAT(REPLACE(given, ' ', ''), surname) FROM records WHERE given IS NOT NULL AND surname IS NOT NULL AND LENGTH(given) + LENGTH(surname) > 7
    UNION ALL
    SELECT id, source, 'handle', handle FROM records
    UNION ALL
    SELECT id, source, 'handle', CONCAT(SUBSTR(given, 1, 1), surname) FROM records WHERE given IS NOT NULL AND LENGTH(surname) > 4
    UNION ALL
    SELECT id, source, 'name and town', CONCAT(LEAST(given_sounds, surname_sounds), '|', GREATEST(given_sounds, surname_sounds), '|', SUBSTR(city, 1, 4)) FROM records WHERE given_sounds IS NOT NULL AND surname_sounds IS NOT NULL AND city IS NOT NULL
    UNION ALL
    SELECT id, source, 'beginnings and town', CONCAT(root, '|', SUBSTR(surname, 1, 3), '|', SUBSTR(city, 1, 3)) FROM records WHERE root IS NOT NULL AND surname IS NOT NULL AND city IS NOT NULL
    UNION ALL
    SELECT id, source, 'given name, year and town', CONCAT(root, '|', year, '|', SUBSTR(city, 1, 4)) FROM records WHERE root IS NOT NULL AND year IS NOT NULL AND city IS NOT NULL
    UNION ALL
    SELECT id, source, 'beginnings and year', CONCAT(root, '|', SUBSTR(surname, 1, 4), '|', year) FROM records WHERE root IS NOT NULL AND surname IS NOT NULL AND year IS NOT NULL
    UNION ALL
    SELECT id, source, 'surname and birthday', CONCAT(surname_sounds, '|', born) FROM records WHERE surname_sounds IS NOT NULL AND born IS NOT NULL
    UNION ALL
    SELECT id, source, 'given name and birthday', CONCAT(root, '|', born) FROM records WHERE root IS NOT NULL AND born IS NOT NULL
    UNION ALL
    SELECT id, source, 'address', CONCAT(SUBSTR(street, 1, 3), '|', door, '|', postcode) FROM records WHERE street IS NOT NULL AND door IS NOT NULL AND postcode IS NOT NULL
    UNION ALL
    SELECT id, source, 'surname and door', CONCAT(SUBSTR(surname, 1, 4), '|', door, '|', SUBSTR(street, 1, 2)) FROM records WHERE surname IS NOT NULL AND door IS NOT NULL AND street IS NOT NULL
    UNION ALL
    SELECT id, source, 'name and postcode', CONCAT(SUBSTR(surname, 1, 3), '|', SUBSTR(given, 1, 1), '|', postcode) FROM records WHERE surname IS NOT NULL AND given IS NOT NULL AND postcode IS NOT NULL
) AS keyed
WHERE value IS NOT NULL AND value <> ''
ORDER BY rule, value, id
