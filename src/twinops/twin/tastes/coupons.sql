-- One row per household and campaign it was in: the twin's state and what the household did with earlier coupons, as known
-- the evening before the campaign began, and whether it redeemed one within the horizon (null while that is open).
-- In: campaigns(sid, campaign_id, campaign_type, start_day), redemptions(sid, campaign_id, day),
--     transactions(sid, day, basket_id, coupon_discount_cents), coupon_panel (panel.sql as of the campaigns' first days),
--     coupon_cutoffs(cutoff, closes, closed), taste_decay(age, weight_slow).
WITH asked AS (
    SELECT
        m.sid,
        m.campaign_id,
        MIN(m.campaign_type) AS campaign_type,
        c.cutoff,
        c.closes,
        c.closed
    FROM campaigns AS m
    INNER JOIN coupon_cutoffs AS c ON m.start_day = c.cutoff
    GROUP BY m.sid, m.campaign_id, c.cutoff, c.closes, c.closed
),

days AS (
    SELECT DISTINCT
        sid,
        cutoff
    FROM asked
),

received AS (
    SELECT
        d.sid,
        d.cutoff,
        COUNT(DISTINCT m.campaign_id) AS campaigns
    FROM days AS d
    INNER JOIN campaigns AS m ON d.sid = m.sid AND m.start_day < d.cutoff
    GROUP BY d.sid, d.cutoff
),

redeemed AS (
    SELECT
        d.sid,
        d.cutoff,
        COUNT(DISTINCT r.campaign_id) AS campaigns
    FROM days AS d
    INNER JOIN campaigns AS m ON d.sid = m.sid AND m.start_day < d.cutoff
    INNER JOIN redemptions AS r ON m.sid = r.sid AND m.campaign_id = r.campaign_id AND r.day < d.cutoff
    GROUP BY d.sid, d.cutoff
),

couponed AS (
    SELECT
        t.sid,
        t.day,
        t.basket_id
    FROM transactions AS t
    WHERE t.coupon_discount_cents > 0
    GROUP BY t.sid, t.day, t.basket_id
),

used AS (
    SELECT
        d.sid,
        d.cutoff,
        COUNT(*) AS baskets,
        CAST(SUM(w.weight_slow) AS BIGINT) AS baskets_slow
    FROM days AS d
    INNER JOIN couponed AS b ON d.sid = b.sid AND b.day < d.cutoff
    INNER JOIN taste_decay AS w ON d.cutoff - b.day = w.age
    GROUP BY d.sid, d.cutoff
),

answered AS (
    SELECT
        a.sid,
        a.campaign_id,
        a.cutoff
    FROM asked AS a
    INNER JOIN redemptions AS r
        ON a.sid = r.sid AND a.campaign_id = r.campaign_id AND r.day >= a.cutoff AND r.day < a.closes
    GROUP BY a.sid, a.campaign_id, a.cutoff
)

SELECT
    p.*,
    a.campaign_id,
    a.campaign_type,
    COALESCE(v.campaigns, 0) AS received,
    COALESCE(r.campaigns, 0) AS redeemed,
    COALESCE(u.baskets, 0) AS coupon_baskets,
    COALESCE(u.baskets_slow, 0) AS coupon_baskets_slow,
    CASE WHEN a.closed THEN y.sid IS NOT NULL END AS responded
FROM asked AS a
INNER JOIN coupon_panel AS p ON a.sid = p.sid AND a.cutoff = p.cutoff
LEFT JOIN received AS v ON a.sid = v.sid AND a.cutoff = v.cutoff
LEFT JOIN redeemed AS r ON a.sid = r.sid AND a.cutoff = r.cutoff
LEFT JOIN used AS u ON a.sid = u.sid AND a.cutoff = u.cutoff
LEFT JOIN answered AS y ON a.sid = y.sid AND a.campaign_id = y.campaign_id AND a.cutoff = y.cutoff
ORDER BY p.sid, p.cutoff, a.campaign_id
