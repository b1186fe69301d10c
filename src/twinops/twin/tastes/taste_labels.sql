-- Which categories a household bought in the horizon from the as-of day on; only as-of days whose horizon is closed.
-- In: taste_events(sid, day, basket_id, place), panel(sid, cutoff), taste_cutoffs(cutoff, closes, closed).
SELECT
    p.sid,
    p.cutoff,
    e.place,
    COUNT(*) AS baskets
FROM taste_events AS e
INNER JOIN panel AS p ON e.sid = p.sid AND e.day >= p.cutoff
INNER JOIN taste_cutoffs AS c ON p.cutoff = c.cutoff AND e.day < c.closes
WHERE c.closed
GROUP BY p.sid, p.cutoff, e.place
ORDER BY p.sid, p.cutoff, e.place
