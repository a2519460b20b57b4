"""A question differs from another by every field of it, and says by which."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from freg_pipeline.client import SoekKriterier, TilpassetKriterier
from freg_pipeline.extract.treff import Search
from freg_pipeline.journal.kinds import (
    AnyKind,
    Hendelser,
    Kind,
    Komplett,
    Liste,
    Soek,
    Tilpasset,
)
from freg_pipeline.journal.question import Question
from freg_pipeline.settings import load
from freg_pipeline_tests.asked import OTHER_CRITERIA, SOME

KINDS: list[AnyKind] = [
    Komplett(),
    Tilpasset(SOME),
    Liste(2, "aa"),
    Soek(("navn",), "aa"),
    Hendelser(100, "one"),
]
OTHER: dict[str, Any] = {
    "environment": "konsumenttest",
    "base_url": "http://user:secret@127.0.0.1",
    "rettighetspakke": "privat",
    "parts": ("navn",),
    "form": "xml",
}
OF_A_KIND: dict[type[Kind], dict[str, Any]] = {
    Komplett: {"feedsekvensnr": 7},
    Tilpasset: {
        "kriterier": TilpassetKriterier(personstatustyper=("doed",)),
    },
    Liste: {"antall": 3, "sha256": "bb"},
    Soek: {"kriterier": ("adressenavn",), "sha256": "bb"},
    Hendelser: {"etter": 200, "base": "two"},
}


def question(kind: AnyKind = KINDS[0]) -> Question:
    return Question.of(kind, load(), "http://127.0.0.1")


def test_the_cases_are_all_there_are() -> None:
    assert OTHER.keys() | {"kind"} == set(Question.__struct_fields__)
    assert {type(kind) for kind in KINDS} == set(Kind.__subclasses__()) == OF_A_KIND.keys()
    for kind, others in OF_A_KIND.items():
        assert others.keys() == set(kind.__struct_fields__)
    assert OTHER_CRITERIA.keys() == set(TilpassetKriterier.__struct_fields__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_it_is_read_back_as_it_was(kind: AnyKind) -> None:
    put = question(kind)
    assert msgspec.json.decode(msgspec.json.encode(put), type=Question) == put
    assert put.differences(put) == []


@pytest.mark.parametrize("field", OTHER)
def test_every_setting_counts(field: str) -> None:
    one = question()
    other = msgspec.structs.replace(one, **{field: OTHER[field]})
    assert other != one
    (said,) = one.differences(other)
    assert said.startswith("FREG_"), "by the name under which it is set"
    assert "secret" not in said


@pytest.mark.parametrize("now", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("then", KINDS, ids=lambda kind: kind.name)
def test_every_kind_is_another(then: AnyKind, now: AnyKind) -> None:
    expected = [] if then is now else [f"kind was {then.name} and is {now.name} now"]
    assert question(then).differences(question(now)) == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_of_a_kind_counts(kind: AnyKind) -> None:
    for field, value in OF_A_KIND[type(kind)].items():
        other: AnyKind = msgspec.structs.replace(kind, **{field: value})
        assert question(other) != question(kind), field
        (said,) = question(kind).differences(question(other))
        assert "aa" not in said
        assert "bb" not in said


@pytest.mark.parametrize("name", OTHER_CRITERIA)
def test_every_criterion_counts(name: str) -> None:
    other = msgspec.structs.replace(SOME, **{name: OTHER_CRITERIA[name]})
    (said,) = question(Tilpasset(SOME)).differences(question(Tilpasset(other)))
    assert said.startswith(name.split("_")[0])


def test_what_is_said_twice_or_in_another_order_is_the_same_question() -> None:
    settings = load(parts="navn,foedsel,navn")
    assert question().under(settings) == question().under(load(parts="foedsel,navn"))


def test_a_search_tells_which_criteria_and_none_of_their_values() -> None:
    kinds = [
        Search(SoekKriterier(navn=name, foedselsdato="19800101")).kind for name in ("Ås", "Bø")
    ]
    assert kinds[0].kriterier == ("foedselsdato", "navn")
    assert question(kinds[0]).differences(question(kinds[1])) == ["its content differs"]
    assert "Bø" not in str(kinds)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_whose_release_may_be_replaced(kind: AnyKind) -> None:
    """Everyone by everyone and a list by the next, however they differ; else the same ones only."""
    for field, value in OF_A_KIND[type(kind)].items():
        other: AnyKind = msgspec.structs.replace(kind, **{field: value})
        assert kind.has_persons_of(other) == isinstance(kind, Komplett | Liste)
    assert [one for one in KINDS if kind.has_persons_of(one)] == [kind]
