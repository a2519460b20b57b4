-- Age as Statistics Norway counts it: at the end of the year. The year is that of the last event that
-- the tables know of, so that the same release always gives the same answer.
WITH bosatt AS (
    SELECT
        kommunenummer,
        kjoenn,
        least(greatest(year(sekvensnummer_tidspunkt) - foedselsaar, 0), 90) AS alder
    FROM {{ source('freg', 'person_naa') }}, {{ source('freg', 'utgivelse') }}
    WHERE status = 'bosatt'
)

SELECT
    coalesce(kommunenummer, 'ukjent') AS kommunenummer,
    CASE
        WHEN alder IS NULL THEN 'ukjent'
        WHEN alder = 90 THEN '90+'
        ELSE format('{}-{}', alder // 5 * 5, alder // 5 * 5 + 4)
    END AS aldersgruppe,
    coalesce(kjoenn, 'ukjent') AS kjoenn,
    count(*) AS antall
FROM bosatt
GROUP BY ALL
