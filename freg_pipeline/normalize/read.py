"""Raw answers -> documents as Arrow structs, each with its place in the batch.

The quick path reads many answers in one call of Arrow's JSON reader, against a schema made from the
contract. Where one answer doesn't fit (an odd type, answers in another order, one missing), that
answer alone goes the slow way: its documents are checked one by one, the odd ones are repaired or
put in quarantine, and the others are read as they came.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from freg_pipeline.contract import Plan
from freg_pipeline.envelope import IdentifierKind, Oppslag, compose, match, parse
from freg_pipeline.normalize.repair import NotDecodableError, repaired
from freg_pipeline.normalize.shape import answer_schema, strict_document
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline.normalize.years import Years

_ENVELOPE = ("foedselsEllerDNummer", "dokumentidentifikator", "folkeregisterperson", "feilmelding")
_KIND: IdentifierKind = "foedselsEllerDNummer"  # for envelopes of our own making; never stored


@dataclass(frozen=True, repr=False)
class Chunk:
    """One answered look-up.

    Attributes:
        first: place in the batch of the first identifier asked for, from 0.
        asked: the identifiers asked for, in order.
        body: the answer as it came, JSON.
        hentet: when it was answered.
    """

    first: int
    asked: Sequence[str]
    body: bytes
    hentet: datetime


@dataclass(frozen=True)
class Frame:
    """Documents that were read together.

    Attributes:
        documents: struct array, one document each, none null.
        dok_nr: their places in the batch.
    """

    documents: pa.StructArray
    dok_nr: npt.NDArray[np.int32]


@dataclass
class Reading:
    """What came of some chunks: documents, and for the other identifiers the reason.

    Attributes:
        frames: the documents.
        gone: place in the batch -> the register's reason for having no document.
        failed: place in the batch -> (path, reason) for what can't be used.
    """

    frames: list[Frame] = field(default_factory=list)
    gone: dict[int, str] = field(default_factory=dict)
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)


class Reader:
    """Reads answers by one contract. Not to be shared between threads."""

    def __init__(self, plan: Plan, unknown: UnknownFields) -> None:
        self._structure = plan.contract.structure
        self._unknown = unknown
        self._by_contract = _Form(answer_schema(plan))
        self._as_lists = _Form(answer_schema(plan, entities_as_lists=True))
        self._strict = msgspec.json.Decoder(strict_document(plan))
        self._years = Years(plan)

    def read(self, chunks: Sequence[Chunk]) -> Reading:
        """Read the chunks' answers, quickly where they are as the contract says."""
        reading = Reading()
        if not self._read_quickly(chunks, reading):
            for chunk in chunks:
                if len(chunks) == 1 or not self._read_quickly([chunk], reading):
                    self._read_slowly(chunk, reading)
        return reading

    def _read_quickly(self, chunks: Sequence[Chunk], reading: Reading) -> bool:
        bodies = [chunk.body for chunk in chunks]
        self._years.are_numbers_in(bodies[:1])  # seen here, they don't cost a reading in vain
        bodies = self._years.as_text(bodies)
        elements = self._by_contract.read(bodies)
        if elements is None and self._years.are_numbers_in(bodies):
            elements = self._by_contract.read(self._years.as_text(bodies))
        if elements is None:
            return False
        lengths, rows = elements
        if lengths != [len(chunk.asked) for chunk in chunks]:
            return False
        asked = pa.array([number for chunk in chunks for number in chunk.asked], pa.string())
        told = pc.coalesce(rows.field("foedselsEllerDNummer"), rows.field("dokumentidentifikator"))
        if not pc.all(pc.equal(told, asked)).as_py():  # nulls are left out: by order, then
            return False
        places = np.concatenate(
            [np.arange(c.first, c.first + len(c.asked), dtype=np.int32) for c in chunks]
        )
        self._sort_out(rows, places, self._by_contract, reading)
        return True

    def _sort_out(
        self, rows: pa.StructArray, places: npt.NDArray[np.int32], form: _Form, reading: Reading
    ) -> None:
        """Documents into a frame; the others' reasons into the reading."""
        persons = rows.field("folkeregisterperson")
        there = persons.is_valid().to_numpy(zero_copy_only=False)
        if not there.all():
            reasons = rows.field("feilmelding").filter(pa.array(~there))
            for place, reason in zip(places[~there].tolist(), reasons.to_pylist(), strict=True):
                if reason is None:
                    reading.failed[place] = ("", "ikke besvart")
                else:
                    reading.gone[place] = reason["feilmelding"] or "uten forklaring"
            persons = persons.filter(pa.array(there))
        self._unknown.add_difference("", persons, form.person)
        self._tell_unknown_envelope(rows)
        if len(persons):
            reading.frames.append(Frame(persons, places[there]))

    def _tell_unknown_envelope(self, rows: pa.StructArray) -> None:
        for index, member in enumerate(rows.type):
            if member.name not in _ENVELOPE:
                self._unknown.add_array(f"oppslag.{member.name}", rows.field(index))

    def _read_slowly(self, chunk: Chunk, reading: Reading) -> None:
        try:
            answers = match(chunk.asked, parse(chunk.body))
        except ValueError as error:
            for offset in range(len(chunk.asked)):
                reading.failed[chunk.first + offset] = ("", str(error))
            return
        plain: dict[int, bytes] = {}
        mended: dict[int, bytes] = {}
        for offset, answer in enumerate(answers):
            place = chunk.first + offset
            if answer is None or (answer.person is None and answer.feilmelding is None):
                reading.failed[place] = ("", "ikke besvart")
            elif answer.person is None:
                reading.gone[place] = answer.feilmelding or "uten forklaring"
            elif self._is_strict(answer.person):
                plain[place] = answer.person
            else:
                self._mend(place, answer.person, mended, reading)
        self._read_documents(plain, mended, reading)

    def _is_strict(self, person: bytes) -> bool:
        try:
            self._strict.decode(person)
        except msgspec.ValidationError:
            return False
        return True

    def _mend(self, place: int, person: bytes, mended: dict[int, bytes], reading: Reading) -> None:
        try:
            document = repaired(msgspec.json.decode(person), self._structure, self._unknown)
        except NotDecodableError as error:
            reading.failed[place] = (error.path, error.reason)
        else:
            mended[place] = msgspec.json.encode(document)

    def _read_documents(
        self, plain: dict[int, bytes], mended: dict[int, bytes], reading: Reading
    ) -> None:
        if plain and not self._read_form(plain, self._by_contract, reading):
            # Arrow is stricter than the check (a number such as 1.0 for an integer, say).
            for place, person in plain.items():
                self._mend(place, person, mended, reading)
        if mended and not self._read_form(mended, self._as_lists, reading):
            for place, person in mended.items():
                if not self._read_form({place: person}, self._as_lists, reading):
                    reading.failed[place] = ("", "dokumentet kan ikke leses")

    def _read_form(self, persons: dict[int, bytes], form: _Form, reading: Reading) -> bool:
        body = compose((Oppslag(None, person, None) for person in persons.values()), _KIND)
        elements = form.read([body])
        if elements is None or elements[0] != [len(persons)]:
            return False
        self._sort_out(elements[1], np.array(list(persons), dtype=np.int32), form, reading)
        return True


class _Form:
    """One Arrow schema to read answers by."""

    def __init__(self, schema: pa.Schema) -> None:
        self.person: pa.DataType = schema.field("oppslag").type.value_type[2].type
        self._parse = pyarrow.json.ParseOptions(
            explicit_schema=schema,
            newlines_in_values=True,
            unexpected_field_behavior="infer",
        )

    def read(self, bodies: Sequence[bytes]) -> tuple[list[int], pa.StructArray] | None:
        """Each body's number of elements, and all elements; None: they don't fit the schema."""
        text = b"\n".join(bodies)
        options = pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1)
        try:
            table = pyarrow.json.read_json(
                io.BytesIO(text), read_options=options, parse_options=self._parse
            )
        except pa.ArrowInvalid:
            return None
        column = table.column("oppslag").combine_chunks()
        if len(column) != len(bodies) or table.num_columns != 1:
            return None
        if isinstance(column, pa.ChunkedArray):  # no body at all
            return None
        return pc.fill_null(pc.list_value_length(column), 0).to_pylist(), column.flatten()


def groups(chunks: Iterator[Chunk], size: int) -> Iterator[list[Chunk]]:
    """``size`` chunks at a time: enough rows for each column's fixed costs to vanish."""
    group: list[Chunk] = []
    for chunk in chunks:
        group.append(chunk)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def struct_of(values: pa.Array, name: str) -> pa.StructArray:
    """Single values as structs of one field, so that every entity's rows are structs."""
    if pa.types.is_struct(values.type):
        return values
    return pa.StructArray.from_arrays([values], [name])
