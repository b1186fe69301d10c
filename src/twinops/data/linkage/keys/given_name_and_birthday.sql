-- Given name and birthday.
SELECT id, source, CONCAT(root, '|', born) AS value FROM records
WHERE root IS NOT NULL AND born IS NOT NULL
ORDER BY value, id
