-- What products are of: the denied category, or their own ordinary one.
-- In: products_file(product_id, product_category), special(product_id, category).
SELECT
    p.product_id,
    CONCAT('denied:', s.category) AS kind
FROM products_file AS p
INNER JOIN special AS s ON p.product_id = s.product_id
UNION ALL
SELECT
    p.product_id,
    CONCAT('ordinary:', p.product_category) AS kind
FROM products_file AS p
LEFT JOIN special AS s ON p.product_id = s.product_id
WHERE s.product_id IS NULL AND p.product_category IS NOT NULL
ORDER BY product_id, kind
