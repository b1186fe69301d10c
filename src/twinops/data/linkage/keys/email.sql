-- E-mail.
SELECT id, source, email AS value FROM records
WHERE email IS NOT NULL
ORDER BY value, id
