-- source: redemptions
-- says: a coupon was redeemed before its campaign began or after it ended
-- reads: redemptions, campaigns
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN r.day < c.start_day OR r.day > c.end_day THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM redemptions AS r
INNER JOIN (
    SELECT campaign_id, MIN(start_day) AS start_day, MAX(end_day) AS end_day FROM campaigns GROUP BY campaign_id
) AS c ON r.campaign_id = c.campaign_id
