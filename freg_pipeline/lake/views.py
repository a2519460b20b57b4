"""The SQL of the views over a release: one a table, and a few for convenience."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from freg_pipeline.lake.tables import Described

OVERVIEW = "person_oversikt"
CURRENT_NUMBER = """
CREATE OR REPLACE MACRO gjeldende_identifikator(nummer) AS coalesce(
    (SELECT any_value(t.personidentifikator) FROM tidligere_identifikator AS t
     WHERE t.identifikator = nummer), nummer)
"""

# What person_oversikt shows of a person's current rows: table -> columns, where the contract has
# them.
_SHOWN = {
    "navn": ("fornavn", "mellomnavn", "etternavn"),
    "kjoenn": ("kjoenn",),
    "foedsel": ("foedselsdato", "foedselsaar"),
    "status": ("status",),
    "sivilstand": ("sivilstand",),
}
_ADDRESS = {
    "adressenavn": ("vegadresse_adressenavn",),
    "husnummer": ("vegadresse_adressenummer_husnummer",),
    "husbokstav": ("vegadresse_adressenummer_husbokstav",),
    "postnummer": (
        "vegadresse_poststed_postnummer",
        "matrikkeladresse_poststed_postnummer",
    ),
    "poststed": (
        "vegadresse_poststed_poststedsnavn",
        "matrikkeladresse_poststed_poststedsnavn",
    ),
    "kommunenummer": (
        "vegadresse_kommunenummer",
        "matrikkeladresse_matrikkelnummer_kommunenummer",
        "ukjent_bosted_bostedskommune",
    ),
}
_CURRENT = "er_gjeldende"
_TELL_PROTECTION = {
    "person-basis",
    "adressebeskyttelse",
}  # parts that adressebeskyttelse comes with


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def table_views(sources: dict[str, str]) -> Iterator[str]:
    """``CREATE VIEW`` for each table, over the SQL source of its rows."""
    for name, source in sources.items():
        yield f'CREATE OR REPLACE VIEW "{name}" AS SELECT * FROM {source}'  # noqa: S608


def comments(tables: Iterable[Described]) -> Iterator[str]:
    """``COMMENT ON`` for each table and column that has one."""
    for table in tables:
        if table.comment:
            yield f'COMMENT ON VIEW "{table.name}" IS {quoted(table.comment)}'
        for name, _, text in table.columns:
            if text:
                yield f'COMMENT ON COLUMN "{table.name}"."{name}" IS {quoted(text)}'


def overview(tables: Iterable[Described], parts: Collection[str]) -> str | None:
    """One row per person with what is asked for most; without protected persons' addresses.

    Derived from what the contract has.

    Args:
        tables: the release's tables.
        parts: what the register was asked for.

    Returns:
        ``CREATE VIEW``; None where nothing tells who is protected: the contract lacks the tables,
        or the register wasn't asked for them.
    """
    if not _TELL_PROTECTION & set(parts):
        return None
    columns = {table.name: {name for name, _, _ in table.columns} for table in tables}
    select = ["person.personidentifikator"]
    joins = []
    for table, wanted in _SHOWN.items():
        there = [name for name in wanted if name in columns.get(table, ())]
        if there and _CURRENT in columns[table]:
            select += [f'{table}."{name}"' for name in there]
            joins.append(_newest(table, there))
    address = _address(columns)
    if address is None:
        return None
    select += [f"bosted.{name}" for name in _ADDRESS]
    joins.append(address)
    return (
        f"CREATE OR REPLACE VIEW {OVERVIEW} AS SELECT {', '.join(select)} "  # noqa: S608
        f"FROM person {' '.join(joins)}"
    )


def _newest(table: str, columns: list[str]) -> str:
    picked = ", ".join(f'first("{name}" ORDER BY rad_nr) AS "{name}"' for name in columns)
    return (
        f"LEFT JOIN (SELECT personidentifikator, {picked} FROM {table} "  # noqa: S608
        f"WHERE {_CURRENT} IS NOT FALSE GROUP BY personidentifikator) AS {table} "
        "USING (personidentifikator)"
    )


def _address(columns: dict[str, set[str]]) -> str | None:
    home = columns.get("bostedsadresse", set())
    protection = columns.get("adressebeskyttelse", set())
    if not {"adressegradering", _CURRENT} <= home:
        return None
    if not {"graderingsnivaa", _CURRENT} <= protection:
        return None
    picked = []
    for name, sources in _ADDRESS.items():
        there = [source for source in sources if source in home] or ["NULL"]
        picked.append(f"first(coalesce({', '.join(there)}) ORDER BY rad_nr) AS {name}")
    return (
        f"LEFT JOIN (SELECT personidentifikator, {', '.join(picked)} FROM bostedsadresse "  # noqa: S608
        f"ANTI JOIN (SELECT personidentifikator FROM adressebeskyttelse "
        f"WHERE {_CURRENT} IS NOT FALSE AND graderingsnivaa IS DISTINCT FROM 'ugradert') "
        "USING (personidentifikator) "
        f"WHERE {_CURRENT} IS NOT FALSE AND adressegradering = 'ugradert' "
        "GROUP BY personidentifikator) AS bosted USING (personidentifikator)"
    )
