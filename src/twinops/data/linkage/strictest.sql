-- The most restrictive answer over all records of a person.
-- In: merged(sid, record), answers(sid, day, purpose, reason or null), severity(reason, rank; 0 is severest), unknown(reason):
-- what a record without an answer counts as.
WITH asked AS (
    SELECT DISTINCT m.sid, m.record, q.day, q.purpose
    FROM merged AS m
    CROSS JOIN (SELECT DISTINCT day, purpose FROM answers) AS q
),

ranked AS (
    SELECT a.sid, a.day, a.purpose, MIN(s.rank) AS rank
    FROM asked AS a
    LEFT JOIN answers AS r ON a.record = r.sid AND a.day = r.day AND a.purpose = r.purpose
    CROSS JOIN unknown AS u
    LEFT JOIN severity AS s ON s.reason = CASE WHEN r.sid IS NULL THEN u.reason ELSE r.reason END
    GROUP BY a.sid, a.day, a.purpose
)

SELECT k.sid, k.day, k.purpose, k.rank IS NULL AS allowed, s.reason
FROM ranked AS k
LEFT JOIN severity AS s ON k.rank = s.rank
ORDER BY k.sid, k.day, k.purpose
