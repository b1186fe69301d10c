-- Which household bought of which kind of product on at least so many different days before the as-of day.
-- In: transactions(sid, day, product_id), kinds(product_id, kind), asked(cutoff, least_days).
SELECT
    k.kind,
    t.sid
FROM transactions AS t
INNER JOIN kinds AS k ON t.product_id = k.product_id
CROSS JOIN asked AS a
WHERE t.day < a.cutoff
GROUP BY k.kind, t.sid, a.least_days
HAVING COUNT(DISTINCT t.day) >= a.least_days
ORDER BY k.kind, t.sid
