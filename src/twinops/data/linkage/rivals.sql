-- Two candidates of one record that are themselves probably one person are no rivals: their places among the pairs, and how
-- probable that is (`twin`, its place in the list of such pairs).
-- In: crossing(place, left_id, right_id): pairs between two sources; twins(place, one, other): pairs inside a source, both ways round.
SELECT a.place AS pair, b.place AS rival, t.place AS twin
FROM crossing AS a
INNER JOIN twins AS t ON a.left_id = t.one
INNER JOIN crossing AS b ON t.other = b.left_id AND a.right_id = b.right_id
UNION ALL
SELECT a.place AS pair, b.place AS rival, t.place AS twin
FROM crossing AS a
INNER JOIN twins AS t ON a.right_id = t.one
INNER JOIN crossing AS b ON t.other = b.right_id AND a.left_id = b.left_id
ORDER BY pair, rival, twin
