"""A tilpasset uttrekk gives exactly those whom a query of the full load finds."""

from __future__ import annotations

import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.journal.kinds import Tilpasset
from freg_pipeline.journal.releases import read_manifest
from freg_pipeline.lake.query import connect, query
from freg_pipeline.orchestration.config import ReleaseConfig
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.settings import load

# The criteria, and the same question of the full load's tables.
AGREED = ReleaseConfig(allow_other_kind=True)
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
def loaded(small_register: str, tmp_path_factory: pytest.TempPathFactory) -> Freg:
    """A store that holds the full load as its first release."""
    store = str(tmp_path_factory.mktemp("store"))
    freg = Freg.from_settings(load(base_url=small_register, store=store, poll_seconds=0.02))
    assert run_uttrekk(freg).number == "000001"
    return freg


@pytest.mark.parametrize("case", CASES)
def test_the_selection_is_what_the_full_load_says(case: str, loaded: Freg) -> None:
    criteria, condition = CASES[case]
    full = connect(loaded.store, read_manifest(loaded.store, "000001"))
    expected = full.sql(
        f"SELECT DISTINCT personidentifikator FROM person {FROM} WHERE {condition} ORDER BY 1"
    ).fetchall()
    assert expected, "the population has nobody to find: the case shows nothing"

    manifest = run_uttrekk(loaded, Tilpasset(TilpassetKriterier(**criteria)), release=AGREED)

    found = query(loaded.store, "SELECT personidentifikator FROM person ORDER BY 1").fetchall()
    assert found == expected
    assert manifest.accounting.unexplained == 0


def test_merged_persons_come_once_and_their_other_number_is_told(loaded: Freg) -> None:
    everyone = TilpassetKriterier(
        personstatustyper=("aktiv", "bosatt", "utflyttet", "doed", "inaktiv")
    )
    manifest = run_uttrekk(loaded, Tilpasset(everyone), release=AGREED)

    assert manifest.accounting.merged > 0, "the register delivers old and current numbers"
    rows = query(
        loaded.store,
        "SELECT count(*) FROM avvik JOIN person ON gikk_til = personidentifikator "
        "WHERE utfall = 'sammenslaatt'",
    ).fetchall()
    assert rows == [(manifest.accounting.merged,)]
    twice = "SELECT count(*) - count(DISTINCT personidentifikator) FROM person"
    assert query(loaded.store, twice).fetchall() == [(0,)]


def test_a_selection_that_nobody_meets_is_an_empty_release(loaded: Freg) -> None:
    nobody = TilpassetKriterier(personstatustyper=("bosatt",), bostedskommunenummer="9999")
    manifest = run_uttrekk(loaded, Tilpasset(nobody), release=AGREED)
    assert manifest.accounting.delivered == 0
    assert query(loaded.store, "SELECT count(*) FROM navn").fetchall() == [(0,)]
