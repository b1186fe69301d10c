-- Products of denied categories: one row per product and category it may tell of.
-- In: products_file(product_id, product_category, product_type), special_patterns(category, pattern), in capitals.
SELECT DISTINCT
    p.product_id,
    s.category
FROM products_file AS p
INNER JOIN special_patterns AS s ON UPPER(p.product_category) LIKE s.pattern OR UPPER(p.product_type) LIKE s.pattern
ORDER BY p.product_id, s.category
