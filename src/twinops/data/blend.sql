-- One row per consumer and as-of day: what every source tells of the consumer by the evening before, and nothing later.
-- In: panel(sid, cutoff, may_train, may_score, may_offer): consumers that may be in a twin at all, with their consent;
--     linked(sid, source, record, probability): whose records these are, one row per source that speaks of the record;
--     record_days(source, record, cutoff): days on which the record may be blended, then and today;
--     registered(sid, day); crm_profiles(record, day, has_email); handed_in(source, record, day);
--     social_events(source, record, day, verb, brand, reply); cases(record, opened, closed);
--     signals(sid, cutoff, ...): see signals.sql; blend_settings(window_days).
WITH lawful AS (
    SELECT
        l.sid,
        l.source,
        l.record,
        l.probability,
        d.cutoff
    FROM linked AS l
    INNER JOIN record_days AS d ON l.source = d.source AND l.record = d.record
),

profiles AS (
    SELECT
        l.sid,
        l.cutoff,
        COUNT(*) AS crm_records,
        MAX(c.day) AS updated,
        MAX(CASE WHEN c.has_email THEN 1 ELSE 0 END) AS has_email,
        MIN(l.probability) AS probability
    FROM lawful AS l
    INNER JOIN crm_profiles AS c ON l.record = c.record AND c.day < l.cutoff
    WHERE l.source = 'crm'
    GROUP BY l.sid, l.cutoff
),

accounts AS (
    SELECT
        l.sid,
        l.cutoff,
        COUNT(*) AS social_records,
        MIN(l.probability) AS probability
    FROM lawful AS l
    INNER JOIN handed_in AS h ON l.source = h.source AND l.record = h.record AND h.day < l.cutoff
    GROUP BY l.sid, l.cutoff
),

activity AS (
    SELECT
        l.sid,
        l.cutoff,
        COUNT(*) AS events,
        CAST(SUM(CASE WHEN e.source = 'social_posts' AND e.verb = 'Create' THEN 1 ELSE 0 END) AS BIGINT) AS posts,
        CAST(SUM(CASE WHEN e.source = 'social_comments' THEN 1 ELSE 0 END) AS BIGINT) AS comments,
        CAST(SUM(CASE WHEN e.verb = 'Announce' THEN 1 ELSE 0 END) AS BIGINT) AS shares,
        CAST(SUM(CASE WHEN e.verb = 'Like' THEN 1 ELSE 0 END) AS BIGINT) AS likes,
        CAST(SUM(e.brand) AS BIGINT) AS about_us,
        MAX(e.day) AS last_day
    FROM lawful AS l
    CROSS JOIN blend_settings AS s
    INNER JOIN social_events AS e
        ON l.source = e.source AND l.record = e.record AND e.day < l.cutoff AND e.day >= l.cutoff - s.window_days
    GROUP BY l.sid, l.cutoff
),

care AS (
    SELECT
        l.sid,
        l.cutoff,
        COUNT(*) AS cases,
        -- a case closed on the as-of day or later was still open the evening before
        CAST(SUM(CASE WHEN c.closed IS NULL OR c.closed >= l.cutoff THEN 1 ELSE 0 END) AS BIGINT) AS open_cases
    FROM lawful AS l
    CROSS JOIN blend_settings AS s
    INNER JOIN cases AS c ON l.record = c.record AND c.opened < l.cutoff AND c.opened >= l.cutoff - s.window_days
    WHERE l.source = 'care_cases'
    GROUP BY l.sid, l.cutoff
),

-- a household's mood is told only while every one of its writing records may be blended
writers AS (
    SELECT
        l.sid,
        COUNT(*) AS records
    FROM linked AS l
    WHERE l.source IN ('social_posts', 'social_comments', 'care_cases')
    GROUP BY l.sid
),

writing AS (
    SELECT
        l.sid,
        l.cutoff,
        COUNT(*) AS records
    FROM lawful AS l
    WHERE l.source IN ('social_posts', 'social_comments', 'care_cases')
    GROUP BY l.sid, l.cutoff
)

SELECT
    p.sid,
    p.cutoff,
    p.may_train,
    p.may_score,
    p.may_offer,
    r.sid IS NOT NULL AS has_registration,
    c.sid IS NOT NULL AS has_crm,
    a.sid IS NOT NULL AS has_account,
    k.sid IS NOT NULL AS has_case,
    COALESCE(c.crm_records, 0) AS crm_records,
    p.cutoff - c.updated AS crm_days_since_update,
    COALESCE(c.has_email, 0) = 1 AS crm_has_email,
    COALESCE(a.social_records, 0) AS social_records,
    COALESCE(v.events, 0) AS social_events,
    COALESCE(v.posts, 0) AS social_posts,
    COALESCE(v.comments, 0) AS social_comments,
    COALESCE(v.shares, 0) AS social_shares,
    COALESCE(v.likes, 0) AS social_likes,
    COALESCE(v.about_us, 0) AS social_about_us,
    p.cutoff - v.last_day AS social_days_since_event,
    COALESCE(k.cases, 0) AS care_cases,
    COALESCE(k.open_cases, 0) AS care_open_cases,
    g.scored AS texts_scored,
    g.positive AS texts_positive,
    g.neutral AS texts_neutral,
    g.negative AS texts_negative,
    g.net_sentiment,
    g.net_low,
    g.net_high,
    g.topic_price,
    g.topic_quality,
    g.topic_availability,
    g.topic_service,
    g.topic_checkout,
    g.topic_delivery,
    g.topic_loyalty,
    g.topic_store,
    CASE
        WHEN c.probability IS NULL THEN a.probability
        WHEN a.probability IS NULL OR c.probability < a.probability THEN c.probability
        ELSE a.probability
    END AS link_probability
FROM panel AS p
LEFT JOIN registered AS r ON p.sid = r.sid AND r.day < p.cutoff
LEFT JOIN profiles AS c ON p.sid = c.sid AND p.cutoff = c.cutoff
LEFT JOIN accounts AS a ON p.sid = a.sid AND p.cutoff = a.cutoff
LEFT JOIN activity AS v ON p.sid = v.sid AND p.cutoff = v.cutoff
LEFT JOIN care AS k ON p.sid = k.sid AND p.cutoff = k.cutoff
LEFT JOIN writers AS n ON p.sid = n.sid
LEFT JOIN writing AS w ON p.sid = w.sid AND p.cutoff = w.cutoff
LEFT JOIN signals AS g ON p.sid = g.sid AND p.cutoff = g.cutoff AND n.records = w.records
WHERE p.may_train
ORDER BY p.sid, p.cutoff
