-- One row per household and as-of day (`cutoff`) with at least one earlier basket: what was known the evening before,
-- and what the household's consent, read as of that day, allows.
-- In:  baskets, cutoffs(cutoff), memory(horizon, lapse), calendar(day, weekend), log_value(cents, log_millionths),
--      decay(age, weight_quick, weight_steady, weight_slow, exposure_quick, exposure_steady, exposure_slow),
--      permissions(sid, cutoff, may_train, may_score, may_offer, may_assess_bias).
-- Decay weights and exposures are whole billionths, logarithms whole millionths: every sum is a whole number, the same
-- whatever the order, the engine or the number of threads; and a basket can be subtracted again exactly.
-- Nothing is counted DISTINCT: a day is counted at its last basket, and a store at the last basket there before the as-of
-- day, which is the same number and needs a fraction of the memory.
WITH people AS (
    SELECT
        d.sid,
        ROW_NUMBER() OVER (ORDER BY d.sid) AS person
    FROM (SELECT DISTINCT sid FROM baskets) AS d
),

visits AS (
    SELECT
        n.person,
        b.day,
        b.store_id,
        b.lines,
        b.cents,
        b.saved_cents,
        CASE WHEN w.weekend THEN 1 ELSE 0 END AS weekend,
        v.log_millionths,
        LEAD(b.day) OVER (PARTITION BY n.person ORDER BY b.day) AS next_day,
        LEAD(b.day) OVER (PARTITION BY n.person, b.store_id ORDER BY b.day) AS next_day_there
    FROM baskets AS b
    INNER JOIN people AS n ON b.sid = n.sid
    INNER JOIN calendar AS w ON b.day = w.day
    INNER JOIN log_value AS v ON b.cents = v.cents
),

past AS (
    SELECT
        b.person,
        c.cutoff,
        c.cutoff - b.day AS age,
        b.day,
        b.lines,
        b.cents,
        b.saved_cents,
        b.weekend,
        b.log_millionths,
        CASE WHEN b.next_day = b.day THEN 0 ELSE 1 END AS new_day,
        y.horizon,
        CASE WHEN b.next_day < c.cutoff AND b.next_day > b.day + y.lapse THEN b.next_day - b.day - y.lapse ELSE 0 END AS quiet,
        CASE WHEN b.next_day_there < c.cutoff THEN NULL ELSE b.store_id END AS last_store
    FROM visits AS b
    INNER JOIN cutoffs AS c ON b.day < c.cutoff
    CROSS JOIN memory AS y
),

summed AS (
    SELECT
        p.person,
        p.cutoff,
        CAST(SUM(d.weight_quick) AS BIGINT) AS baskets_quick,
        CAST(SUM(d.weight_steady) AS BIGINT) AS baskets_steady,
        CAST(SUM(d.weight_slow) AS BIGINT) AS baskets_slow,
        CAST(SUM(p.cents * d.weight_quick) AS BIGINT) AS cents_quick,
        CAST(SUM(p.cents * d.weight_steady) AS BIGINT) AS cents_steady,
        CAST(SUM(p.cents * d.weight_slow) AS BIGINT) AS cents_slow,
        MIN(p.day) AS first_day,
        MAX(p.day) AS last_day,
        CAST(SUM(p.new_day) AS BIGINT) AS shopping_days,
        CAST(SUM(p.quiet) AS BIGINT) AS quiet_days,
        COUNT(*) AS baskets_total,
        CAST(SUM(p.cents) AS BIGINT) AS cents_total,
        CAST(SUM(p.log_millionths) AS BIGINT) AS log_value_sum,
        CAST(SUM(p.log_millionths * p.log_millionths) AS BIGINT) AS log_value_squares,
        CAST(SUM(CASE WHEN p.age <= p.horizon THEN 1 ELSE 0 END) AS BIGINT) AS baskets_h1,
        CAST(SUM(CASE WHEN p.age <= 2 * p.horizon THEN 1 ELSE 0 END) AS BIGINT) AS baskets_h2,
        CAST(SUM(CASE WHEN p.age <= 3 * p.horizon THEN 1 ELSE 0 END) AS BIGINT) AS baskets_h3,
        CAST(SUM(CASE WHEN p.age <= p.horizon THEN p.new_day ELSE 0 END) AS BIGINT) AS shopping_days_h1,
        CAST(SUM(CASE WHEN p.age <= 2 * p.horizon THEN p.new_day ELSE 0 END) AS BIGINT) AS shopping_days_h2,
        CAST(SUM(CASE WHEN p.age <= 3 * p.horizon THEN p.new_day ELSE 0 END) AS BIGINT) AS shopping_days_h3,
        COUNT(CASE WHEN p.age <= p.horizon THEN p.last_store END) AS stores_h1,
        COUNT(CASE WHEN p.age <= 2 * p.horizon THEN p.last_store END) AS stores_h2,
        COUNT(CASE WHEN p.age <= 3 * p.horizon THEN p.last_store END) AS stores_h3,
        CAST(SUM(CASE WHEN p.age <= p.horizon THEN p.cents ELSE 0 END) AS BIGINT) AS cents_h1,
        CAST(SUM(CASE WHEN p.age <= 2 * p.horizon THEN p.cents ELSE 0 END) AS BIGINT) AS cents_h2,
        CAST(SUM(CASE WHEN p.age <= 3 * p.horizon THEN p.cents ELSE 0 END) AS BIGINT) AS cents_h3,
        CAST(SUM(CASE WHEN p.age <= p.horizon THEN p.lines ELSE 0 END) AS BIGINT) AS lines_h1,
        CAST(SUM(CASE WHEN p.age <= 2 * p.horizon THEN p.lines ELSE 0 END) AS BIGINT) AS lines_h2,
        CAST(SUM(CASE WHEN p.age <= 3 * p.horizon THEN p.lines ELSE 0 END) AS BIGINT) AS lines_h3,
        CAST(SUM(CASE WHEN p.age <= p.horizon THEN p.saved_cents ELSE 0 END) AS BIGINT) AS saved_h1,
        CAST(SUM(CASE WHEN p.age <= 2 * p.horizon THEN p.saved_cents ELSE 0 END) AS BIGINT) AS saved_h2,
        CAST(SUM(CASE WHEN p.age <= 3 * p.horizon THEN p.saved_cents ELSE 0 END) AS BIGINT) AS saved_h3,
        CAST(SUM(CASE WHEN p.age <= p.horizon THEN p.weekend ELSE 0 END) AS BIGINT) AS weekend_h1,
        CAST(SUM(CASE WHEN p.age <= 2 * p.horizon THEN p.weekend ELSE 0 END) AS BIGINT) AS weekend_h2,
        CAST(SUM(CASE WHEN p.age <= 3 * p.horizon THEN p.weekend ELSE 0 END) AS BIGINT) AS weekend_h3
    FROM past AS p
    INNER JOIN decay AS d ON p.age = d.age
    GROUP BY p.person, p.cutoff
)

SELECT
    n.sid,
    s.cutoff,
    m.may_train,
    m.may_score,
    m.may_offer,
    m.may_assess_bias,
    -- the state: decayed sums and exposures, and plain sums
    s.baskets_quick,
    s.baskets_steady,
    s.baskets_slow,
    s.cents_quick,
    s.cents_steady,
    s.cents_slow,
    d.exposure_quick,
    d.exposure_steady,
    d.exposure_slow,
    s.cutoff - s.first_day AS tenure_days,
    s.cutoff - s.last_day AS recency_days,
    s.shopping_days,
    s.quiet_days,
    s.baskets_total,
    s.cents_total,
    s.log_value_sum,
    s.log_value_squares,
    -- windows of one, two and three horizons
    s.baskets_h1,
    s.baskets_h2,
    s.baskets_h3,
    s.shopping_days_h1,
    s.shopping_days_h2,
    s.shopping_days_h3,
    s.stores_h1,
    s.stores_h2,
    s.stores_h3,
    s.cents_h1,
    s.cents_h2,
    s.cents_h3,
    s.lines_h1,
    s.lines_h2,
    s.lines_h3,
    -- ratios: one division of whole numbers, 0 where nothing was bought
    CASE WHEN s.baskets_h1 = 0 THEN 0.0 ELSE CAST(s.cents_h1 AS DOUBLE) / s.baskets_h1 END AS cents_per_basket_h1,
    CASE WHEN s.baskets_h2 = 0 THEN 0.0 ELSE CAST(s.cents_h2 AS DOUBLE) / s.baskets_h2 END AS cents_per_basket_h2,
    CASE WHEN s.baskets_h3 = 0 THEN 0.0 ELSE CAST(s.cents_h3 AS DOUBLE) / s.baskets_h3 END AS cents_per_basket_h3,
    CASE WHEN s.cents_h1 + s.saved_h1 = 0 THEN 0.0
        ELSE CAST(s.saved_h1 AS DOUBLE) / (s.cents_h1 + s.saved_h1) END AS saved_share_h1,
    CASE WHEN s.cents_h2 + s.saved_h2 = 0 THEN 0.0
        ELSE CAST(s.saved_h2 AS DOUBLE) / (s.cents_h2 + s.saved_h2) END AS saved_share_h2,
    CASE WHEN s.cents_h3 + s.saved_h3 = 0 THEN 0.0
        ELSE CAST(s.saved_h3 AS DOUBLE) / (s.cents_h3 + s.saved_h3) END AS saved_share_h3,
    CASE WHEN s.baskets_h1 = 0 THEN 0.0 ELSE CAST(s.weekend_h1 AS DOUBLE) / s.baskets_h1 END AS weekend_share_h1,
    CASE WHEN s.baskets_h2 = 0 THEN 0.0 ELSE CAST(s.weekend_h2 AS DOUBLE) / s.baskets_h2 END AS weekend_share_h2,
    CASE WHEN s.baskets_h3 = 0 THEN 0.0 ELSE CAST(s.weekend_h3 AS DOUBLE) / s.baskets_h3 END AS weekend_share_h3
FROM summed AS s
INNER JOIN people AS n ON s.person = n.person
INNER JOIN decay AS d ON s.cutoff - s.first_day = d.age
INNER JOIN permissions AS m ON n.sid = m.sid AND s.cutoff = m.cutoff
ORDER BY n.sid, s.cutoff
