"""Lists of identity numbers as people have them: text, CSV from anywhere, Parquet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.liste import _read
from freg_pipeline.extract.listfile import read_list, written_number
from freg_pipeline.journal.keptout import NOBODY
from freg_pipeline_tests.unit.test_identifiers import VALID

A, B = "03851598730", "41819077906"


def texts(content: bytes | str, folder: Path, column: str | None = None) -> list[tuple[int, str]]:
    file = folder / "list"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_list(file, column))


def parquet(folder: Path, column: str | None = None, **columns: Any) -> list[tuple[int, str]]:
    file = folder / "list.parquet"
    pq.write_table(pa.table(columns), file)
    return list(read_list(file, column))


@pytest.mark.parametrize(
    "content",
    [
        f"{A}\n{B}",
        f"{A}\r\n{B}\r\n",
        f"\ufeff{A}\n{B}\n",
        f'"{A}"\n"{B}"\n',
        f"{A};Rød;1\n{B};Fjell;2\n",
        f"Rød,{A}\nFjell,{B}\n",
        f"1\t{A}\n2\t{B}\n",
    ],
)
def test_one_a_line_and_csv_without_a_header(content: str, tmp_path: Path) -> None:
    assert texts(content, tmp_path) == [(1, A), (2, B)]


@pytest.mark.parametrize(
    "header",
    ["fnr", "Fødselsnummer", "foedselsEllerDNummer", "FNR/DNR", "personidentifikator",
     "navn;Fødselsnummer", "avdeling;fnr;navn", '"navn";"FNR"'],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_headers_that_people_use(header: str, encoding: str, tmp_path: Path) -> None:
    names = header.split(";")
    place = next(i for i, name in enumerate(names) if "navn" not in name and "avd" not in name)
    row = ["Åse"] * len(names)
    rows = [[*row[:place], number, *row[place + 1 :]] for number in (A, B)]
    content = "\n".join([header, *(";".join(cells) for cells in rows)])
    assert texts(content.encode(encoding), tmp_path) == [(2, A), (3, B)]


def test_a_column_by_name(tmp_path: Path) -> None:
    content = f"mor;barn\n{A};{B}\n"
    assert texts(content, tmp_path, "barn") == [(2, B)]
    assert parquet(tmp_path, "barn", mor=[A], barn=[B]) == [(1, B)]
    with pytest.raises(ConfigurationError, match="no column of that name"):
        texts(content, tmp_path, "far")


def test_two_columns_that_could_be_meant_are_not_guessed_between(tmp_path: Path) -> None:
    for content in (f"{A};{B}\n", f"mor;barn\n{A};{B}\n", "fnr;dnr\n1;2\n"):
        with pytest.raises(ConfigurationError, match="--column") as caught:
            texts(content, tmp_path)
        assert A not in str(caught.value)
    with pytest.raises(ConfigurationError, match="--column"):
        parquet(tmp_path, mor=[A], barn=[B])


def test_lines_are_counted_as_they_stand_in_the_file(tmp_path: Path) -> None:
    content = f'navn;fnr\n"to\nlinjer";{A}\n\n;;\nkort\nx;{B}\n'
    assert texts(content, tmp_path) == [(3, A), (6, ""), (7, B)]


def test_parquet_of_any_type(tmp_path: Path) -> None:
    numbers = [int(A), None, int(B)]
    for values in (pa.array(numbers), pa.array([A, None, B]), pa.array(numbers, pa.float64()),
                   pa.array([A, None, B]).dictionary_encode()):  # fmt: skip
        assert parquet(tmp_path, fnr=values, navn=["a", "b", "c"]) == [(1, A), (3, B)]
    assert parquet(tmp_path, whatever=[A]) == [(1, A)]
    for values in (pa.array([A.encode()]), pa.array([Decimal(A)])):
        assert parquet(tmp_path, fnr=values) == [(1, A)]


def test_parquet_without_a_usual_name_takes_the_only_column_with_numbers(tmp_path: Path) -> None:
    assert parquet(tmp_path, a=[1, 2], nummer=[A, B], b=["x", None]) == [(1, A), (2, B)]


@pytest.mark.parametrize("written", ['="{}"', "'{}", "{}.0", " {} ", "\u00a0{}"])
def test_what_spreadsheets_make_of_a_number(written: str, tmp_path: Path) -> None:
    content = "\n".join(["fnr", *(written.format(number) for number in (A, B))])
    taken = [written_number(text) for _, text in texts(content, tmp_path)]
    assert taken == [A, B]


def test_a_leading_zero_that_a_spreadsheet_took_is_put_back(tmp_path: Path) -> None:
    """But only where the control digits say so: 41819077906 without its last digit is no number."""
    taken = _read(tmp_path, [(1, A[1:]), (2, B[:-1]), (3, f"{A[1:]}.0")], NOBODY)
    assert (taken.kind.antall, [line for line, _ in taken.malformed.first]) == (2, [2])


def test_files_as_excel_saves_them(tmp_path: Path) -> None:
    assert texts(f"sep=;\r\nnavn;fnr\r\nÅse, x, y;{A}\r\n", tmp_path) == [(3, A)]
    assert texts(f"navn\tfnr\r\nÅse\t{A}\r\n".encode("utf-16"), tmp_path) == [(2, A)]


@pytest.mark.parametrize("content", [b"PAR1 and then nothing", b'"' + b"x" * 200_000])
def test_what_is_no_list(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="neither text nor CSV nor Parquet"):
        texts(content, tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read: No such file"):
        list(read_list(tmp_path / "nowhere"))


def test_the_registers_vectors_in_a_list(tmp_path: Path) -> None:
    """Those of both rules, D-nummer and test persons go on; the others are told by line."""
    valid = [number for number, *_ in VALID]
    lines = ["20036914712", *valid, "29020105729"]
    taken = _read(tmp_path, enumerate(lines, 1), NOBODY)
    assert taken.kind.antall == len(valid) > 0
    assert taken.malformed.first == [
        (1, "the control digits are wrong"),
        (len(lines), "its first six digits are no date"),
    ]


@given(st.lists(st.sampled_from([A, B, "030856 12345", "x", "12345678901"]), max_size=30))
def test_every_line_is_a_number_or_is_told(lines: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            taken = _read(Path(folder), enumerate(lines, 1), NOBODY)
        except ConfigurationError:
            assert A not in lines
            assert B not in lines
            return
    assert taken.kind.antall == lines.count(A) + lines.count(B)
    assert taken.kind.antall + taken.malformed.count == len(lines)
