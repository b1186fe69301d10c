-- What each household allows on each as-of day: read on that day AND on the day the pipeline runs for (`clock`), so that
-- a later withdrawal is honoured in rows about the past. Who does not allow training today is not here at all.
-- In: consent_read(sid, day, purpose, allowed), clock(today).
WITH today AS (
    SELECT
        r.sid,
        r.purpose
    FROM consent_read AS r
    INNER JOIN clock AS c ON r.day = c.today
    WHERE r.allowed
),

admitted AS (
    SELECT sid
    FROM today
    WHERE purpose = 'twin_training'
),

flagged AS (
    SELECT
        r.sid,
        r.day,
        r.purpose,
        CASE WHEN r.allowed AND t.sid IS NOT NULL THEN 1 ELSE 0 END AS allowed
    FROM consent_read AS r
    INNER JOIN admitted AS a ON r.sid = a.sid
    LEFT JOIN today AS t ON r.sid = t.sid AND r.purpose = t.purpose
)

SELECT
    sid,
    day AS cutoff,
    MAX(CASE WHEN purpose = 'twin_training' THEN allowed ELSE 0 END) = 1 AS may_train,
    MAX(CASE WHEN purpose = 'twin_scoring' THEN allowed ELSE 0 END) = 1 AS may_score,
    MAX(CASE WHEN purpose = 'offers' THEN allowed ELSE 0 END) = 1 AS may_offer,
    MAX(CASE WHEN purpose = 'bias_assessment' THEN allowed ELSE 0 END) = 1 AS may_assess_bias
FROM flagged
GROUP BY sid, day
ORDER BY sid, day
