-- Given name, beginning of the surname and year of birth.
SELECT id, source, CONCAT(root, '|', SUBSTR(surname, 1, 4), '|', year) AS value FROM records
WHERE root IS NOT NULL AND surname IS NOT NULL AND year IS NOT NULL
ORDER BY value, id
