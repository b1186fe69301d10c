-- Surname, house number and beginning of the street.
SELECT id, source, CONCAT(SUBSTR(surname, 1, 4), '|', door, '|', SUBSTR(street, 1, 2)) AS value FROM records
WHERE surname IS NOT NULL AND door IS NOT NULL AND street IS NOT NULL
ORDER BY value, id
