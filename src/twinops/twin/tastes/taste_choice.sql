-- Per product category: baskets that hold one and households that bought one, on days before `before_day`.
-- In: transactions(sid, day, basket_id, product_id), panel(sid, cutoff), taste_products(product_id, product_category),
--     taste_rule(before_day).
WITH bought AS (
    SELECT
        t.sid,
        k.product_category,
        COUNT(DISTINCT t.basket_id) AS baskets
    FROM transactions AS t
    INNER JOIN (SELECT DISTINCT sid FROM panel) AS p ON t.sid = p.sid
    INNER JOIN taste_products AS k ON t.product_id = k.product_id
    CROSS JOIN taste_rule AS r
    WHERE t.day < r.before_day
    GROUP BY t.sid, k.product_category
)

SELECT
    product_category,
    CAST(SUM(baskets) AS BIGINT) AS baskets,
    COUNT(*) AS households
FROM bought
GROUP BY product_category
ORDER BY product_category
