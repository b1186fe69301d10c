-- The ledger's answers for households, on the day the pipeline runs for narrowed to the strictest of all records that turned
-- out to be the household's: linking a record never widens what may be done.
-- In: consent_own(sid, day, purpose, allowed, reason), consent_merged(sid, day, purpose, allowed, reason): linked households.
SELECT
    a.sid,
    a.day,
    a.purpose,
    a.allowed AND (m.sid IS NULL OR m.allowed) AS allowed,
    COALESCE(m.reason, a.reason) AS reason
FROM consent_own AS a
LEFT JOIN consent_merged AS m ON a.sid = m.sid AND a.day = m.day AND a.purpose = m.purpose
ORDER BY a.sid, a.day, a.purpose
