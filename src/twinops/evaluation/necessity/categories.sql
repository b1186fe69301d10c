-- How many lines of each ordinary kind of product a household bought before a day.
-- In: transactions(sid, day, product_id), kinds(product_id, kind), asked(sid, cutoff).
SELECT
    k.kind,
    a.sid,
    COUNT(*) AS lines
FROM asked AS a
INNER JOIN transactions AS t ON a.sid = t.sid AND t.day < a.cutoff
INNER JOIN kinds AS k ON t.product_id = k.product_id
WHERE k.kind LIKE 'ordinary:%'
GROUP BY k.kind, a.sid
ORDER BY k.kind, a.sid
