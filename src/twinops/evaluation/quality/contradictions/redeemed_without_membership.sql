-- source: redemptions
-- says: a coupon was redeemed in a campaign its ⟨one⟩ was not in
-- reads: redemptions, campaigns
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN c.sid IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM redemptions AS r
LEFT JOIN (SELECT DISTINCT sid, campaign_id FROM campaigns) AS c ON r.sid = c.sid AND r.campaign_id = c.campaign_id
