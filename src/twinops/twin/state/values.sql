-- Every basket value that occurs, once.
SELECT DISTINCT cents
FROM baskets
ORDER BY cents
