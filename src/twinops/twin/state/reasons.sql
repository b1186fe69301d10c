-- How many households may serve each purpose today (`reason` null), and how many not, by reason.
-- In: consent_read(sid, day, purpose, reason), clock(today).
SELECT
    r.purpose,
    r.reason,
    COUNT(*) AS households
FROM consent_read AS r
INNER JOIN clock AS c ON r.day = c.today
GROUP BY r.purpose, r.reason
ORDER BY r.purpose, r.reason
