-- What every source besides purchases tells of a household the evening before an as-of day, as numbers; 0: nothing.
-- In: asked(sid, cutoff), campaigns(sid, campaign_type, start_day, end_day), redemptions(sid, day), blend(sid, cutoff, ...).
WITH types AS (
    SELECT
        a.cutoff,
        c.campaign_type,
        COUNT(*) AS contacts
    FROM asked AS a
    INNER JOIN campaigns AS c ON a.sid = c.sid AND c.start_day < a.cutoff
    GROUP BY a.cutoff, c.campaign_type
),

placed AS (
    SELECT
        t.cutoff,
        t.campaign_type,
        ROW_NUMBER() OVER (PARTITION BY t.cutoff ORDER BY t.contacts DESC, t.campaign_type) AS place
    FROM types AS t
),

received AS (
    SELECT
        a.sid,
        a.cutoff,
        COUNT(*) AS campaigns,
        CAST(SUM(CASE WHEN c.campaign_type = p.campaign_type THEN 1 ELSE 0 END) AS BIGINT) AS commonest,
        CAST(SUM(CASE WHEN c.end_day >= a.cutoff THEN 1 ELSE 0 END) AS BIGINT) AS running,
        MIN(a.cutoff - c.start_day) AS days_since
    FROM asked AS a
    INNER JOIN campaigns AS c ON a.sid = c.sid AND c.start_day < a.cutoff
    INNER JOIN placed AS p ON a.cutoff = p.cutoff AND p.place = 1
    GROUP BY a.sid, a.cutoff
),

redeemed AS (
    SELECT
        a.sid,
        a.cutoff,
        COUNT(*) AS coupons,
        MIN(a.cutoff - r.day) AS days_since
    FROM asked AS a
    INNER JOIN redemptions AS r ON a.sid = r.sid AND r.day < a.cutoff
    GROUP BY a.sid, a.cutoff
)

SELECT
    a.sid,
    a.cutoff,
    COALESCE(c.campaigns, 0) AS campaigns_received,
    COALESCE(c.commonest, 0) AS campaigns_commonest_type,
    COALESCE(c.running, 0) AS campaigns_running,
    COALESCE(1.0 / NULLIF(1 + c.days_since, 0), 0.0) AS campaigns_recency,
    COALESCE(r.coupons, 0) AS redemptions_coupons,
    COALESCE(1.0 / NULLIF(1 + r.days_since, 0), 0.0) AS redemptions_recency,
    COALESCE(b.crm_records, 0) AS crm_records,
    CASE WHEN b.crm_has_email THEN 1 ELSE 0 END AS crm_email,
    COALESCE(1.0 / NULLIF(1 + b.crm_days_since_update, 0), 0.0) AS crm_recency,
    COALESCE(b.social_records, 0) AS social_records,
    COALESCE(b.social_events, 0) AS social_events,
    COALESCE(b.social_about_us, 0) AS social_about_us,
    COALESCE(b.net_sentiment, 0.0) AS social_sentiment,
    CASE WHEN b.net_sentiment IS NULL THEN 0 ELSE 1 END AS social_scored,
    COALESCE(b.care_cases, 0) AS care_cases,
    COALESCE(b.care_open_cases, 0) AS care_open
FROM asked AS a
LEFT JOIN received AS c ON a.sid = c.sid AND a.cutoff = c.cutoff
LEFT JOIN redeemed AS r ON a.sid = r.sid AND a.cutoff = r.cutoff
LEFT JOIN blend AS b ON a.sid = b.sid AND a.cutoff = b.cutoff
ORDER BY a.sid, a.cutoff
