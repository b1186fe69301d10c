-- source: demographics
-- says: a home of one holds two adults, or children
-- reads: demographics
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN household_comp <> '1 Adult No Kids' THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM demographics
WHERE household_size = '1'
