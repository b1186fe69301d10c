-- What each household of the panel did in the first days after the as-of day.
-- In: panel(sid, cutoff), first_lines(sid, day, basket_id, sales_cents), first_days(days).
WITH baskets AS (
    SELECT sid, day, basket_id, CAST(SUM(sales_cents) AS BIGINT) AS cents
    FROM first_lines
    GROUP BY sid, day, basket_id
)

SELECT
    p.sid,
    p.cutoff,
    COUNT(b.basket_id) AS baskets,
    CAST(COALESCE(SUM(b.cents), 0) AS BIGINT) AS spend_cents
FROM panel AS p
CROSS JOIN first_days AS d
LEFT JOIN baskets AS b ON p.sid = b.sid AND b.day >= p.cutoff AND b.day < p.cutoff + d.days
GROUP BY p.sid, p.cutoff
ORDER BY p.sid, p.cutoff
