-- source: social_posts
-- says: a post is older than the account it is of
-- reads: social_posts, social_accounts
SELECT
    COUNT(*) AS concerned,
    CAST(COALESCE(SUM(CASE WHEN p.day < a.since THEN 1 ELSE 0 END), 0) AS BIGINT) AS contradicting
FROM social_posts AS p
INNER JOIN (SELECT sid, MIN(since) AS since FROM social_accounts GROUP BY sid) AS a ON p.sid = a.sid
