-- Products of denied categories: one row per product and category it may tell of.
-- In: products_file(product_id, product_category, product_type), special_names(name, category).
SELECT
    p.product_id,
    s.category
FROM products_file AS p
INNER JOIN special_names AS s ON p.product_category = s.name
UNION
SELECT
    p.product_id,
    s.category
FROM products_file AS p
INNER JOIN special_names AS s ON p.product_type = s.name
ORDER BY product_id, category
