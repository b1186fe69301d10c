-- Rows that are held and rows that came, each as often as it stands on either side, counted by day: `added` came and is not
-- held, `again` came more often than it is held or for the second time, `gone` is held and did not come;
-- `onto` are those added to a receipt of which something is held, and nothing of that is gone.
WITH both_sides AS (
  SELECT *, 1 AS held, 0 AS came FROM arrivals_held
  UNION ALL
  SELECT *, 0 AS held, 1 AS came FROM arrivals_came
),

lines AS (
  SELECT
    sid, day, basket_id, store_id, product_id, quantity,
    sales_cents, retail_discount_cents, coupon_discount_cents, coupon_match_discount_cents,
    CAST(SUM(held) AS BIGINT) AS held,
    CAST(SUM(came) AS BIGINT) AS came
  FROM both_sides
  GROUP BY
    sid, day, basket_id, store_id, product_id, quantity,
    sales_cents, retail_discount_cents, coupon_discount_cents, coupon_match_discount_cents
),

receipts AS (
  SELECT
    *,
    CAST(SUM(held) OVER (PARTITION BY day, basket_id) AS BIGINT) > 0
    AND CAST(SUM(GREATEST(held - came, 0)) OVER (PARTITION BY day, basket_id) AS BIGINT) = 0 AS stands
  FROM lines
)

SELECT
  day,
  CAST(SUM(held) AS BIGINT) AS held,
  CAST(SUM(came) AS BIGINT) AS came,
  CAST(SUM(CASE WHEN held = 0 AND came > 0 THEN 1 ELSE 0 END) AS BIGINT) AS added,
  CAST(SUM(CASE WHEN came > GREATEST(held, 1) THEN came - GREATEST(held, 1) ELSE 0 END) AS BIGINT) AS again,
  CAST(SUM(CASE WHEN held > came THEN held - came ELSE 0 END) AS BIGINT) AS gone,
  CAST(SUM(CASE WHEN stands AND held = 0 AND came > 0 THEN 1 ELSE 0 END) AS BIGINT) AS onto
FROM receipts
GROUP BY day
ORDER BY day
