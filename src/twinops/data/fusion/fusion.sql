-- Per segment, scale and draw: how many recipients, from how many different donors, and whole-number sums of the borrowed
-- points (0 to 100), of their squares, and of those that are high. One row per (variable, segment, scale, draw).
SELECT
  m.variable AS variable,
  m.segment AS segment,
  a.scale AS scale,
  b.draw AS draw,
  CAST(COUNT(*) AS BIGINT) AS recipients,
  CAST(COUNT(DISTINCT b.donor) AS BIGINT) AS donors,
  CAST(SUM(a.points) AS BIGINT) AS points,
  CAST(SUM(a.points * a.points) AS BIGINT) AS squares,
  CAST(SUM(CASE WHEN a.points >= s.high THEN 1 ELSE 0 END) AS BIGINT) AS high
FROM borrowed AS b
INNER JOIN memberships AS m ON m.recipient = b.recipient
INNER JOIN answers AS a ON a.donor = b.donor
CROSS JOIN fusion_settings AS s
GROUP BY m.variable, m.segment, a.scale, b.draw
ORDER BY variable, segment, scale, draw
