-- Given name, beginnings of surname and town.
SELECT id, source, CONCAT(root, '|', SUBSTR(surname, 1, 3), '|', SUBSTR(city, 1, 3)) AS value FROM records
WHERE root IS NOT NULL AND surname IS NOT NULL AND city IS NOT NULL
ORDER BY value, id
