"""Which parts are asked for: those that are landed, and the least that tells persons apart."""

from __future__ import annotations

import pytest

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.extract.parts import COMPOSITES, choose, entities, everything, is_landed
from freg_pipeline_tests.contracts import PERSON_XSD, published


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_contract(published(PERSON_XSD))


def test_none_configured_means_all_and_that_tells_persons_apart(plan: Plan) -> None:
    parts = choose((), plan)
    assert parts.landed == everything(plan) == (*COMPOSITES, *plan.entities)
    assert parts.apart == ()


@pytest.mark.parametrize(
    ("configured", "apart"),
    [
        (("navn",), ("identifikasjonsnummer", "historikk")),
        (("person-basis",), ("identifikasjonsnummer", "historikk")),
        (("identifikasjonsnummer",), ("identifikasjonsnummer", "historikk")),
        (("navn", "historikk"), ("identifikasjonsnummer",)),
        (("person-basis", "historikk"), ("identifikasjonsnummer",)),
        (("identifikasjonsnummer", "historikk"), ()),
    ],
)
def test_the_numbers_of_before_are_asked_for_beside_what_is_configured(
    plan: Plan, configured: tuple[str, ...], apart: tuple[str, ...]
) -> None:
    parts = choose(configured, plan)
    assert (parts.landed, parts.apart) == (configured, apart)


def test_history_alone_is_that_of_what_comes_when_nothing_is_named(plan: Plan) -> None:
    assert choose(("historikk",), plan).landed == ("person-basis", "historikk")


def test_what_is_refused_is_neither_landed_nor_asked_for_beside_it(plan: Plan) -> None:
    parts = choose((), plan, ["forholdTilSametingetsValgmanntall"])
    assert set(everything(plan)) - set(parts.landed) == {"forholdTilSametingetsValgmanntall"}
    assert choose(("navn",), plan, ["historikk"]).apart == ("identifikasjonsnummer",)
    assert choose(("navn",), plan, ["identifikasjonsnummer"]).apart == ()


def test_a_part_named_twice_is_asked_for_once(plan: Plan) -> None:
    assert choose(("navn", "status", "navn"), plan).landed == ("navn", "status")


def test_composites_give_their_entities_and_names_themselves(plan: Plan) -> None:
    assert entities(["navn", "relasjon-utvidet", "historikk"]) == {
        "navn", "familierelasjon", "foreldreansvar", "vergemaalEllerFremtidsfullmakt",
    }  # fmt: skip
    assert {entity for given in COMPOSITES.values() for entity in given} <= set(plan.entities)


def test_of_an_event_only_what_was_asked_for_is_landed() -> None:
    asked = ("navn", "person-basis")
    assert is_landed("postadresse", asked, asked)
    assert is_landed("kontaktadresse", asked, asked)
    assert is_landed("Navn", asked, asked), "some begin with a capital letter in events"
    assert is_landed("Kontaktadresse", asked, asked)
    assert not is_landed("kontaktadresse", ("navn",), ("navn",))
    assert not is_landed("noeNytt", asked, asked)
    assert not is_landed(None, asked, asked)
    assert is_landed("noeNytt", (), asked)
    assert is_landed(None, (), asked)
