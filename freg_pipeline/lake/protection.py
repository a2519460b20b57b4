"""Protected persons' addresses: what views and macros leave out, or mark, as SQL.

The stricter of two protections holds: that of the state shown, and today's. Today's is that of the
current release, under whichever number somebody had then. What is protected is an address: its own
``adressegradering`` marks it, ``adressebeskyttelse`` all addresses of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from freg_pipeline.extract.parts import entities
from freg_pipeline.lake.described import Described
from freg_pipeline.lake.owntable_naa import NAA_ADDRESS, NAA_PROTECTED
from freg_pipeline.lake.sql import identifier, quoted
from freg_pipeline.lake.tables import HENDELSE, PERSON, TIDLIGERE_IDENTIFIKATOR

Relation = Callable[[str], str]  # a table's rows in some state, as SQL that can follow FROM

PROTECTION, HOME = "adressebeskyttelse", "bostedsadresse"
GRADE = "adressegradering"
LEVEL = "graderingsnivaa"
CURRENT = "er_gjeldende"
OPEN = "ugradert"
# From open to strictest; a level that nobody knows counts as the strictest.
_LEVELS = (OPEN, "klientadresse", "fortrolig", "strengtFortrolig")


class Protection:
    """Who is protected, by the tables of a release.

    Args:
        tables: the release's tables.
        parts: what the register was asked for.
    """

    def __init__(self, tables: Iterable[Described], parts: Collection[str]) -> None:
        columns = {table.name: {name for name, _, _ in table.columns} for table in tables}
        self.graded = [name for name, there in columns.items() if {GRADE, CURRENT} <= there]
        self.is_told = {LEVEL, CURRENT} <= columns.get(PROTECTION, set()) and (
            PROTECTION in entities(parts)
        )

    def numbers(self, rows: Relation, graded: Iterable[str]) -> str:
        """Every number of everyone who is protected: ``identifikator``, ``nivaa`` and its ``rang``.

        Args:
            rows: the tables in the state that tells.
            graded: tables whose graded addresses count as well.
        """
        told = [
            f"SELECT personidentifikator, {column} AS nivaa FROM {rows(table)} "  # noqa: S608
            f"WHERE {CURRENT} IS NOT FALSE AND {column} <> {quoted(OPEN)}"
            for table, column in self._levels(graded)
        ]
        own = " UNION ALL ".join(told) or _NOBODY
        earlier = rows(TIDLIGERE_IDENTIFIKATOR.name)
        return (
            f"(WITH vernede AS NOT MATERIALIZED ({own}) "  # noqa: S608
            "SELECT identifikator, arg_max(nivaa, rang) AS nivaa, max(rang) AS rang FROM ("
            f"SELECT identifikator, nivaa, {_rank('nivaa')} AS rang FROM ("
            "SELECT personidentifikator AS identifikator, nivaa FROM vernede UNION ALL "
            f"SELECT identifikator, nivaa FROM vernede JOIN {earlier} USING (personidentifikator)"
            ")) GROUP BY identifikator)"
        )

    def _levels(self, graded: Iterable[str]) -> Iterable[tuple[str, str]]:
        if self.is_told:
            yield PROTECTION, f"coalesce({LEVEL}, {quoted(_LEVELS[-1])})"
        for table in graded:
            yield table, GRADE

    def marked(self, rows: str, columns: Iterable[str], today: str) -> str:
        """Rows of addresses in an earlier state, each graded as strictly as its person is today.

        Args:
            rows: SQL of the rows.
            columns: their columns.
            today: who is protected today, as :meth:`numbers` tells.
        """
        stricter = f"vernet.rang > {_rank(f'a.{GRADE}')}"
        return _where_protected(rows, columns, today, stricter, {GRADE: "vernet.nivaa"})

    def without_homes(self, rows: str, columns: Iterable[str], today: str) -> str:
        """Rows of ``person_naa`` in an earlier state, without addresses of who is protected today.

        Args:
            rows: SQL of the rows; those who were protected then have no address there.
            columns: their columns.
            today: who is protected today, as :meth:`numbers` tells.
        """
        told = dict.fromkeys(NAA_ADDRESS, "NULL") | {NAA_PROTECTED: "true"}
        return _where_protected(rows, columns, today, "vernet.rang > 0", told)

    def without_addresses(
        self, rows: str, columns: Iterable[str], state: Relation, protected: Iterable[str]
    ) -> str:
        """Rows of ``hendelse_egenskap`` without what tells a protected person's address.

        Where nothing tells who is protected, or whom the event concerns, no address is shown.

        Args:
            rows: SQL of the rows.
            columns: their columns.
            state: the tables in the same state.
            protected: who is, as :meth:`numbers` tells; each holds.
        """
        return _shown_where(rows, columns, self._shows("e", state, protected))

    def closed(self, rows: str, columns: Iterable[str], graded: Iterable[str]) -> str:
        """Rows of ``hendelse_egenskap`` without any address: as if everybody were protected.

        Args:
            rows: SQL of the rows.
            columns: their columns.
            graded: tables of addresses by another contract, beside this one's.
        """
        return _shown_where(rows, columns, _is_no_address("e", {*self.graded, *graded}))

    def _shows(self, row: str, state: Relation, protected: Iterable[str]) -> str:
        """Whether content may be seen: it is no address, or an open one of somebody open."""
        no_address = _is_no_address(row, self.graded)
        if not self.is_told:
            return no_address
        closed = " ".join(f"ANTI JOIN {one} USING (identifikator)" for one in protected)
        numbers = (
            f"SELECT personidentifikator AS identifikator FROM {state(PERSON.name)} UNION ALL "  # noqa: S608
            f"SELECT identifikator FROM {state(TIDLIGERE_IDENTIFIKATOR.name)}"
        )
        somebody_open = (
            f"{row}.sekvensnummer IN (SELECT h.sekvensnummer FROM {state(HENDELSE.name)} AS h "  # noqa: S608
            f"LEFT JOIN (SELECT DISTINCT identifikator FROM ({numbers}) {closed}) AS aapen "
            "ON aapen.identifikator = h.folkeregisteridentifikator "
            "GROUP BY ALL HAVING count(aapen.identifikator) = count(*))"
        )
        an_open_one = (
            f"NOT contains(regexp_replace({row}.innhold, {quoted(_OPEN)}, '', 'g'), {quoted(_KEY)})"
        )
        return f"({no_address}) OR ({an_open_one} AND {somebody_open})"


def _shown_where(rows: str, columns: Iterable[str], condition: str) -> str:
    """Rows whose content is there where a condition of ``e`` holds."""
    shown = ", ".join(
        f"CASE WHEN {condition} THEN e.innhold END AS innhold"
        if name == "innhold"
        else f"e.{identifier(name)}"
        for name in columns
    )
    return f"SELECT {shown} FROM ({rows}) AS e"  # noqa: S608


def _is_no_address(row: str, graded: Iterable[str]) -> str:
    """Whether content is certainly no address, by the tables of addresses."""
    entities = ", ".join(quoted(table.replace("_", "")) for table in sorted(graded))
    kind = f"replace(lower({row}.entitet), '_', '') IN ({entities})" if entities else "false"
    marked = f"contains({row}.innhold, {quoted(_KEY)})"
    return f"NOT coalesce({kind}, true) AND NOT coalesce({marked}, false)"


_NOBODY = "SELECT NULL::VARCHAR AS personidentifikator, NULL::VARCHAR AS nivaa LIMIT 0"
_KEY = f'"{GRADE}"'
_OPEN = rf'"{GRADE}"\s*:\s*"{OPEN}"'


def _rank(level: str) -> str:
    """How strict a level is; none at all is as open as can be."""
    known = ", ".join(map(quoted, _LEVELS))
    return (
        f"CASE WHEN {level} IS NULL THEN 0 "
        f"ELSE coalesce(list_position([{known}], {level}), {len(_LEVELS) + 1}) END"
    )


def _where_protected(
    rows: str, columns: Iterable[str], today: str, condition: str, told: Mapping[str, str]
) -> str:
    """Rows with other values in some columns where a person's protection today asks for it.

    Args:
        rows: SQL of the rows, which are ``a`` in the condition.
        columns: their columns.
        today: who is protected today, which is ``vernet`` in the condition.
        condition: whether it asks for it, as SQL.
        told: the SQL of what these columns tell then.
    """
    shown = ", ".join(
        f"CASE WHEN {condition} THEN {told[name]} ELSE a.{name} END AS {name}"
        if name in told
        else f"a.{identifier(name)}"
        for name in columns
    )
    return (
        f"SELECT {shown} FROM ({rows}) AS a "  # noqa: S608
        f"LEFT JOIN {today} AS vernet ON vernet.identifikator = a.personidentifikator"
    )
