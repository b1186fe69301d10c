-- How often two strangers share an identifying value, seen inside sources that hold nobody twice.
-- In: valued(id, source, value): one row per record that has the value; lone(source).
SELECT
    CAST(COALESCE(SUM(size * (size - 1)), 0) AS BIGINT) AS ordered_pairs,
    (
        SELECT COUNT(*)
        FROM valued AS l
        INNER JOIN valued AS r ON l.value = r.value AND l.id < r.id AND l.source = r.source
        INNER JOIN lone AS o ON l.source = o.source
    ) AS shared
FROM (
    SELECT
        v.source,
        COUNT(*) AS size
    FROM valued AS v
    INNER JOIN lone AS o ON v.source = o.source
    GROUP BY v.source
) AS held
ORDER BY ordered_pairs
