"""Rows of a release's tables as a copy by rules has them, as Arrow batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.contract.names import PERSON_COLUMN
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.lake.described import Described, identity_columns
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.outside import showable
from freg_pipeline.pseudonyms.allowed import Columns, copied_tables
from freg_pipeline.pseudonyms.key import Key
from freg_pipeline.pseudonyms.protected import protected_numbers
from freg_pipeline.pseudonyms.rules import Aggregate, Rule, Rules
from freg_pipeline.pseudonyms.values import holding, ruled
from freg_pipeline.store import Store

# Whom a row is about, where that isn't personidentifikator alone: such rows of protected persons
# stay out, while in rows about others their numbers are left out.
_ABOUT: Mapping[str, tuple[str, ...]] = {
    "tidligere_identifikator": ("identifikator", PERSON_COLUMN),
    "avvik": ("identifikator", "gikk_til"),
    "hendelse": ("folkeregisteridentifikator", PERSON_COLUMN),
    "familie": ("barn",),
    "husstand": (),
}
# What may be a place or a name of whoever a row names, wherever in it that stands.
_TELLING = {Rule.KEEP_IDENTIFYING, Rule.PSEUDONYM, Rule.KOMMUNE, Rule.FYLKE, Rule.GRUNNKRETS}


class Pseudonymised:
    """The tables of a release by rules. Made by :func:`pseudonymised`.

    Attributes:
        tables: those that go out, in the rules' order.
        missing: what the rules name that the release hasn't, where they say that it is skipped.
        replaced: by ``table.column``, how many values held an identity number where none belongs;
            they are NULL in the copy. Of what has been transformed.
    """

    def __init__(
        self,
        offered: Mapping[str, Columns],
        rules: Mapping[str, dict[str, Rule]],
        key: Key | None,
        missing: tuple[str, ...],
    ) -> None:
        self._offered = offered
        self._rules = rules
        self._key = key
        self._protected: pa.Array | None = None
        self.tables = tuple(rules)
        self.missing = missing
        self.replaced = Counter[str]()

    def hide(self, numbers: pa.Array) -> None:
        """Leave out from now on the persons who have these numbers, and them in others' rows."""
        self._protected = numbers

    @property
    def makes_pseudonyms(self) -> bool:
        """Whether any column goes out as pseudonyms."""
        return any(Rule.PSEUDONYM in columns.values() for columns in self._rules.values())

    def described(self, table: str) -> Described:
        """What a table and its columns are in the release."""
        return self._offered[table].described

    def rules(self, table: str) -> Mapping[str, Rule]:
        """What becomes of each column of a table that goes out."""
        return self._rules[table]

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table in the copy, in its order, with DuckDB's types.

        Raises:
            KeyError: the table doesn't go out.
        """
        rules, offered = self._rules[table], self._offered[table]
        return {
            name: offered.type_of(name, rules[name])
            for name, _, _ in offered.described.shown
            if name in rules
        }

    def transform(self, table: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of a table as they go out, in the order they come in; see :mod:`.order`.

        Args:
            table: one of :attr:`tables`.
            batches: rows with all columns that its view shows.
        """
        for batch in batches:
            yield self._transformed(table, batch)

    def read(self, table: str, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """As :meth:`transform`, with the schema told before any row is read."""
        (shape,) = self.transform(table, [pa.RecordBatch.from_pylist([], rows.schema)])
        return pa.RecordBatchReader.from_batches(shape.schema, self.transform(table, rows))

    def _transformed(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        batch = self._without_protected(table, batch)
        naming = self._naming(table, batch)
        made: dict[str, pa.Array] = {}
        for name in self.columns(table):
            rule = self._rules[table][name]
            told, found = ruled(batch[name], rule, self._key, self._protected)
            if found:
                self.replaced[f"{table}.{name}"] += found
            for reference, rows in naming.items():
                if self._goes_with(table, name, reference):
                    told = pc.if_else(rows, pa.scalar(None, told.type), told)
            made[name] = told
        return pa.RecordBatch.from_arrays([*made.values()], names=[*made])

    def _naming(self, table: str, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """By column that names another person: which rows name one who is left out, if any do."""
        if self._protected is None:
            return {}
        found = {}
        for name in self._offered[table].beside:
            rows = holding(batch[name], self._protected)
            if pc.any(rows).as_py():
                found[name] = rows
        return found

    def _goes_with(self, table: str, column: str, reference: str) -> bool:
        """Whether a column may tell of whoever another one names: by it, or as an address does."""
        offered = self._offered[table]
        if column in offered.beside[reference]:
            return True
        if column in identity_columns(offered.described):
            return False
        return self._rules[table][column] in _TELLING

    def _without_protected(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._protected is None:
            return batch
        for name in _ABOUT.get(table, (PERSON_COLUMN,)):
            batch = batch.filter(pc.invert(pc.is_in(batch[name], value_set=self._protected)))
        return batch


def pseudonymised(
    store: Store,
    manifest: Manifest,
    views: duckdb.DuckDBPyConnection,
    rules: Rules,
    key: Key | None,
) -> Pseudonymised:
    """The tables of a release, by rules.

    Args:
        store: where it lies.
        manifest: the release.
        views: of it.
        rules: which columns go out, and as what.
        key: makes pseudonyms; None: the rules ask for none.

    Raises:
        ConfigurationError: the rules don't fit the release's tables, or ask for a key that isn't
            there, or who is protected isn't known.
    """
    offered = copied_tables(load_plan(store, manifest.contract))
    checked, missing = _fitting(rules, offered)
    if rules.told.aggregate:
        _countable(offered[rules.told.aggregate.table], rules.told.aggregate)
    copied = Pseudonymised(offered, checked, key, missing)
    if copied.makes_pseudonyms and key is None:
        raise ConfigurationError("the rules ask for pseudonyms", "Name a key: --pseudonymise")
    if rules.told.protected == "out":
        tables = [one.described for one in offered.values()]
        copied.hide(protected_numbers(views, manifest, tables))
    return copied


def _fitting(
    rules: Rules, offered: Mapping[str, Columns]
) -> tuple[dict[str, dict[str, Rule]], tuple[str, ...]]:
    """The rules of tables and columns that there are, and the names of those that there aren't.

    Raises:
        ConfigurationError: there is no such one, or a rule can't be said of it.
    """
    fitting: dict[str, dict[str, Rule]] = {}
    missing: list[str] = []
    for table, columns in rules.tables.items():
        if table not in offered:
            missing.append(table)
            continue
        there = {name: rule for name, rule in columns.items() if name in offered[table].allowed}
        missing += [f"{table}.{name}" for name in columns if name not in there]
        for name, rule in there.items():
            offered[table].check(name, rule)
        _of_persons(offered[table].described)
        if there:
            fitting[table] = there
    if missing and (rules.told.missing == "refuse" or rules.told.aggregate):
        raise ConfigurationError(
            f"the rules name what the release doesn't have: {showable(missing[0])}",
            'Correct it; or say missing = "skip" in the rules, for releases of several contracts',
        )
    if not fitting:
        raise ConfigurationError(
            "nothing that the rules name is in the release", "See freg release show"
        )
    return fitting, tuple(map(showable, missing))


def _countable(table: Columns, aggregate: Aggregate) -> None:
    """Refuse to count what isn't a person a row, or by what nearly every person has for themselves.

    Raises:
        ConfigurationError: so it is.
    """
    if table.described.keys != (PERSON_COLUMN,):
        raise ConfigurationError(
            f"persons can't be counted in {showable(aggregate.table)}: it hasn't one row a person",
            "Count them in person_naa",
        )
    lists = {name for name, kind, _ in table.described.shown if kind.endswith("[]")}
    for name, rule in aggregate.by.items():
        if name in lists or rule in {Rule.PSEUDONYM, Rule.KEEP_IDENTIFYING, Rule.DROP}:
            raise ConfigurationError(
                f"persons can't be counted by {showable(name)} with the rule {rule}",
                "Count by codes, years, kommuner or grunnkretser",
            )


def _of_persons(table: Described) -> None:
    """Refuse a table whose rows don't tell whom they are about: nor who of them is protected.

    Raises:
        ConfigurationError: so it is.
    """
    about = _ABOUT.get(table.name, (PERSON_COLUMN,))
    if about and not {*about} <= {name for name, _, _ in table.shown}:
        raise ConfigurationError(
            f"{showable(table.name)} can't go out: its rows don't tell whom they are about",
            "Leave it out of the rules",
        )
