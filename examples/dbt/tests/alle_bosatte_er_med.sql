SELECT *
FROM (SELECT sum(antall) AS i_modellen FROM {{ ref('befolkning_per_kommune') }})
JOIN (SELECT count(*) AS bosatte FROM {{ source('freg', 'person_naa') }} WHERE status = 'bosatt')
    ON coalesce(i_modellen, 0) <> bosatte
