-- source: demographics
-- says: the number of children and the composition of the home exclude each other
-- reads: demographics
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN (kids_count = '0') <> (household_comp LIKE '%No Kids') THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM demographics
