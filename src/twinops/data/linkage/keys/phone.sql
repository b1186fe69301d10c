-- Telephone.
SELECT id, source, phone AS value FROM records
WHERE phone IS NOT NULL
ORDER BY value, id
