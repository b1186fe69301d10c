-- Given name, year of birth and town.
SELECT id, source, CONCAT(root, '|', year, '|', SUBSTR(city, 1, 4)) AS value FROM records
WHERE root IS NOT NULL AND year IS NOT NULL AND city IS NOT NULL
ORDER BY value, id
