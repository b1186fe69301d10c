-- Features and, where the horizon is closed, what happened next.
-- In: panel, labels.
SELECT
    p.*,
    -- a running number per household, so that nothing below has to handle its sid
    DENSE_RANK() OVER (ORDER BY p.sid) - 1 AS household,
    l.sid IS NOT NULL AS closed,
    COALESCE(l.active, FALSE) AS active,
    COALESCE(l.baskets, 0) AS baskets,
    COALESCE(l.spend_cents, 0) AS spend_cents
FROM panel AS p
LEFT JOIN labels AS l ON p.sid = l.sid AND p.cutoff = l.cutoff
ORDER BY p.sid, p.cutoff
