-- Both names by sound, in either order, and the town.
SELECT
    id,
    source,
    CONCAT(
        LEAST(given_sounds, surname_sounds), '|', GREATEST(given_sounds, surname_sounds), '|', SUBSTR(city, 1, 4)
    ) AS value
FROM records
WHERE given_sounds IS NOT NULL AND surname_sounds IS NOT NULL AND city IS NOT NULL
ORDER BY value, id
