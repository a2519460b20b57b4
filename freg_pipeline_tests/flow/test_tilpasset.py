"""A tilpasset uttrekk gives exactly those whom a query of the full load finds."""

from __future__ import annotations

from contextlib import closing

import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.journal.releases import read_manifest
from freg_pipeline.lake.query import connect, query
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import open_store
from freg_pipeline_tests.loads import full_load

# The criteria, and the same question of the full load's tables.
CASES = {
    "bosatt in Oslo": (
        {"personstatustyper": ("bosatt",), "bostedskommunenummer": "0301"},
        "status.status = 'bosatt' AND '0301' IN (bosted.vegadresse_kommunenummer, "
        "bosted.matrikkeladresse_matrikkelnummer_kommunenummer, "
        "bosted.ukjent_bosted_bostedskommune)",
    ),
    "women born in the fifties": (
        {
            "personstatustyper": ("bosatt", "doed", "utflyttet"),
            "foedselsaar_fra_og_med": "1950",
            "foedselsaar_til_og_med": "1959",
            "kjoenn": "kvinne",
        },
        "status.status IN ('bosatt', 'doed', 'utflyttet') AND kjoenn.kjoenn = 'kvinne' "
        "AND foedsel.foedselsaar BETWEEN 1950 AND 1959",
    ),
    "active ones, of the kinds that aktiv covers": (
        {"personstatustyper": ("aktiv",)},
        "status.status IN "
        "('aktiv', 'midlertidig', 'ikkeBosatt', 'forsvunnet', 'foedselsregistrert')",
    ),
    "the dead of some years": (
        {"personstatustyper": ("doed",), "doedsaar_fra_og_med": "2010"},
        "status.status = 'doed' AND year(doedsfall.doedsdato) >= 2010",
    ),
    "divorced": (
        {"personstatustyper": ("bosatt",), "sivilstandstype": "skilt"},
        "status.status = 'bosatt' AND sivilstand.sivilstand = 'skilt'",
    ),
}
FROM = " ".join(
    f"LEFT JOIN (FROM {table} WHERE er_gjeldende) {name} USING (personidentifikator)"
    for table, name in [
        ("status", "status"),
        ("bostedsadresse", "bosted"),
        ("kjoenn", "kjoenn"),
        ("foedsel", "foedsel"),
        ("doedsfall", "doedsfall"),
        ("sivilstand", "sivilstand"),
    ]
)


@pytest.fixture(scope="module")
def loaded(small_register: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store that holds the full load as its first release."""
    store = str(tmp_path_factory.mktemp("store"))
    settings = load(base_url=small_register, store=store, poll_seconds=0.02)
    assert full_load(settings).number == "000001"
    return settings


@pytest.mark.parametrize("case", CASES)
def test_the_selection_is_what_the_full_load_says(case: str, loaded: Settings) -> None:
    criteria, condition = CASES[case]
    store = open_store(loaded)
    with closing(connect(store, read_manifest(store, "000001"), states=False)) as full:
        expected = full.execute(
            f"SELECT DISTINCT personidentifikator FROM person {FROM} WHERE {condition} ORDER BY 1"
        ).fetchall()
    assert expected, "the population has nobody to find: the case shows nothing"

    manifest = full_load(loaded, TilpassetKriterier(**criteria), allow_other_kind=True)

    found = query(store, "SELECT personidentifikator FROM person ORDER BY 1").fetchall()
    assert found == expected
    assert manifest.accounting.unexplained == 0


def test_merged_persons_come_once_and_their_other_number_is_told(loaded: Settings) -> None:
    everyone = TilpassetKriterier(
        personstatustyper=("aktiv", "bosatt", "utflyttet", "doed", "inaktiv")
    )
    manifest = full_load(loaded, everyone, allow_other_kind=True)

    assert manifest.accounting.merged > 0, "the register delivers old and current numbers"
    rows = query(
        open_store(loaded),
        "SELECT count(*) FROM avvik JOIN person ON gikk_til = personidentifikator "
        "WHERE utfall = 'sammenslaatt'",
    ).fetchall()
    assert rows == [(manifest.accounting.merged,)]
    twice = "SELECT count(*) - count(DISTINCT personidentifikator) FROM person"
    assert query(open_store(loaded), twice).fetchall() == [(0,)]


def test_a_selection_that_nobody_meets_is_an_empty_release(loaded: Settings) -> None:
    nobody = TilpassetKriterier(personstatustyper=("bosatt",), bostedskommunenummer="9999")
    manifest = full_load(loaded, nobody, allow_other_kind=True)
    assert manifest.accounting.delivered == 0
    assert query(open_store(loaded), "SELECT count(*) FROM navn").fetchall() == [(0,)]
