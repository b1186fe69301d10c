-- The address.
SELECT id, source, CONCAT(SUBSTR(street, 1, 3), '|', door, '|', postcode) AS value FROM records
WHERE street IS NOT NULL AND door IS NOT NULL AND postcode IS NOT NULL
ORDER BY value, id
