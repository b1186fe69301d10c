-- The ledger as of days. `consent_ledger` (sid, purpose, event, day, seq), `consent_asked` (sid, day), `consent_answers`
-- (purpose, event or 'none', reason or null): what the law's rule says of each last event. The latest event wins; of two
-- that nothing tells apart, a no.
WITH last_of_day AS (
  SELECT
    sid, purpose, day, event,
    row_number() OVER (
      PARTITION BY sid, purpose, day
      ORDER BY seq DESC, CASE WHEN event = 'granted' THEN 1 ELSE 0 END, event
    ) AS place
  FROM consent_ledger
),

standing AS (
  SELECT
    sid, purpose, event, day AS since,
    lead(day) OVER (PARTITION BY sid, purpose ORDER BY day) AS until
  FROM last_of_day
  WHERE place = 1
),

questions AS (
  SELECT a.sid, a.day, p.purpose
  FROM (SELECT DISTINCT sid, day FROM consent_asked) AS a
  CROSS JOIN (SELECT DISTINCT purpose FROM consent_answers) AS p
)

SELECT q.sid, q.day, q.purpose, r.reason IS NULL AS allowed, r.reason
FROM questions AS q
LEFT JOIN standing AS s
  ON s.sid = q.sid AND s.purpose = q.purpose AND s.since <= q.day AND (s.until IS NULL OR q.day < s.until)
JOIN consent_answers AS r
  ON r.purpose = q.purpose AND r.event = COALESCE(s.event, 'none')
ORDER BY q.sid, q.day, q.purpose
