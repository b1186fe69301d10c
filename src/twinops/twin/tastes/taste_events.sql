-- One row per basket and chosen category it holds: the events the taste state knows.
-- In: transactions(sid, day, basket_id, product_id), panel(sid, cutoff), taste_places(product_id, place).
SELECT
    t.sid,
    t.day,
    t.basket_id,
    k.place
FROM transactions AS t
INNER JOIN (SELECT DISTINCT sid FROM panel) AS p ON t.sid = p.sid
INNER JOIN taste_places AS k ON t.product_id = k.product_id
GROUP BY t.sid, t.day, t.basket_id, k.place
ORDER BY t.sid, t.day, t.basket_id, k.place
