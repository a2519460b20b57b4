WITH flytting AS (
    SELECT * FROM {{ source('freg', 'flytting') }} WHERE dato IS NOT NULL
),

sett_fra_kommunen AS (
    SELECT
        dato,
        til_kommunenummer AS kommunenummer,
        CASE WHEN type = 'innenKommune' THEN 'innen' ELSE 'inn' END AS retning
    FROM flytting
    UNION ALL
    SELECT dato, fra_kommunenummer, 'ut' FROM flytting WHERE type <> 'innenKommune'
)

SELECT
    date_trunc('month', dato)::DATE AS maaned,
    kommunenummer,
    count(*) FILTER (WHERE retning = 'inn') AS inn,
    count(*) FILTER (WHERE retning = 'ut') AS ut,
    count(*) FILTER (WHERE retning = 'innen') AS innen
FROM sett_fra_kommunen
WHERE kommunenummer IS NOT NULL
GROUP BY ALL
