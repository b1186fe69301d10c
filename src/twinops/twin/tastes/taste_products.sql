-- Reference data about products, non-personal: which category each belongs to.
-- In: products_file(product_id, product_category).
SELECT
    product_id,
    product_category
FROM products_file
ORDER BY product_id, product_category
