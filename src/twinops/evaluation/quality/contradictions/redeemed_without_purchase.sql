-- source: redemptions
-- says: a coupon was redeemed on a day without a receipt of the ⟨one⟩
-- reads: redemptions, transactions
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN t.sid IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM redemptions AS r
LEFT JOIN (SELECT DISTINCT sid, day FROM transactions) AS t ON r.sid = t.sid AND r.day = t.day
