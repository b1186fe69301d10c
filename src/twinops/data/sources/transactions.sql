-- Receipt lines of one month by the shops' own clock; the file's timestamps are naive UTC. The table `month` has one row:
-- `begins` and `ends` (local, the end not included), and `about_begins`, `about_ends` a day wider, which only spare the
-- time zone's arithmetic on lines that cannot be in the month. Lines without a time are read with the file's first month.
WITH first_line AS (
  SELECT MIN(transaction_timestamp) AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS local_time
  FROM transactions_file
),

near AS (
  SELECT *, transaction_timestamp AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS local_time
  FROM transactions_file
  WHERE
    transaction_timestamp >= (SELECT about_begins FROM month)
    AND transaction_timestamp < (SELECT about_ends FROM month)
),

taken AS (
  SELECT
    household_id, store_id, basket_id, product_id, quantity,
    sales_value, retail_disc, coupon_disc, coupon_match_disc, transaction_timestamp, local_time
  FROM near
  WHERE local_time >= (SELECT begins FROM month) AND local_time < (SELECT ends FROM month)
  UNION ALL
  SELECT
    household_id, store_id, basket_id, product_id, quantity,
    sales_value, retail_disc, coupon_disc, coupon_match_disc, transaction_timestamp, CAST(NULL AS TIMESTAMP) AS local_time
  FROM transactions_file
  WHERE
    transaction_timestamp IS NULL
    AND COALESCE((SELECT local_time FROM first_line) < (SELECT ends FROM month), TRUE)
    AND COALESCE((SELECT local_time FROM first_line) >= (SELECT begins FROM month), TRUE)
)

SELECT * FROM taken
ORDER BY
  household_id, transaction_timestamp, basket_id, product_id, store_id,
  quantity, sales_value, retail_disc, coupon_disc, coupon_match_disc
