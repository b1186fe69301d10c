-- What a household did in the horizon from the as-of day on; only as-of days whose horizon is closed.
-- In: panel(sid, cutoff), baskets, cutoffs(cutoff, closes, closed).
SELECT
    p.sid,
    p.cutoff,
    COUNT(b.basket_id) > 0 AS active,
    COUNT(b.basket_id) AS baskets,
    CAST(COALESCE(SUM(b.cents), 0) AS BIGINT) AS spend_cents
FROM panel AS p
INNER JOIN cutoffs AS c ON p.cutoff = c.cutoff
LEFT JOIN baskets AS b ON p.sid = b.sid AND b.day >= p.cutoff AND b.day < c.closes
WHERE c.closed
GROUP BY p.sid, p.cutoff
ORDER BY p.sid, p.cutoff
