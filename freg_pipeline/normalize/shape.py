"""What a document looks like on the wire, by the contract: for the Arrow reader and for the check.

Dates, times and years are read as strings and cast afterwards, all rows at once: the JSON reader's
own conversion takes a time without offset for UTC.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa

from freg_pipeline.contract import Field, Kind, Plan, Structure

_ARROW = {Kind.BOOLEAN: pa.bool_(), Kind.INTEGER: pa.int64(), Kind.FLOAT: pa.float64()}
_PYTHON: dict[Kind, type] = {Kind.BOOLEAN: bool, Kind.INTEGER: int, Kind.FLOAT: float}


def answer_schema(plan: Plan, *, entities_as_lists: bool = False) -> pa.Schema:
    """The Arrow schema of a bulk answer: one row an answer, ``oppslag`` a list of structs.

    Args:
        plan: the contract's plan.
        entities_as_lists: every entity is a list, whatever the contract says of its cardinality.
    """
    person = pa.struct(
        [
            pa.field(field.name, _entity_type(field, always_list=entities_as_lists))
            for field in plan.contract.structure.fields
        ]
    )
    oppslag = pa.struct(
        [
            ("foedselsEllerDNummer", pa.string()),
            ("dokumentidentifikator", pa.string()),
            ("folkeregisterperson", person),
            ("feilmelding", pa.struct([("feilmelding", pa.string())])),
        ]
    )
    return pa.schema([("oppslag", pa.list_(oppslag))])


def strict_document(plan: Plan) -> type[msgspec.Struct]:
    """A type that takes exactly the documents that the contract describes, and no unknown field."""
    names: dict[str, int] = {}
    return _struct(plan.contract.structure, names)


def _entity_type(field: Field, *, always_list: bool) -> pa.DataType:
    if isinstance(field.type, Structure):
        row = _arrow_struct(field.type)
    else:
        row = _ARROW.get(field.type.kind, pa.string())
    return pa.list_(row) if field.repeated or always_list else row


def _arrow_struct(structure: Structure) -> pa.DataType:
    return pa.struct(
        [pa.field(f.name, _entity_type(f, always_list=False)) for f in structure.fields]
    )


def _struct(structure: Structure, names: dict[str, int]) -> type[msgspec.Struct]:
    number = names[structure.name] = names.get(structure.name, 0) + 1
    return msgspec.defstruct(
        f"{structure.name or 'Structure'}{number}",
        [(field.name, _python(field, names), None) for field in structure.fields],
        forbid_unknown_fields=True,
    )


def _python(field: Field, names: dict[str, int]) -> Any:
    if isinstance(field.type, Structure):
        value: Any = _struct(field.type, names)
    else:
        value = _PYTHON.get(field.type.kind, str)
    return list[value] | None if field.repeated else value | None
