-- Surname by sound and birthday.
SELECT id, source, CONCAT(surname_sounds, '|', born) AS value FROM records
WHERE surname_sounds IS NOT NULL AND born IS NOT NULL
ORDER BY value, id
