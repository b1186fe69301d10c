-- Of the receipt lines at hand: the first and the last sid, and the oldest day.
-- In: transactions(sid, day).
SELECT
    MIN(sid) AS first_sid,
    MAX(sid) AS last_sid,
    CAST(MIN(day) AS BIGINT) AS first_day
FROM transactions
