"""The decoder on answers made wrong at random: ``python -m freg_pipeline_tests.fuzz.decoder``.

The answer's last byte, and that of every buffer that is written to, lie before a page that can't be
touched. What is read of an answer is compared with a walk over it by other means. It runs in a
process of its own, which notes the seed before each answer: so a crash is told with what made it.
"""

from __future__ import annotations

import argparse
import json
import mmap
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from freg_pipeline.contract import Plan, Simple, Structure, ValueKind
from freg_pipeline.normalize import Chunk, columns
from freg_pipeline.normalize.decoder import Decoder, asked_entries, entries_within
from freg_pipeline.normalize.memory_map import LANDED, OUTCOME, UNKNOWN_HELD
from freg_pipeline.normalize.program import lay_out
from freg_pipeline.normalize.read import Reader
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline_tests.answers import HENTET
from freg_pipeline_tests.fuzz.guard import Answers, guarded_buffer
from freg_pipeline_tests.fuzz.made import PLANS, answer

_DOCUMENT = "folkeregisterperson"
_AT_ONCE = 4_000  # answers read into the same columns


def _columns(plan: Plan) -> columns.Columns:
    return columns.Columns(lay_out(plan))


def run(first: int, count: int) -> str | None:
    """Try ``count`` answers in a process of their own; what went wrong, with the seed, or None."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(8))
        file.flush()
        command = [sys.executable, "-m", "freg_pipeline_tests.fuzz.decoder"]
        ended = subprocess.run(
            [*command, "--seed", str(first), "--answers", str(count), "--note", file.name],
            capture_output=True,
            text=True,
            check=False,
        )
        seed = struct.unpack("<q", Path(file.name).read_bytes())[0]
    if ended.returncode == 0:
        return None
    what = f"signal {-ended.returncode}" if ended.returncode < 0 else ended.stderr[-4000:]
    return f"seed {seed}: {what}"


def read_given(bodies: list[bytes]) -> subprocess.CompletedProcess[str]:
    """Read answers of one's own, each by every contract, in a process of their own."""
    code = "import sys; from freg_pipeline_tests.fuzz import decoder; decoder.read_lines(sys.stdin)"
    lines = "\n".join(body.hex() for body in bodies)
    return subprocess.run(
        [sys.executable, "-c", code], input=lines, capture_output=True, text=True, check=False
    )


def read_lines(lines: Iterable[str]) -> None:
    """Read the answers that lines of hexadecimal digits are."""
    fuzz = Fuzz()
    for line in lines:
        for plan in PLANS:
            for asked in (["a"], ["a", "b"]):
                fuzz.read(plan, asked, bytes.fromhex(line))
                fuzz.read_all(plan, asked, bytes.fromhex(line))


class Fuzz:
    """Reads answers by machine code alone, and by all that reads documents."""

    def __init__(self) -> None:
        columns._buffer = guarded_buffer
        columns._FIRST_ROWS, columns._FIRST_BYTES, columns._FIRST_UNKNOWN = 4, 64, 2
        columns._GROWTH = 2
        self._place = Answers()
        self.landed = 0
        self.begin()

    def begin(self) -> None:
        """With empty columns."""
        self._decoders = {id(plan): Decoder(_columns(plan), UnknownFields()) for plan in PLANS}
        self._readers = {id(plan): Reader(plan, _columns(plan), UnknownFields()) for plan in PLANS}

    def read(self, plan: Plan, asked: list[str], body: bytes) -> None:
        """Read one answer by machine code, and see that what landed is what it says."""
        decoder = self._decoders[id(plan)]
        content = _content(body)
        at, end = self._place.put(content)
        texts = pa.array(asked, pa.string())
        entries = asked_entries(np.arange(len(asked)), texts)
        before = _rows(decoder)
        whole = decoder.read(at, end, entries)
        unknown, decoder.columns.shared[UNKNOWN_HELD] = int(decoder.columns.shared[UNKNOWN_HELD]), 0
        found = _values(decoder, before)
        if not whole:
            assert (found, unknown) == ({}, 0), "taken back, and still there"
            return
        landed = (entries[:, OUTCOME] == LANDED).tolist()
        self.landed += sum(landed)
        try:
            told = json.loads(b"[" + content + b"]", object_pairs_hook=_Object)
        except (ValueError, RecursionError):
            return  # within a field that the contract doesn't know, or outside of documents
        expected: Counter[str] = Counter()
        for entry, is_landed in zip(told, landed, strict=True):
            if is_landed:
                documents = [value for name, value in entry if name == _DOCUMENT]
                document = next(one for one in documents if one is not None)
                _walk(document, plan.contract.structure, (), expected)
        assert found == expected, f"{found} instead of {expected}"

    def read_all(self, plan: Plan, asked: list[str], body: bytes) -> None:
        """Read one answer by all that reads documents: each identifier is accounted for."""
        reading = self._readers[id(plan)].read(Chunk(0, asked, body, HENTET))
        assert len(reading.recorded) == len(asked)
        assert not reading.gone.keys() & reading.failed.keys()


def _content(body: bytes) -> bytes:
    """What machine code is given of an answer: its entries, as far as they go."""
    found = entries_within(body)
    return body[body.find(b"[") + 1 :] if found is None else body[slice(*found)]


class _Object(list[tuple[str, Any]]):
    """A JSON object with all its members, one name twice among them."""


def _rows(decoder: Decoder) -> list[int]:
    return [decoder.columns.rows(table) for table in decoder.layout.tables]


def _values(decoder: Decoder, before: list[int]) -> Counter[str]:
    """Values by column, and rows by table, that have come since."""
    found: Counter[str] = Counter()
    for table, held in zip(decoder.layout.tables, before, strict=True):
        rows = decoder.columns.rows(table) - held
        if rows:
            found[f"rows of {'.'.join(table.table.path)}"] = rows
            for place, spec in enumerate(table.table.columns):
                array = decoder.columns.column(table, place).slice(held)
                path = ".".join((*table.table.path, *spec.path))
                for value in (array.flatten() if spec.repeated else array).drop_null().to_pylist():
                    found[_named(path, value, spec.kind)] += 1
    return found


_COMPARED = {ValueKind.STRING, ValueKind.CODE, ValueKind.INTEGER, ValueKind.BOOLEAN}


def _named(path: str, value: Any, kind: ValueKind) -> str:
    """A column, and the value where that is the same in JSON and in a table."""
    return f"{path} = {str(value).lower()}" if kind in _COMPARED else path


def _walk(value: _Object, structure: Structure, path: tuple[str, ...], found: Counter[str]) -> None:
    """Count the values and rows that a document says, by the contract."""
    fields = {field.name: field for field in structure.fields}
    for name, inner in value:
        field = fields.get(name)
        if field is None or inner is None:
            continue
        below = (*path, name)
        if path and isinstance(field.type, Simple) and field.type.kind is ValueKind.OPAQUE:
            _count(inner, below, found, ValueKind.OPAQUE)  # however many there are
            continue
        many = inner if isinstance(inner, list) and not isinstance(inner, _Object) else [inner]
        for one in many:
            if one is None:
                continue
            if isinstance(field.type, Structure):
                if field.repeated or not path:
                    found[f"rows of {'.'.join(below)}"] += 1
                _walk(one, field.type, below, found)
            elif path:
                _count(one, below, found, field.type.kind)
            else:  # a row that is a single value
                found[f"rows of {name}"] += 1
                _count(one, (name, name), found, field.type.kind)


def _count(value: Any, path: tuple[str, ...], found: Counter[str], kind: ValueKind) -> None:
    if value != "":  # else an empty element
        found[_named(".".join(path), value, kind)] += 1


def _child(first: int, count: int, note: Path) -> None:
    with note.open("r+b") as file, mmap.mmap(file.fileno(), 8) as seed_under_way:
        fuzz = Fuzz()
        for seed in range(first, first + count):
            seed_under_way[:] = struct.pack("<q", seed)
            plan, asked, body = answer(seed)
            fuzz.read(plan, asked, body)
            if seed % 8 == 0:
                fuzz.read_all(plan, asked, body)
            if seed % _AT_ONCE == 0:
                fuzz.begin()
        assert fuzz.landed or count < 100, "no document was read at all"


def main() -> None:
    """Try many answers, some thousands a process, and stop at the first that goes wrong."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--answers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first answer")
    parser.add_argument("--note", type=Path, help=argparse.SUPPRESS)  # a process of its own
    told = parser.parse_args()
    if told.note is not None:
        _child(told.seed, told.answers, told.note)
        return
    started = time.monotonic()
    for done in range(0, told.answers, 50_000):
        wrong = run(told.seed + done, min(50_000, told.answers - done))
        if wrong is not None:
            sys.exit(wrong)
        tried = min(done + 50_000, told.answers)
        print(f"{tried:,} answers, {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
