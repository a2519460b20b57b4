"""Read a list of identity numbers from a file: text, CSV or Parquet, whatever its size.

A file is read from its beginning to its end, a piece at a time. What stands in it besides the
numbers is never kept and never quoted.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.identifiers import parse

_ROWS_AT_ONCE = 100_000  # of one column

_PARQUET = b"PAR1"
_DELIMITERS = ";,\t|"
_DIGIT = re.compile(r"\d")
_MARKS = re.compile(r"[\s='\"]|(?<=\d{6})-(?=\d{5})|(?<=\d)\.0+\Z")
_LOST_ZERO = re.compile(r"[1-9]\d{9}", re.ASCII)
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # how Excel names it, in a line of its own
_LETTERS = str.maketrans({"ø": "o", "æ": "a"})
# What columns with identity numbers are called, in small letters and without what is no letter.
_KNOWN = {
    "foedselsellerdnummer", "fodselsellerdnummer", "foedselsnummer", "fodselsnummer", "dnummer",
    "fnr", "dnr", "fnrdnr", "personnummer", "personidentifikator", "folkeregisteridentifikator",
    "identifikasjonsnummer", "identifikator",
}  # fmt: skip


def read_list(source: Path, column: str | None = None) -> Iterator[tuple[int, str]]:
    """Yield each entry of a list with the number of its line (in Parquet: its row), from 1.

    Args:
        source: the file. Text holds one number a line; CSV may have a header or none, and any of
            the usual delimiters.
        column: the column with the numbers; without it one of the usual names, else the only
            column, else the only one with an identity number in its first row.

    Raises:
        ConfigurationError: the file can't be read, or it isn't clear where the numbers stand.
    """
    try:
        with source.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
            file.seek(0)
            yield from _parquet(file, column) if is_parquet else _text(file, column)
    except OSError as error:
        raise ConfigurationError(
            f"the list {source.name} can't be read: {error.strerror or type(error).__name__}",
            "Name a file of text, CSV or Parquet",
        ) from None
    except (csv.Error, pa.ArrowException):
        raise ConfigurationError(
            f"the list {source.name} is neither text nor CSV nor Parquet",
            "Save it as one of those",
        ) from None


def _parquet(file: BinaryIO, column: str | None) -> Iterator[tuple[int, str]]:
    parquet = pq.ParquetFile(file)
    names = parquet.schema_arrow.names
    index = _named(names, column)
    if index is None:
        if column is not None:
            raise _unclear(column)
        index = 0 if len(names) == 1 else _only_numbers(_first_row(parquet))
    row = 0
    for piece in parquet.iter_batches(_ROWS_AT_ONCE, columns=[names[index]]):
        for value in piece.column(0).to_pylist():
            row += 1
            if value is not None:
                yield row, _digits(value)


def _first_row(parquet: pq.ParquetFile) -> list[str]:
    for piece in parquet.iter_batches(1):
        return [_digits(column[0].as_py()) for column in piece.columns]
    return []


def _digits(value: object) -> str:
    """A value as the digits that it stands for: as a number, it has lost its leading zero."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float | Decimal) and value == value // 1:
        value = int(value)
    return f"{value:011d}" if isinstance(value, int) else str(value)


def written_number(text: str) -> str:
    """An entry as the eleven digits that were meant, where spreadsheets and people write it so.

    With blanks or a hyphen in it, marked as text (``="…"``, ``'…``), as a decimal (``….0``), or
    without its leading zero. The control digits tell whether the guess is right.
    """
    digits = _MARKS.sub("", text)
    return f"0{digits}" if _LOST_ZERO.fullmatch(digits) else digits


def _text(file: BinaryIO, column: str | None) -> Iterator[tuple[int, str]]:
    with io.TextIOWrapper(file, _encoding(file), errors="replace", newline="") as lines:
        first = lines.readline()
        told = _SEPARATOR.fullmatch(first)
        if told is None:
            lines.seek(0)
        delimiter = told.group(1) if told else max(_DELIMITERS, key=first.count)
        before = 0 if told is None else 1
        rows = csv.reader(lines, delimiter=delimiter)
        index: int | None = None
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if index is None:
                index, is_header = _find_column(row, column)
                if is_header:
                    continue
            yield before + rows.line_num, row[index] if index < len(row) else ""


def _encoding(file: BinaryIO) -> str:
    """UTF-8 if the file begins so, or UTF-16 with its mark; else what old systems write."""
    beginning = file.read(1 << 20)
    file.seek(0)
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _find_column(row: Sequence[str], column: str | None) -> tuple[int, bool]:
    """The column with the numbers, by the first row, and whether that row is a header."""
    named = _named(row, column)
    if named is not None:
        return named, True
    if column is not None:
        raise _unclear(column)
    if len(row) == 1:
        return 0, not _DIGIT.search(row[0])
    return _only_numbers(row), False


def _only_numbers(row: Sequence[str]) -> int:
    """The only column with an identity number in this row."""
    numbers = [index for index, cell in enumerate(row) if _is_number(cell)]
    if len(numbers) != 1:
        raise _unclear(None)
    return numbers[0]


def _named(names: Sequence[str], column: str | None) -> int | None:
    wanted = _KNOWN if column is None else {_plain(column)}
    found = [index for index, name in enumerate(names) if _plain(name) in wanted]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.casefold().translate(_LETTERS))


def _is_number(cell: str) -> bool:
    try:
        parse(written_number(cell))
    except ValueError:
        return False
    return True


def _unclear(column: str | None) -> ConfigurationError:
    if column is not None:
        return ConfigurationError("the list has no column of that name", "Correct --column")
    return ConfigurationError(
        "it is not clear which column of the list holds the identity numbers",
        "Name it: --column NAME",
    )
