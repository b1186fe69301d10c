-- source: registrations
-- says: the card was used before it was registered
-- reads: registrations, transactions
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN t.day < r.registered THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM registrations AS r
INNER JOIN (SELECT sid, MIN(day) AS day FROM transactions GROUP BY sid) AS t ON r.sid = t.sid
