-- The taste state: one row per household, as-of day and category it has bought by the evening before. A category without a
-- row was never bought. Weights are whole millionths, so sums are exact and a basket can be subtracted again.
-- In: taste_events(sid, day, basket_id, place), panel(sid, cutoff), taste_cutoffs(cutoff, closes, closed),
--     taste_decay(age, weight_quick, weight_steady, weight_slow, weight_lasting).
SELECT
    p.sid,
    p.cutoff,
    e.place,
    CAST(SUM(d.weight_quick) AS BIGINT) AS bought_quick,
    CAST(SUM(d.weight_steady) AS BIGINT) AS bought_steady,
    CAST(SUM(d.weight_slow) AS BIGINT) AS bought_slow,
    CAST(SUM(d.weight_lasting) AS BIGINT) AS bought_lasting,
    COUNT(*) AS baskets,
    MAX(e.day) AS last_day
FROM taste_events AS e
INNER JOIN panel AS p ON e.sid = p.sid AND e.day < p.cutoff
INNER JOIN taste_cutoffs AS c ON p.cutoff = c.cutoff
INNER JOIN taste_decay AS d ON p.cutoff - e.day = d.age
GROUP BY p.sid, p.cutoff, e.place
ORDER BY p.sid, p.cutoff, e.place
