-- Baskets that are on one side alone, of receipt lines as they were and as they are: `came` 1 must be added to a state,
-- -1 taken out again. A till's number on two days is two visits.
WITH both_sides AS (
  SELECT sid, basket_id, day, sales_cents, 1 AS side FROM lines_now
  UNION ALL
  SELECT sid, basket_id, day, sales_cents, -1 AS side FROM lines_before
),

baskets AS (
  SELECT sid, basket_id, day, side, CAST(SUM(sales_cents) AS BIGINT) AS cents
  FROM both_sides
  GROUP BY sid, basket_id, day, side
),

net AS (
  SELECT sid, basket_id, day, cents, CAST(SUM(side) AS BIGINT) AS came
  FROM baskets
  GROUP BY sid, basket_id, day, cents
)

SELECT sid, day, cents, came
FROM net
WHERE came <> 0
ORDER BY sid, day, cents, basket_id
