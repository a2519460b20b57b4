"""Whatever a document of the contract holds is found again in the tables, and nothing else.

Documents are generated from the compiled contract; where their values must be found is worked out
here by walking the document, value by value, without any of the code under test.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freg_pipeline.contract import (
    Field,
    Plan,
    Simple,
    Structure,
    ValueKind,
    compile_contract,
    snake_case,
)
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.answers import Rows, entity_rows, normalize

PLAN: Plan = compile_contract(xsd())
NUMBER = "41819077906"

_offsets = st.sampled_from([-300, 0, 60, 120, 345]).map(lambda m: timezone(timedelta(minutes=m)))
_moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=_offsets)  # noqa: DTZ001
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_VALUES: dict[ValueKind, st.SearchStrategy[Any]] = {
    ValueKind.STRING: _text,
    ValueKind.CODE: _text,
    ValueKind.BOOLEAN: st.booleans(),
    ValueKind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    ValueKind.DATE: st.dates(date(1850, 1, 1), date(2100, 1, 1)).map(date.isoformat),
    ValueKind.DATETIME: _moments.map(datetime.isoformat),
    ValueKind.YEAR: st.integers(1850, 2100).map(str),
}


def _values(field: Field) -> st.SearchStrategy[Any]:
    if isinstance(field.type, Simple):
        codes = field.type.codes
        one = st.sampled_from(codes) | _text if codes else _VALUES[field.type.kind]
    else:
        one = _structures(field.type)
    return st.lists(one, min_size=1, max_size=2) if field.repeated else one


@cache
def _structures(structure: Structure) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={f.name: _values(f) for f in structure.fields})


def documents_of_the_contract() -> st.SearchStrategy[dict[str, Any]]:
    """Any documents of the contract, without whom they are about."""
    fields = {f.name: f for f in PLAN.contract.structure.fields}
    del fields["identifikasjonsnummer"]
    some = st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=5)
    return some.flatmap(lambda names: st.fixed_dictionaries({n: _values(fields[n]) for n in names}))


def _expected(document: dict[str, Any]) -> dict[str, Rows]:
    """Where each value must be: by the rules of the design, one value at a time."""
    tables: dict[str, Rows] = {}
    for field in PLAN.contract.structure.fields:
        rows = document.get(field.name)
        if rows is not None:
            assert isinstance(field.type, Structure)
            for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
                keys = {"personidentifikator": NUMBER, "rad_nr": index}
                _walk(tables, snake_case(field.name), field.type, keys, row)
    return tables


def _walk(
    tables: dict[str, Rows], name: str, structure: Structure, keys: dict[str, Any], row: Any
) -> None:
    flat = dict(keys)
    tables.setdefault(name, []).append(flat)
    pending = [("", structure, row)]
    while pending:
        prefix, shape, values = pending.pop()
        for field in shape.fields:
            value = values.get(field.name)
            if value is None or (value == "" and isinstance(field.type, Simple)):
                continue
            column = prefix + snake_case(field.name)
            if isinstance(field.type, Simple):
                kind = field.type.kind
                flat[column] = (
                    [_cell(kind, v) for v in value] if field.repeated else _cell(kind, value)
                )
            elif field.repeated:
                for index, inner in enumerate(value):
                    below = {**keys, "element_nr": index}
                    _walk(tables, f"{name}__{snake_case(field.name)}", field.type, below, inner)
            else:
                pending.append((column + "_", field.type, value))


def _cell(kind: ValueKind, value: Any) -> Any:
    if kind is ValueKind.DATETIME:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    if kind is ValueKind.YEAR:
        return int(value)
    return None if value == "" else value


def _bag(rows: Rows) -> Counter[str]:
    return Counter(repr(sorted(row.items())) for row in rows)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(documents_of_the_contract(), min_size=1, max_size=3))
def test_every_value_of_every_document_is_found_where_it_belongs(
    documents: list[dict[str, Any]],
) -> None:
    numbers = {"foedselsEllerDNummer": NUMBER, "status": "iBruk"}
    whole = [{"identifikasjonsnummer": [numbers], **document} for document in documents]
    found = normalize(PLAN, whole)
    assert found.failed == []
    assert found.unknown == {}
    expected: dict[str, Rows] = {}
    for document in whole:
        for table, rows in _expected(document).items():
            expected.setdefault(table, []).extend(rows)
    landed = entity_rows(found)
    assert landed.keys() == expected.keys()
    for table, rows in expected.items():
        assert _bag(landed[table]) == _bag(rows), table
