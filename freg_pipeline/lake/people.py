"""What is asked of people time and again, as SQL: where they lived, moves, households, families.

Each is made over the tables in some state. Days are Norway's; what holds at a day is what holds
when the day ends. Persons are told apart by their key, which costs less than the number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from freg_pipeline.lake.norwegian import local
from freg_pipeline.lake.owntable_naa import PERSON_NAA
from freg_pipeline.lake.protection import HOME, Relation
from freg_pipeline.lake.sql import identifier
from freg_pipeline.lake.tables import PERSON_KEY, TIDLIGERE_IDENTIFIKATOR

# Columns of a table, with the types that they are to have, beside the person's key and number; as
# SQL that can follow FROM. What the contract lacks is NULL.
Keyed = Callable[[str, Mapping[str, str]], str]

_PERSON = "personidentifikator"
_MOMENT = "TIMESTAMP WITH TIME ZONE"
_TIMES = {
    "gyldighetstidspunkt": _MOMENT,
    "opphoerstidspunkt": _MOMENT,
    "ajourholdstidspunkt": _MOMENT,
    "er_gjeldende": "BOOLEAN",
    "rad_nr": "INTEGER",
}
# Of several rows the one that counts comes first: see freg_pipeline.lake.gjeldende.
# As one value: DuckDB finds the first by it in half the time that several keys take.
_ORDER = (
    "row(er_gjeldende IS TRUE, coalesce(gyldighetstidspunkt, '-infinity'), "
    "coalesce(ajourholdstidspunkt, '-infinity'), -rad_nr) DESC"
)
RESIDENT = "bosatt"
PARENTS = ("mor", "far", "medmor")
DAY, KNOWN = "dato", "kjent"  # a macro's arguments would hide columns that are called so


def end_of(day: str) -> str:
    """The moment at which a day ends in Norway, as SQL; the session's time zone doesn't matter."""
    return local(f"(({day})::DATE + 1)::TIMESTAMP")


def _day(moment: str) -> str:
    return f"{local(moment)}::DATE"


@dataclass(frozen=True)
class People:
    """The SQL of the views of people, over the tables in one state.

    Attributes:
        shown: a table as it may be seen.
        keyed: rows of the contract's tables, of what protection doesn't hide.
        status_is_told: whether the register was asked who is resident.
    """

    shown: Relation
    keyed: Keyed
    status_is_told: bool

    def views(self) -> dict[str, str]:
        """The rows of each view of people, by its name."""
        return {
            "familie": self.familie(),
            "husstand": self.husstand(),
            "flytting": self.flytting(),
        }

    def familie(self) -> str:
        """Parents of everyone who has any, by their current numbers."""
        earlier = self.shown(TIDLIGERE_IDENTIFIKATOR.name)
        joins = " ".join(
            f"LEFT JOIN tidligere AS n{role} ON n{role}.identifikator = p.{role}"
            for role in PARENTS
        )
        now = ", ".join(f"coalesce(n{role}.{_PERSON}, p.{role}) AS {role}" for role in PARENTS)
        return (
            f"WITH tidligere AS MATERIALIZED (FROM {earlier}) "  # noqa: S608  ours
            f"SELECT p.{_PERSON} AS barn, {now} FROM {self.shown(PERSON_NAA.name)} AS p {joins} "
            f"WHERE {' OR '.join(f'p.{role} IS NOT NULL' for role in PARENTS)}"
        )

    def husstand(self) -> str:
        """Residents by dwelling."""
        resident = f"AND status = '{RESIDENT}'" if self.status_is_told else ""
        return (
            "SELECT bolig, max(kommunenummer) AS kommunenummer, count(*) AS antall, "  # noqa: S608
            f"list({_PERSON} ORDER BY {_PERSON}) AS medlemmer "
            f"FROM {self.shown(PERSON_NAA.name)} WHERE bolig IS NOT NULL {resident} GROUP BY bolig"
        )

    def befolkning(self, day: str, known: str) -> str:
        """Who lived where when a day ended: as it is known now, or as it was known at another day.

        Args:
            day: the day.
            known: NULL: by when rows began and ended. Else of the rows that had been recorded when
                that day ended the one that began last: when an end was recorded nothing tells but
                the row that came after.
        """
        homes = self.keyed(HOME, {**_TIMES, "kommunenummer": "VARCHAR"})
        home = _one_each(homes, _holds(day, known), (_PERSON, "kommunenummer"))
        resident = ""
        if self.status_is_told:
            statuses = self.keyed("status", {**_TIMES, "status": "VARCHAR"})
            told = _one_each(statuses, _holds(day, known), ("status",))
            resident = (
                f"SEMI JOIN (SELECT {PERSON_KEY} FROM ({told}) WHERE status = '{RESIDENT}') "  # noqa: S608
                f"USING ({PERSON_KEY})"
            )
        return f"SELECT {_PERSON}, kommunenummer FROM ({home}) {resident}"  # noqa: S608

    def navn(self, columns: Mapping[str, str], day: str) -> str:
        """Names when a day ended, one row a person: all columns of the table."""
        others = {name: kind for name, kind in columns.items() if name != _PERSON}
        told = _one_each(self.keyed("navn", {**_TIMES, **others}), _holds(day, "NULL"), columns)
        return f"SELECT {', '.join(map(identifier, columns))} FROM ({told})"  # noqa: S608

    def flytting(self) -> str:
        """Moves from home to home, to Norway and from it.

        A row of bostedsadresse is a move if it has another flyttedato than the one before it: else
        it tells the same home anew, as when kommuner merge. Without any flyttedato each row is one.
        """
        homes = self.keyed(HOME, {**_TIMES, "flyttedato": "DATE", "kommunenummer": "VARCHAR"})
        out = self.keyed(
            "utflytting", {**_TIMES, "utflyttingsdato": "DATE", "tilflyttingsland": "VARCHAR"}
        )
        into = self.keyed(
            "innflytting", {"gyldighetstidspunkt": _MOMENT, "fraflyttingsland": "VARCHAR"}
        )
        moved, per = "gyldighetstidspunkt", f"{PERSON_KEY}, gyldighetstidspunkt"
        home = _one_each(homes, "true", (_PERSON, moved, "flyttedato", "kommunenummer"), per)
        left = _one_each(out, "true", (_PERSON, moved, "utflyttingsdato", "tilflyttingsland"), per)
        order = f"PARTITION BY {PERSON_KEY} ORDER BY fra NULLS FIRST, hjem DESC"
        return f"""
WITH steg AS (
    SELECT {PERSON_KEY}, {_PERSON}, gyldighetstidspunkt AS fra, true AS hjem, flyttedato AS flyttet,
        kommunenummer AS sted
    FROM ({home})
    UNION ALL
    SELECT {PERSON_KEY}, {_PERSON}, gyldighetstidspunkt, false, utflyttingsdato, tilflyttingsland
    FROM ({left})
),
par AS (
    SELECT *, coalesce(flyttet, {_day("fra")}) AS dato, lag(hjem) OVER rekke AS fra_hjem,
        lag(sted) OVER rekke AS fra_sted, lag(flyttet) OVER rekke AS fra_flyttet
    FROM steg WINDOW rekke AS ({order})
),
inn AS (
    SELECT p.dato, any_value(p.{_PERSON}) AS {_PERSON}, any_value(p.sted) AS sted,
        arg_max(fraflyttingsland, gyldighetstidspunkt) AS land
    FROM par AS p LEFT JOIN {into} AS i
        ON i.{PERSON_KEY} = p.{PERSON_KEY}
        AND coalesce({_day("i.gyldighetstidspunkt")} <= greatest(p.dato, {_day("p.fra")}), true)
    WHERE p.hjem AND p.fra_hjem IS NOT TRUE
    GROUP BY p.{PERSON_KEY}, p.fra, p.dato
    HAVING bool_or(p.fra_hjem IS NOT NULL) OR count(i.{PERSON_KEY}) > 0
)
SELECT {_PERSON}, dato,
    CASE WHEN sted IS DISTINCT FROM fra_sted THEN 'mellomKommuner' ELSE 'innenKommune' END AS type,
    fra_sted AS fra_kommunenummer, sted AS til_kommunenummer,
    NULL::VARCHAR AS fra_land, NULL::VARCHAR AS til_land
FROM par WHERE hjem AND fra_hjem AND (flyttet IS DISTINCT FROM fra_flyttet OR flyttet IS NULL)
UNION ALL SELECT {_PERSON}, dato, 'innvandring', NULL, sted, land, NULL FROM inn
UNION ALL SELECT {_PERSON}, dato, 'utvandring', CASE WHEN fra_hjem THEN fra_sted END, NULL,
    NULL, sted
FROM par WHERE NOT hjem"""  # noqa: S608  from the contract


def _one_each(rows: str, holds: str, columns: Iterable[str], per: str = PERSON_KEY) -> str:
    """Some columns of the one row that counts of each person, among those that hold.

    Hardly anybody has several that hold, and only theirs need be ordered.

    Args:
        rows: SQL of the rows, with what tells which of them counts.
        holds: whether a row holds, as SQL.
        columns: those that are wanted.
        per: of what there is to be one row, instead: the person's key and more columns.
    """
    picked = ", ".join([PERSON_KEY, *map(identifier, columns)])
    return (
        f"WITH som_gjelder AS MATERIALIZED (FROM {rows} WHERE {holds}), "  # noqa: S608  ours
        f"med_flere AS MATERIALIZED (SELECT {PERSON_KEY} FROM som_gjelder GROUP BY {per} "
        "HAVING count(*) > 1) "
        f"SELECT {picked} FROM som_gjelder ANTI JOIN med_flere USING ({PERSON_KEY}) UNION ALL "
        f"SELECT {picked} FROM som_gjelder SEMI JOIN med_flere USING ({PERSON_KEY}) "
        f"QUALIFY row_number() OVER (PARTITION BY {per} ORDER BY {_ORDER}) = 1"
    )


def _holds(day: str, known: str) -> str:
    """Whether a row holds when a day ends, or had been recorded when another one ended."""
    return (
        f"coalesce(gyldighetstidspunkt < {end_of(day)}, true) AND "
        f"CASE WHEN {known} IS NULL THEN coalesce(opphoerstidspunkt >= {end_of(day)}, "
        f"er_gjeldende IS NOT FALSE) "
        f"ELSE coalesce(ajourholdstidspunkt < {end_of(known)}, true) END"
    )
