-- The ledger's answers, refused where the subject was under age on the asked day: a child's consent to be profiled for
-- marketing is not relied on (GDPR art. 8 and recital 71; DSA art. 28(2)). Where consent refuses already, its own reason stays.
-- In: consent_answered(sid, day, purpose, allowed, reason), adults(sid, adult_day): first day of full age, null when the
-- birthday is not known; whoever has no row is unknown too. age_rule(unknown_reason): null when the unknown are admitted.
WITH latest AS (
    SELECT
        sid,
        MAX(adult_day) AS adult_day
    FROM adults
    GROUP BY sid
)

SELECT
    c.sid,
    c.day,
    c.purpose,
    c.allowed AND (CASE
        WHEN a.adult_day IS NULL THEN u.unknown_reason IS NULL
        ELSE a.adult_day <= c.day
    END) AS allowed,
    CASE
        WHEN NOT c.allowed THEN c.reason
        WHEN a.adult_day IS NULL THEN u.unknown_reason
        WHEN a.adult_day > c.day THEN 'under_age'
    END AS reason
FROM consent_answered AS c
CROSS JOIN age_rule AS u
LEFT JOIN latest AS a ON c.sid = a.sid
ORDER BY c.sid, c.day, c.purpose
