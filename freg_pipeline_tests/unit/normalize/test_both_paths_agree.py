"""Plain documents go through machine code, odd ones are repaired first: the tables are the same.

Documents are generated from the contract, then made odd at random. What the repair says of each is
the measure: the same rows must come of a document whether it was plain enough for the quick path or
not, and the same documents must be put aside.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freg_pipeline.normalize import columns
from freg_pipeline.normalize.repair import NotDecodableError, repaired
from freg_pipeline.normalize.unknown import UnknownFields
from freg_pipeline_tests.answers import Normalized, entity_rows, normalize_answers
from freg_pipeline_tests.unit.normalize.test_every_value_is_found import (
    NUMBER,
    PLAN,
    documents_of_the_contract,
)

FIXED: list[Any] = [
    None, "", " ", [], {}, [None], True, 0, -0.0, 7, 7.5, 1e30, 2**63, -(2**63), "0007", "true",
    "1", "1985", "-0044", "1985Z", "2000-02-30", "1999-12-31+01:00", " 1999-12-31 ",
    "1999-12-31T23:59:59", "1999-12-31T23:59:59.123456789-11:30", "1999-12-31T24:00:00Z",
    "0001-01-02T00:00:00+14:00", "9999-12-30T23:59:59-14:00", "12:00",
    "ÆØÅ\u2028😀\\\"/\n\0", "NaN",
]  # fmt: skip


def made_odd(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A document whose entities may be odd."""
    return {name: odd(value, chance) for name, value in document.items()}


def odd(value: Any, chance: random.Random) -> Any:
    """The value, or something like it that the contract doesn't say."""
    if isinstance(value, dict):
        value = {name: odd(inner, chance) for name, inner in value.items()}
        if chance.random() < 0.05:
            value["ukjent"] = chance.choice([*FIXED, {"dyp": [1, {"a": None}]}])
    if isinstance(value, list):
        value = [odd(inner, chance) for inner in value]
    match chance.randrange(60):
        case 0:
            return [value]
        case 1:
            return value[0] if isinstance(value, list) and value else value
        case 2:
            return chance.choice(FIXED)
        case 3:
            return f" {value}\t" if isinstance(value, str) else str(value)
        case 4:
            return [value, None, value]
        case _:
            return value


def text_of(document: Any, chance: random.Random) -> bytes:
    """JSON in one of its spellings."""
    indent = chance.choice([None, None, 1, "\t"])
    return json.dumps(document, ensure_ascii=chance.random() < 0.5, indent=indent).encode()


def normalized(documents: list[bytes]) -> Normalized:
    names = [f"doc-{index}" for index in range(len(documents))]
    oppslag = b",".join(
        b'{"dokumentidentifikator": "%s", "folkeregisterperson":%s}' % (name.encode(), text)
        for name, text in zip(names, documents, strict=True)
    )
    return normalize_answers(PLAN, [(names, b'{"oppslag": [' + oppslag + b"]}")])


def bags(found: Normalized) -> dict[str, Counter[str]]:
    return {
        table: Counter(repr(sorted(row.items())) for row in rows)
        for table, rows in found.tables.items()
        if table not in {"dokument", "ukjent_felt"}
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(documents_of_the_contract(), min_size=1, max_size=4), st.integers(0, 2**32))
def test_a_document_gives_the_same_rows_whichever_way_it_goes(
    documents: list[dict[str, Any]], seed: int
) -> None:
    chance = random.Random(seed)
    number = {"foedselsEllerDNummer": NUMBER, "status": "iBruk"}
    texts = [
        text_of({"identifikasjonsnummer": [number], **made_odd(one, chance)}, chance)
        for one in documents
    ]
    unknown = UnknownFields()
    mended: list[bytes] = []
    wrong: dict[int, str] = {}
    for index, text in enumerate(texts):
        try:
            mended.append(repaired(text, PLAN.contract.structure, unknown))
        except NotDecodableError as error:
            wrong[index] = error.path
            mended.append(b'"no document"')
    found, expected = normalized(texts), normalized(mended)
    assert {row["dok_nr"]: row.get("sti", "") for row in found.failed} == wrong
    assert bags(found) == bags(expected)
    assert found.unknown == unknown.counts


@pytest.mark.parametrize("lines", ["", [""], [None], ["", "A", None, ""], [], " "])
def test_empty_lines_keep_their_places_whichever_way_they_go(lines: Any) -> None:
    address = {"landkode": "SWE", "adresselinje": lines}
    document = {
        "identifikasjonsnummer": [{"foedselsEllerDNummer": NUMBER}],
        "postadresseIUtlandet": [{"utenlandskAdresseIFrittFormat": address}],
    }
    text = json.dumps(document).encode()
    mended = repaired(text, PLAN.contract.structure, UnknownFields())
    assert bags(normalized([text])) == bags(normalized([mended]))


def test_buffers_grow_in_the_middle_of_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that finds no room is taken back, and read again: no row is lost or doubled."""
    names = [{"fornavn": "A" * (index % 50), "ukjent": index} for index in range(300)]
    languages = [{"spraak": ["a", "b"] * 20} for _ in range(20)]
    number = {"foedselsEllerDNummer": NUMBER, "status": "iBruk"}
    document = {
        "identifikasjonsnummer": [number], "navn": names, "brukAvSamiskSpraak": languages,
    }  # fmt: skip
    texts = [json.dumps(document).encode()] * 5
    usual = normalized(texts)
    for name in ("_FIRST_ROWS", "_FIRST_BYTES", "_FIRST_UNKNOWN"):
        monkeypatch.setattr(columns, name, 1)
    monkeypatch.setattr(columns, "_GROWTH", 1)
    narrow = normalized(texts)
    assert narrow.tables == usual.tables
    assert len(usual.tables["navn"]) == 1500
    assert entity_rows(usual)["bruk_av_samisk_spraak"][0]["spraak"] == ["a", "b"] * 20
    assert usual.unknown == {"navn.ukjent": 1500}
