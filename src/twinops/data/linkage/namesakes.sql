-- How often strangers of one surname share the given name: pairs of one surname with quite different birthdays in different
-- towns, and how many of them have one given name.
-- In: records (see normalise.py).
SELECT
    COUNT(*) AS pairs,
    CAST(COALESCE(SUM(CASE WHEN l.root = r.root THEN 1 ELSE 0 END), 0) AS BIGINT) AS namesakes
FROM records AS l
INNER JOIN records AS r ON l.surname = r.surname AND l.id < r.id
WHERE
    SUBSTR(l.born, 1, 4) <> SUBSTR(r.born, 1, 4)
    AND LEVENSHTEIN(l.born, r.born) > 2
    AND l.city <> r.city
    AND l.root IS NOT NULL
    AND r.root IS NOT NULL
ORDER BY pairs
