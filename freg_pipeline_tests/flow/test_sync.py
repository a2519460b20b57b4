"""From the event list to releases, over HTTP: what a full load gives at the same position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.errors import ConfigurationError, IncompleteError, TooOldError
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.landing import load_landed
from freg_pipeline.lake.query import query
from freg_pipeline.lake.verify import verify
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store, open_store
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import fetched, full_load, released, sync
from freg_pipeline_tests.registers import happen, status_of
from freg_pipeline_tests.tables import difference

EVERYONE = TilpassetKriterier(personstatustyper=("aktiv", "bosatt", "utflyttet", "doed", "inaktiv"))


@dataclass(frozen=True)
class Kept:
    """A register, and a store that is kept current with it."""

    url: str
    settings: Settings
    kriterier: TilpassetKriterier | None

    @property
    def store(self) -> Store:
        return open_store(self.settings)

    @property
    def fresh(self) -> Store:
        """A store of its own with a full load of the register as it is now."""
        other = self.settings.model_copy(update={"store": f"{self.settings.store}-fresh"})
        full_load(other, self.kriterier)
        return open_store(other)

    def asked(self, service: str) -> int:
        return int(status_of(self.url)["requests"].get(service, 0))


Keep = Callable[..., Kept]


@pytest.fixture
def keep(start_register: StartRegister, make_settings: Callable[..., Settings]) -> Keep:
    """Load a living register; options are the register's."""

    def load(
        path: str | None = None,
        kriterier: TilpassetKriterier | None = None,
        chosen: dict[str, object] | None = None,
        **options: object,
    ) -> Kept:
        url = start_register(**{"persons": 150, "batch_size": 150, **options})
        address = url.replace("offentlig-med-hjemmel/api", path) if path else url
        kept = Kept(url, make_settings(address, **(chosen or {})), kriterier)
        full_load(kept.settings, kriterier)
        return kept

    return load


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of one page, so that a sync of more than 1,000 events takes several."""
    monkeypatch.setattr("freg_pipeline.feed.pages.MAX_PAGES", 1)


def test_a_sync_gives_what_a_full_load_gives_at_the_same_position(keep: Keep) -> None:
    kept = keep()
    last = happen(kept.url, 300)
    before = kept.asked("personer/bulkoppslag/arkiv")
    (taken,) = sync(kept.settings)

    assert taken.events >= 300 > taken.persons, "each once, however many events"
    assert kept.asked("personer/bulkoppslag/arkiv") == before + 1
    manifest = require_current(kept.store)
    assert (manifest.number, manifest.sekvensnummer) == ("000002", last)
    assert verify(kept.store) == []
    happened = query(
        kept.store,
        "SELECT count(*), count(DISTINCT folkeregisteridentifikator), max(sekvensnummer) "
        "FROM hendelse",
    ).fetchall()
    assert happened == [(taken.events, taken.persons, last)]
    assert _events_with_changes(kept.store) > taken.events / 2
    assert difference(kept.store, kept.fresh) == {}


def _events_with_changes(store: Store) -> int:
    told = "SELECT count(*) FROM hendelse SEMI JOIN hendelse_egenskap USING (sekvensnummer)"
    return int(query(store, told).fetchall()[0][0])


def test_nothing_new_makes_no_release_and_keeps_nothing(keep: Keep) -> None:
    kept = keep()
    happen(kept.url, 20)
    assert len(sync(kept.settings)) == 1
    before = kept.store.list("")
    counted = kept.asked("personer/bulkoppslag/arkiv")
    assert sync(kept.settings) == []
    assert kept.store.list("") == before
    assert kept.asked("personer/bulkoppslag/arkiv") == counted


FAULTS = [
    "unordered=1,arkivliste=1,hendelseobjekt=1",
    # Each so many, so that an order never fails three times in a row.
    "enkeltobjekt=0.3,500=#11,reset=#17,truncated=#19",
]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("faults", FAULTS)
def test_a_backlog_is_taken_in_slices_whatever_the_register_does(faults: str, keep: Keep) -> None:
    kept = keep(faults=faults)
    last = happen(kept.url, 1_300)
    slices = sync(kept.settings)
    assert slices[0].events == 1_000
    assert len(slices) == 2
    manifest = require_current(kept.store)
    assert (manifest.number, manifest.sekvensnummer) == ("000003", last)
    assert manifest.accounting.unexplained == manifest.accounting.failed == 0
    assert difference(kept.store, kept.fresh) == {}


@pytest.mark.usefixtures("small_pages")
def test_a_document_that_is_gone_is_followed_by_a_look_up_by_number(keep: Keep) -> None:
    kept = keep(faults="gone=0.1")
    happen(kept.url, 1_500)
    slices = sync(kept.settings, allow_fewer=True)
    first = slices[0].uttrekk
    kinds = [first.identifier_kind(batch) for batch in first.batches()]
    assert kinds[0] == "dokumentidentifikator"
    assert set(kinds[1:]) == {"foedselsEllerDNummer"}
    by_number = load_landed(kept.store, first.name, len(kinds) - 1)
    assert by_number.outcomes["dokument"] > 0, "those whose current document is there"
    assert require_current(kept.store).accounting.unexplained == 0


def test_answers_in_xml_and_the_list_as_atom_give_the_same(keep: Keep) -> None:
    kept = keep(persons=100, chosen={"answer_format": "xml"})
    happen(kept.url, 100)
    (taken,) = sync(kept.settings)
    assert _events_with_changes(kept.store) > taken.events / 2
    assert difference(kept.store, kept.fresh) == {}


def test_a_kind_of_event_that_nobody_knows_means_to_look_the_person_up(keep: Keep) -> None:
    kept = keep()
    for kind in ("endringINyOpplysning", "personErOppdatert"):
        happen(kept.url, 3, type=kind)
    (taken,) = sync(kept.settings)
    assert taken.persons > 0
    found = query(kept.store, "SELECT DISTINCT hendelsetype FROM hendelse").fetchall()
    assert {("endringINyOpplysning",), ("personErOppdatert",)} <= set(found)
    assert difference(kept.store, kept.fresh) == {}


def test_a_package_without_pointers_looks_up_by_number(keep: Keep) -> None:
    kept = keep("api/offentligutenhjemmel", EVERYONE, {"rettighetspakke": "offentlig-uten-hjemmel"})
    # Not personErOpphoert: whom no selection delivers any more stays in the one that they were in.
    for kind in ("endringINavn", "endringIBostedsadresse", "personErUtflyttet", "personErDoed",
                 "endringIIdentifikasjonsnummer", "personErOppdatert"):  # fmt: skip
        happen(kept.url, 8, type=kind)
    (taken,) = sync(kept.settings)
    assert taken.events >= 48
    assert not kept.asked("personer/bulkoppslag/arkiv")
    assert not kept.asked("hendelser/bulkoppslag")
    assert difference(kept.store, kept.fresh) == {}


def test_of_a_selection_those_who_come_to_fit_come_in_and_no_strangers(keep: Keep) -> None:
    everyone = keep(persons=600, batch_size=600)
    most = "SELECT mode(kommunenummer) FROM person_oversikt WHERE kommunenummer IS NOT NULL"
    (kommune,) = query(everyone.store, most).fetchall()[0]
    chosen = TilpassetKriterier(personstatustyper=("bosatt",), bostedskommunenummer=kommune)
    store = f"{everyone.settings.store}-few"
    few = Kept(everyone.url, everyone.settings.model_copy(update={"store": store}), chosen)
    full_load(few.settings, chosen)
    before = _persons(few.store)
    happen(few.url, 900)
    sync(few.settings)

    now = _persons(few.fresh)
    assert now - before, "somebody moves there"
    assert now <= _persons(few.store)
    earlier = query(few.store, "SELECT personidentifikator FROM tidligere_identifikator").fetchall()
    assert _persons(few.store) - now - before <= {number for (number,) in earlier}


def _persons(store: Store) -> set[str]:
    rows = query(store, "SELECT personidentifikator FROM person").fetchall()
    return {number for (number,) in rows}


def test_a_release_made_with_other_settings_is_not_mixed(keep: Keep) -> None:
    kept = keep(persons=50)
    happen(kept.url, 10)
    for others in ({"parts": ("person-basis",)}, {"rettighetspakke": "finans"}):
        with pytest.raises(ConfigurationError, match="was made with different settings: FREG_"):
            sync(kept.settings.model_copy(update=others))


def test_a_sync_without_a_release_says_what_to_do(
    small_register: str, make_settings: Callable[..., Settings]
) -> None:
    with pytest.raises(ConfigurationError, match="no release yet"):
        sync(make_settings(small_register))


def test_a_list_that_no_longer_reaches_back_says_so(keep: Keep) -> None:
    kept = keep(persons=50)
    last = happen(kept.url, 30)
    happen(kept.url, 0, path="alder", sekvensnummer=last)
    with pytest.raises(TooOldError, match="freg uttrekk komplett"):
        sync(kept.settings)
    assert require_current(kept.store).number == "000001"


def test_what_can_not_be_decoded_leaves_the_release_where_it_is(
    start_register: StartRegister, make_settings: Callable[..., Settings]
) -> None:
    url = start_register(persons=150, batch_size=150, faults="malformed=0.05")
    settings = make_settings(url)
    full_load(settings, allow_incomplete=True)
    happen(url, 150)
    with pytest.raises(IncompleteError, match="freg hendelser sync --allow-incomplete"):
        sync(settings)
    assert require_current(open_store(settings)).number == "000001"
    sync(settings, allow_incomplete=True)
    assert require_current(open_store(settings)).incomplete


def test_a_position_that_an_earlier_release_was_continued_from_is_continued_again(
    keep: Keep,
) -> None:
    """A full load, ordered before a sync and published after it, takes the release back."""
    kept = keep()
    position = require_current(kept.store).sekvensnummer
    second = fetched(kept.settings, name="second")
    last = happen(kept.url, 50)
    (first,) = sync(kept.settings)
    assert first.uttrekk.name == f"hendelser-{position:012d}"
    released(kept.settings, second)
    assert require_current(kept.store).sekvensnummer == position
    (again,) = sync(kept.settings)
    assert again.uttrekk.name == f"{first.uttrekk.name}-2"
    assert require_current(kept.store).sekvensnummer == last
    assert difference(kept.store, kept.fresh) == {}
