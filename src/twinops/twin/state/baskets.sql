-- One row per basket of a household that may be used at all: the events the twin knows. Money is whole cents.
-- In: transactions(sid, day, basket_id, store_id, sales_cents, *_discount_cents), permissions(sid, ...).
SELECT
    t.sid,
    t.day,
    t.basket_id,
    MIN(t.store_id) AS store_id,
    COUNT(*) AS lines,
    CAST(SUM(t.sales_cents) AS BIGINT) AS cents,
    CAST(SUM(t.retail_discount_cents + t.coupon_discount_cents + t.coupon_match_discount_cents) AS BIGINT) AS saved_cents
FROM transactions AS t
INNER JOIN (SELECT DISTINCT sid FROM permissions) AS m ON t.sid = m.sid
GROUP BY t.sid, t.day, t.basket_id
ORDER BY t.sid, t.day, t.basket_id
