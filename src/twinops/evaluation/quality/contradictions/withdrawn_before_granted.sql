-- source: consent
-- says: a consent was withdrawn that nobody had given
-- reads: consent
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN g.sid IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM consent AS w
LEFT JOIN (
    SELECT sid, purpose, MIN(day) AS day FROM consent WHERE event = 'granted' GROUP BY sid, purpose
) AS g ON w.sid = g.sid AND w.purpose = g.purpose AND g.day <= w.day
WHERE w.event = 'withdrawn'
