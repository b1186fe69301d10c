-- source: campaigns
-- says: a ⟨one⟩ that never bought anything is in a campaign
-- reads: campaigns, transactions
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN t.sid IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM campaigns AS s
LEFT JOIN (SELECT DISTINCT sid FROM transactions) AS t ON s.sid = t.sid
