-- Products of denied categories: one row per product and category it may tell of.
-- In: plain_products(product_id, product_category, product_type), special_patterns(category, pattern), all in small letters
-- without accents.
SELECT DISTINCT
    p.product_id,
    s.category
FROM plain_products AS p
INNER JOIN special_patterns AS s ON p.product_category LIKE s.pattern OR p.product_type LIKE s.pattern
ORDER BY p.product_id, s.category
