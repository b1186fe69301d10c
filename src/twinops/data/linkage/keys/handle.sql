-- A handle of initial and surname.
SELECT id, source, handle AS value FROM records
WHERE handle IS NOT NULL
UNION ALL
SELECT id, source, CONCAT(SUBSTR(given, 1, 1), surname) AS value FROM records
WHERE given IS NOT NULL AND LENGTH(surname) > 4
ORDER BY value, id
