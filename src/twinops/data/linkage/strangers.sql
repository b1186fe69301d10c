-- How often two strangers share an identifying value, seen in pairs that share it although their given names have other
-- roots and other initials. Relatives are strangers here, on purpose.
-- In: valued(id, root, given, value): one row per record that has the value and a given name.
SELECT
    (SELECT CAST(COUNT(*) AS BIGINT) FROM valued) AS records,
    COUNT(*) AS shared
FROM valued AS l
INNER JOIN valued AS r ON l.value = r.value AND l.id < r.id
WHERE l.root <> r.root AND SUBSTR(l.given, 1, 1) <> SUBSTR(r.given, 1, 1)
ORDER BY records
