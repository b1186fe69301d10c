-- What is known of a household that was first met so many days before the as-of day: its baskets since then.
-- In: transactions(sid, day, basket_id, sales_cents), asked(sid, cutoff), histories(days).
WITH baskets AS (
    SELECT
        t.sid,
        t.basket_id,
        MIN(t.day) AS day,
        CAST(SUM(t.sales_cents) AS BIGINT) AS cents
    FROM transactions AS t
    INNER JOIN (SELECT DISTINCT sid FROM asked) AS w ON t.sid = w.sid
    GROUP BY t.sid, t.basket_id
)

SELECT
    a.sid,
    a.cutoff,
    h.days,
    COUNT(b.basket_id) AS baskets,
    CAST(COALESCE(SUM(b.cents), 0) AS BIGINT) AS cents,
    COALESCE(MIN(a.cutoff - b.day), h.days + 1) AS recency_days
FROM asked AS a
CROSS JOIN histories AS h
LEFT JOIN baskets AS b ON a.sid = b.sid AND b.day < a.cutoff AND b.day >= a.cutoff - h.days
GROUP BY a.sid, a.cutoff, h.days
ORDER BY h.days, a.sid, a.cutoff
