-- Pairs of records worth comparing, each once, `left_id` < `right_id`, with the number of rules that found it.
-- In: keys(id, source, rule, value), lone(source): sources that hold nobody twice, cap(most): a key that more records share
-- says too little and is left out.
WITH crowded AS (
    SELECT rule, value
    FROM keys
    GROUP BY rule, value
    HAVING COUNT(DISTINCT id) > (SELECT MAX(most) FROM cap)
),

found AS (
    SELECT l.id AS left_id, r.id AS right_id
    FROM keys AS l
    INNER JOIN keys AS r ON l.rule = r.rule AND l.value = r.value AND l.id < r.id
    LEFT JOIN lone AS n ON l.source = n.source
    LEFT JOIN crowded AS c ON l.rule = c.rule AND l.value = c.value
    WHERE c.rule IS NULL AND (n.source IS NULL OR l.source <> r.source)
)

SELECT left_id, right_id, COUNT(*) AS rules
FROM found
GROUP BY left_id, right_id
ORDER BY left_id, right_id
