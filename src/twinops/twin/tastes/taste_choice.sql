-- The most frequent product categories, by baskets that hold one, on days before `before`; those few households buy are left out.
-- In: transactions(sid, day, basket_id, product_id), panel(sid, cutoff), taste_products(product_id, product_category),
--     taste_rule(before_day, most, fewest_households).
WITH chosen AS (
    SELECT
        k.product_category,
        COUNT(DISTINCT t.basket_id) AS baskets
    FROM transactions AS t
    INNER JOIN (SELECT DISTINCT sid FROM panel) AS p ON t.sid = p.sid
    INNER JOIN taste_products AS k ON t.product_id = k.product_id
    CROSS JOIN taste_rule AS r
    WHERE t.day < r.before_day
    GROUP BY k.product_category, r.fewest_households
    HAVING COUNT(DISTINCT t.sid) >= r.fewest_households
),

ranked AS (
    SELECT
        product_category,
        ROW_NUMBER() OVER (ORDER BY baskets DESC, product_category) - 1 AS place
    FROM chosen
)

SELECT
    k.product_category,
    k.place
FROM ranked AS k
CROSS JOIN taste_rule AS r
WHERE k.place < r.most
ORDER BY k.place
