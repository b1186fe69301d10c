-- Beginnings of both names and postcode.
SELECT id, source, CONCAT(SUBSTR(surname, 1, 3), '|', SUBSTR(given, 1, 1), '|', postcode) AS value FROM records
WHERE surname IS NOT NULL AND given IS NOT NULL AND postcode IS NOT NULL
ORDER BY value, id
