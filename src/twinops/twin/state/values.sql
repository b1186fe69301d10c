-- Every basket value that occurs, once, with the first day it does.
SELECT
    cents,
    MIN(day) AS first_day
FROM baskets
GROUP BY cents
ORDER BY cents
