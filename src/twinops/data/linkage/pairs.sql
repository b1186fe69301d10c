-- Pairs of records that share a key under one rule, each once, `left_id` < `right_id`.
-- In: keys(id, source, value), lone(source): sources that hold nobody twice, cap(most): a key that more records share says
-- too little and is left out.
WITH crowded AS (
    SELECT value
    FROM keys
    GROUP BY value
    HAVING COUNT(DISTINCT id) > (SELECT MAX(most) FROM cap)
)

SELECT DISTINCT l.id AS left_id, r.id AS right_id
FROM keys AS l
INNER JOIN keys AS r ON l.value = r.value AND l.id < r.id
LEFT JOIN lone AS n ON l.source = n.source
LEFT JOIN crowded AS c ON l.value = c.value
WHERE c.value IS NULL AND (n.source IS NULL OR l.source <> r.source)
ORDER BY left_id, right_id
