-- One row per subject and as-of day: how many of the subject's posts before that day, and not older than the window, were
-- scored, with which label, and on which topic. A subject with fewer scored posts than the minimum has no row: too few
-- posts say more about one post than about the person. Nothing of the as-of day itself or later is counted.
SELECT
  s.sid AS sid,
  c.cutoff AS cutoff,
  CAST(COUNT(*) AS BIGINT) AS scored,
  CAST(SUM(CASE WHEN s.label = 'positive' THEN 1 ELSE 0 END) AS BIGINT) AS positive,
  CAST(SUM(CASE WHEN s.label = 'neutral' THEN 1 ELSE 0 END) AS BIGINT) AS neutral,
  CAST(SUM(CASE WHEN s.label = 'negative' THEN 1 ELSE 0 END) AS BIGINT) AS negative,
  CAST(SUM(s.topic_price) AS BIGINT) AS topic_price,
  CAST(SUM(s.topic_quality) AS BIGINT) AS topic_quality,
  CAST(SUM(s.topic_availability) AS BIGINT) AS topic_availability,
  CAST(SUM(s.topic_service) AS BIGINT) AS topic_service,
  CAST(SUM(s.topic_checkout) AS BIGINT) AS topic_checkout,
  CAST(SUM(s.topic_delivery) AS BIGINT) AS topic_delivery,
  CAST(SUM(s.topic_loyalty) AS BIGINT) AS topic_loyalty,
  CAST(SUM(s.topic_store) AS BIGINT) AS topic_store
FROM scored_posts AS s
CROSS JOIN signal_cutoffs AS c
CROSS JOIN signal_settings AS w
WHERE s.label IS NOT NULL
  AND s.day < c.cutoff
  AND s.day >= c.cutoff - w.window_days
GROUP BY s.sid, c.cutoff, w.minimum_posts
HAVING COUNT(*) >= w.minimum_posts
ORDER BY sid, cutoff
