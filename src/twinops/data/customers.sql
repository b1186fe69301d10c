-- How much each household shopped in the whole file: baskets, lines, and lines with a coupon; for the makers of demo data.
-- In: transactions_file.
SELECT
    household_id,
    COUNT(DISTINCT basket_id) AS baskets,
    CAST(SUM(CASE WHEN coupon_disc > 0 THEN 1 ELSE 0 END) AS BIGINT) AS coupons,
    COUNT(*) AS lines
FROM transactions_file
WHERE household_id IS NOT NULL
GROUP BY household_id
ORDER BY household_id
