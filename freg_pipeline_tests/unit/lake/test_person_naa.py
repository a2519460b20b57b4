"""Which of several rows is the current one, and what a person's row is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freg_pipeline.contract import compile_contract
from freg_pipeline.lake.naa import persons_now
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.release import build_release
from freg_pipeline.normalize import Chunk, normalize_batch
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests import slow_views
from freg_pipeline_tests.answers import HENTET, bulk
from freg_pipeline_tests.slow_views import NAA_TABLES, People
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    document,
    local_store,
    number,
    staged_rows,
)

moment = st.sampled_from([None, *(f"20{year}-05-01T10:00:00+02:00" for year in (10, 20, 24))])
grade = st.sampled_from(["ugradert", "klientadresse", "fortrolig", "noeNytt"])


def row(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A row of an entity, current or not, with times or without them."""
    told = st.fixed_dictionaries(
        {
            "erGjeldende": st.sampled_from([True, True, False, None]),
            "gyldighetstidspunkt": moment,
            "ajourholdstidspunkt": moment,
            "opphoerstidspunkt": moment,
            **fields,
        }
    )
    return told.map(lambda row: {name: value for name, value in row.items() if value is not None})


text = st.sampled_from([None, "", "A", "B"])
street = st.fixed_dictionaries(
    {"adressenavn": st.just("Storgata"), "kommunenummer": st.sampled_from(["0301", "1103"])},
    optional={
        "adressekode": st.just("01234"),
        "adressenummer": st.sampled_from(
            [{"husnummer": "1"}, {"husnummer": "2", "husbokstav": "B"}]
        ),
        "bruksenhetsnummer": st.just("H0101"),
        "poststed": st.just({"postnummer": "0150", "poststedsnavn": "OSLO"}),
    },
)
plot = st.fixed_dictionaries(
    {
        "matrikkelnummer": st.fixed_dictionaries(
            {"kommunenummer": st.just("4601"), "gaardsnummer": st.just(12)},
            optional={"bruksnummer": st.just(3), "festenummer": st.just(4)},
        )
    },
    optional={"adressetilleggsnavn": st.just("Nordgard"), "undernummer": st.just(1)},
)
unknown = st.just({"bostedskommune": "5001"})


def rows(most: int, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(row(**fields), max_size=most)


HOMES = st.one_of(
    row(adressegradering=grade, vegadresse=street, grunnkrets=st.just(101)),
    row(adressegradering=grade, matrikkeladresse=plot),
    row(adressegradering=grade, ukjentBosted=unknown),
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "navn": rows(4, fornavn=st.sampled_from("ABC"), etternavn=text, mellomnavn=text),
        "kjoenn": rows(3, kjoenn=st.sampled_from(["kvinne", "mann"])),
        "statsborgerskap": rows(4, statsborgerskap=st.sampled_from(["NOR", "SWE"])),
        "adressebeskyttelse": rows(2, graderingsnivaa=grade),
        "familierelasjon": rows(
            4,
            relatertPerson=st.sampled_from([None, number(7), number(8)]),
            relatertPersonsRolle=st.sampled_from(["mor", "far", "medmor", "barn"]),
        ),
        "bostedsadresse": st.lists(HOMES, max_size=3),
    },
)


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(st.lists(documents, min_size=12, max_size=25))
def test_whatever_rows_a_person_has_the_one_that_counts_is_shown(
    tmp_path_factory: pytest.TempPathFactory, told: list[dict[str, Any]]
) -> None:
    store = local_store(tmp_path_factory.mktemp("naa"))
    people = [(f"d-{index}", document(number(index), **one)) for index, one in enumerate(told)]
    half = len(people) // 2
    build_release(store, deliver(store, "one", people[:half], people[half:], xsd=xsd()))
    with connect(store) as connection:
        there = People(connection, NAA_TABLES)
        expected = [slow_views.person_naa(there, person) for person in there.numbers]
        found = connection.sql("FROM person_naa").to_arrow_table().to_pylist()
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_a_house_and_a_plot_of_the_same_numbers_are_two_dwellings(tmp_path: Path) -> None:
    """Where the register gives no key: number 3 of the street 12, and the plot 12/3."""
    house = {
        "kommunenummer": "0301",
        "adressenavn": "Storgata",
        "adressekode": "12",
        "adressenummer": {"husnummer": "3"},
    }
    plot = {"matrikkelnummer": {"kommunenummer": "0301", "gaardsnummer": 12, "bruksnummer": 3}}
    homes = [{"vegadresse": house}, {"vegadresse": house}, {"matrikkeladresse": plot}]
    people = [
        (f"d-{place}", {**document(number(place), bostedsadresse=[{**home, **_OPEN}]), **_RESIDENT})
        for place, home in enumerate(homes)
    ]
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", people, xsd=xsd()))
    with connect(store) as connection:
        sizes = connection.sql("SELECT antall FROM husstand ORDER BY antall").fetchall()
    assert sizes == [(1,), (2,)]


_OPEN = {"erGjeldende": True, "adressegradering": "ugradert"}
_RESIDENT = {"status": [{"erGjeldende": True, "status": "bosatt"}]}


def test_a_batch_without_documents_has_no_rows(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    deliver(store, "one", [("d", "slettet")], [], xsd=xsd())
    plan = compile_contract(xsd())
    tables = staged_rows(store, "one", 0)
    assert persons_now(tables, plan, ("person-basis",)).num_rows == 0


def test_a_document_that_was_repaired_keeps_its_citizenships(tmp_path: Path) -> None:
    plan, states = compile_contract(xsd()), ["NOR", "SWE", "DNK"]
    documents = [
        document(number(place), statsborgerskap=[{"erGjeldende": True, "statsborgerskap": state}])
        for place, state in enumerate(states)
    ]
    odd = documents[0]["statsborgerskap"][0]
    odd["ajourholdstidspunkt"] = "2026-05-01T08:00:00"  # no offset: it is read after the others
    names = [f"d-{place}" for place in range(len(states))]
    chunk = Chunk(0, names, bulk(documents, names), HENTET)
    batch = normalize_batch(iter([chunk]), plan, "dokumentidentifikator", tmp_path)
    found = persons_now(batch.tables, plan, ()).to_pylist()
    assert {one["personidentifikator"]: one["statsborgerskap"] for one in found} == {
        number(place): [state] for place, state in enumerate(states)
    }
