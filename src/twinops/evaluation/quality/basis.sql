-- Panel rows without a valid basis, counted by going back to the ledger rather than by believing the panel's flags: each
-- row needs training allowed today, and each flag of it needs its purpose allowed on the as-of day and today.
-- In: panel(sid, cutoff, may_*), consent_ledger(sid, purpose, event, day, seq), clock(today),
--     valid_events(purpose, event): last events ('none': there is none) under which the declared basis holds.
WITH claims AS (
    SELECT p.sid, p.cutoff AS day, 'twin_training' AS purpose, p.cutoff FROM panel AS p WHERE p.may_train
    UNION ALL
    SELECT p.sid, p.cutoff AS day, 'twin_scoring' AS purpose, p.cutoff FROM panel AS p WHERE p.may_score
    UNION ALL
    SELECT p.sid, p.cutoff AS day, 'offers' AS purpose, p.cutoff FROM panel AS p WHERE p.may_offer
    UNION ALL
    SELECT p.sid, p.cutoff AS day, 'bias_assessment' AS purpose, p.cutoff FROM panel AS p WHERE p.may_assess_bias
),

needed AS (
    SELECT sid, day, purpose, cutoff FROM claims
    UNION ALL
    SELECT c.sid, k.today AS day, c.purpose, c.cutoff FROM claims AS c CROSS JOIN clock AS k
    UNION ALL
    SELECT p.sid, k.today AS day, 'twin_training' AS purpose, p.cutoff FROM panel AS p CROSS JOIN clock AS k
),

ranked AS (
    SELECT
        n.sid,
        n.cutoff,
        n.day,
        n.purpose,
        l.event,
        ROW_NUMBER() OVER (PARTITION BY n.sid, n.cutoff, n.day, n.purpose ORDER BY l.day DESC, l.seq DESC) AS place
    FROM (SELECT DISTINCT sid, cutoff, day, purpose FROM needed) AS n
    LEFT JOIN consent_ledger AS l ON n.sid = l.sid AND n.purpose = l.purpose AND l.day <= n.day
),

lacking AS (
    SELECT DISTINCT
        r.sid,
        r.cutoff
    FROM ranked AS r
    LEFT JOIN valid_events AS v ON r.purpose = v.purpose AND COALESCE(r.event, 'none') = v.event
    WHERE r.place = 1 AND v.event IS NULL
)

SELECT COUNT(*) AS row_count
FROM lacking
ORDER BY row_count
