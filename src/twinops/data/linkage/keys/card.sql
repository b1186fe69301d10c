-- Loyalty card.
SELECT id, source, card AS value FROM records
WHERE card IS NOT NULL
ORDER BY value, id
