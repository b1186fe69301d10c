-- The letters of the e-mail's local part, of the handle, and of the whole name stand in for each other.
SELECT id, source, local AS value FROM records
WHERE LENGTH(local) > 7
UNION ALL
SELECT id, source, letters AS value FROM records
WHERE LENGTH(handle) > 7 AND letters <> ''
UNION ALL
SELECT id, source, CONCAT(REPLACE(given, ' ', ''), surname) AS value FROM records
WHERE given IS NOT NULL AND surname IS NOT NULL AND LENGTH(given) + LENGTH(surname) > 7
ORDER BY value, id
