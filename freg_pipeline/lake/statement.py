"""One statement of a reader's: that it only reads, and what DuckDB says of a wrong one."""

from __future__ import annotations

import re

import duckdb

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.outside import showable

_READS = {duckdb.StatementType.SELECT, duckdb.StatementType.PRAGMA}
_EXPLAIN = re.compile(r"\s*explain\s+(?:analyze\s+)?(?:\([^)]*\)\s*)?", re.IGNORECASE)
_PIVOT = duckdb.StatementType.MULTI  # makes an enumeration first, in memory
_OF_NAMES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
_QUOTED = re.compile(r"""(['"])(?:.*\1|.*)""")  # from the first to the last, or the end
_LONG_NUMBER = re.compile(r"(?<!\w)-?\d[\d.]{5,}")  # a date of birth among them
_LONGEST = 500  # characters of what DuckDB says: it lists what might have been meant


def relation_of(connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyRelation:
    """The rows of a statement, which aren't computed yet.

    Raises:
        ConfigurationError: it is wrong, gives no rows or does more than read; says so.
    """
    try:
        relation = connection.sql(_checked(connection, statement))
    except duckdb.Error as error:
        raise wrong(error) from None
    if relation is None:
        raise ConfigurationError("that statement returns no rows", "Write a SELECT")
    return relation


def selected(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    """The statement as a SELECT of the same rows, to be part of another statement.

    Raises:
        ConfigurationError: as :func:`relation_of`.
    """
    relation = relation_of(connection, statement)
    (parsed,) = connection.extract_statements(statement)
    if parsed.type is duckdb.StatementType.SELECT:
        return parsed.query.strip().rstrip(";")
    try:
        relation.create("_svar")  # EXPLAIN and its like are no part of others, and are short
    except duckdb.Error as error:
        raise wrong(error) from None
    return "FROM _svar"


def _checked(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    statements = connection.extract_statements(text)
    if not statements:
        raise ConfigurationError("there is no statement", "Write a SELECT")
    if len(statements) > 1:
        raise ConfigurationError(f"that holds {len(statements)} statements", "Give one at a time")
    explained = _EXPLAIN.match(statements[0].query)
    if statements[0].type is duckdb.StatementType.EXPLAIN and explained:
        _checked(connection, statements[0].query[explained.end() :])
    elif statements[0].type not in _READS | {_PIVOT}:
        kind = statements[0].type.name
        raise ConfigurationError(
            f"freg sql only reads, and that statement is {kind}",
            "Write a SELECT; --output FILE writes its rows to a file",
        )
    return statements[0].query


def wrong(error: duckdb.Error) -> FregError:
    """What DuckDB says, in one line. A value that it quotes is a person's: it is left out."""
    known = foreseen(error)
    if known is not None:
        return known
    said = str(error)
    if isinstance(error, _OF_NAMES):  # with what might have been meant; without the statement
        said, *_ = re.split(r"^LINE \d+:", said, maxsplit=1, flags=re.MULTILINE)
    else:
        said, *_ = said.splitlines() or [""]
        said = _LONG_NUMBER.sub("…", _QUOTED.sub("…", said))
    said = showable(said or type(error).__name__, _LONGEST)
    remedy = "Correct the SQL"
    if isinstance(error, duckdb.OperationalError):
        remedy += ", or see whether the release is whole: freg release verify"
    return ConfigurationError(said.rstrip("."), remedy)
