"""Statements of a reader's: that they only read, and what DuckDB says of a wrong one."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

import duckdb

from freg_pipeline.errors import ConfigurationError, FregError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.outside import showable

_GIVE_ROWS = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.MULTI,  # PIVOT, which makes an enumeration first, in memory
}
_EXPLAIN = re.compile(r"\s*explain\s+(?:analyze\s+)?(?:\([^)]*\)\s*)?", re.IGNORECASE)
# Others set something, as the file that a profile is written to.
_PRAGMA = re.compile(
    r"\s*pragma\s+(table_info|storage_info|show_tables(_expanded)?|show_databases|show|"
    r"database_list|database_size|functions|collations|version|platform)\s*(\(|;|$)",
    re.IGNORECASE,
)
# What following statements can use, and what is in memory only.
_PREPARES = re.compile(
    r"\s*(set\s+variable\s|create\s+(or\s+replace\s+)?temp(orary)?\s+"
    r"(table|view|macro|function)\s)",
    re.IGNORECASE,
)
_WORD_AND_NEXT = {
    ("(", "copy"): "a WITH that writes a file",
    # What they run can't be looked at before.
    ("query", "("): "the function query",
    ("json_execute_serialized_sql", "("): "the function json_execute_serialized_sql",
}
_TOKEN = re.compile(r'"(?:[^"]|"")*"|\w+|\W', re.DOTALL)
_OF_NAMES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
_QUOTED = re.compile(r"""(['"])(?:.*\1|.*)""")  # from the first to the last, or the end
_LONG_NUMBER = re.compile(r"(?<!\w)-?\d[\d.]{5,}")  # a date of birth among them
_LONGEST = 500  # characters of what DuckDB says: it lists what might have been meant


class Statement(NamedTuple):
    """One statement.

    Attributes:
        text: as it was written.
        gives_rows: False: it prepares what comes after it.
    """

    text: str
    gives_rows: bool


def statements(connection: duckdb.DuckDBPyConnection, text: str) -> list[Statement]:
    """The statements of a text, which only read.

    Raises:
        ConfigurationError: there is none, or one is wrong or does more than read; says so.
    """
    try:
        parsed = connection.extract_statements(text)
    except duckdb.Error as error:
        raise wrong(error) from None
    if not parsed:
        raise ConfigurationError("that holds no statement", "Write a SELECT")
    _refuse_what_writes_within(text)
    return [_checked(connection, one) for one in parsed]


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep a session's settings as they are: functions that have logs or profiles written fail."""
    connection.execute("SET lock_configuration = true")


def has_ended(text: str) -> bool:
    """Whether SQL ends with a semicolon that is none of a text's or a comment's."""
    return _words(text)[-1:] == [";"]


def _refuse_what_writes_within(text: str) -> None:
    """Refuse what reads by its kind, and writes by a part of it or by a text that it runs."""
    words = _words(text)
    for pair in pairwise(words):
        if pair in _WORD_AND_NEXT:
            raise ConfigurationError(
                f"freg sql only reads, and that holds {_WORD_AND_NEXT[pair]}",
                "Write a SELECT; --output FILE puts its rows into a file",
            )


def _words(text: str) -> list[str]:
    """The words and marks of SQL in small letters, without comments, quotes and what is text."""
    return [
        found[0].strip('"').casefold()
        for kind, piece in pieces(text)
        if kind not in {duckdb.token_type.comment, duckdb.token_type.string_const}
        and (found := _TOKEN.match(piece))
    ]


def pieces(text: str) -> list[tuple[duckdb.token_type, str]]:
    """What SQL is made of, each with the blanks that follow it."""
    whole = text.encode()  # where DuckDB counts in
    tokens = duckdb.tokenize(text)
    ends = [start for start, _ in tokens[1:]] + [len(whole)]
    return [
        (kind, whole[start:end].decode()) for (start, kind), end in zip(tokens, ends, strict=True)
    ]


def without_end(text: str) -> str:
    """A statement without its semicolon and the comments around that: as it can be a part."""
    found = pieces(text)
    while found and (found[-1][0] is duckdb.token_type.comment or found[-1][1].rstrip() == ";"):
        found.pop()
    return "".join(piece for _, piece in found).rstrip()


def _checked(connection: duckdb.DuckDBPyConnection, parsed: duckdb.Statement) -> Statement:
    text, kind = without_end(parsed.query), parsed.type
    explained = _EXPLAIN.match(text)
    if kind is duckdb.StatementType.EXPLAIN and explained:
        statements(connection, text[explained.end() :])
        return Statement(text, gives_rows=True)
    if kind in _GIVE_ROWS or (kind is duckdb.StatementType.PRAGMA and _PRAGMA.match(text)):
        return Statement(text, gives_rows=True)
    if _PREPARES.match(text):
        return Statement(text, gives_rows=False)
    raise ConfigurationError(
        f"freg sql only reads, and that statement is of the kind {kind.name}",
        "Write a SELECT; --output FILE puts its rows into a file",
    )


def one_statement(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """The one statement of a text, which gives rows.

    Raises:
        ConfigurationError: as :func:`statements`, or there are several; says so.
    """
    found = statements(connection, text)
    if len(found) > 1:
        raise ConfigurationError(f"that holds {len(found)} statements", "Give one at a time")
    if not found[0].gives_rows:
        raise ConfigurationError("that statement gives no rows", "Write a SELECT")
    return found[0].text


def prepare(connection: duckdb.DuckDBPyConnection, statement: Statement) -> None:
    """Run a statement that gives no rows.

    Raises:
        ConfigurationError: it is wrong; says so.
    """
    try:
        connection.execute(statement.text)
    except duckdb.Error as error:
        raise wrong(error) from None


def relation_of(connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyRelation:
    """The rows of a statement, which aren't computed yet.

    Raises:
        ConfigurationError: it is wrong, gives no rows or does more than read; says so.
    """
    return rows_of(connection, one_statement(connection, statement))


def rows_of(connection: duckdb.DuckDBPyConnection, text: str) -> duckdb.DuckDBPyRelation:
    """As :func:`relation_of`, of one statement, whatever else it does.

    Raises:
        ConfigurationError: it is wrong, or gives no rows.
    """
    try:
        relation = connection.sql(text)
    except duckdb.Error as error:
        raise wrong(error) from None
    if relation is None:
        raise ConfigurationError("that statement gives no rows", "Write a SELECT")
    return relation


def selected(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    """The statement as a SELECT of the same rows, to be part of another statement.

    Raises:
        ConfigurationError: as :func:`relation_of`.
    """
    text = one_statement(connection, statement)
    relation = rows_of(connection, text)
    (parsed,) = connection.extract_statements(text)
    if parsed.type is duckdb.StatementType.SELECT:
        return text
    try:
        connection.execute("DROP TABLE IF EXISTS memory.main._svar")
        relation.create("memory.main._svar")  # EXPLAIN and its like: short, and no part of others
    except duckdb.Error as error:
        raise wrong(error) from None
    return "FROM memory.main._svar"


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
