"""Deltas: what each kind of change does to the current tables, and when it is put on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from freg_pipeline.errors import ConfigurationError, FregError, IncompleteError
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import current_release, list_releases
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.catalogue import refresh_catalogue
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.counts import all_rows_of
from freg_pipeline.lake.guards import Policy
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.staging import event_key
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.tables import miscounted
from freg_pipeline_tests.unit.lake.delivered import (
    Delivery,
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

A, B, C, D, E, F = (number(index) for index in range(6))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a release: A, who had B; C; D. Not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    documents: list[Delivery] = [
        ("d-a", document(A, B, day=3, navn=[navn("Ada"), navn("Ana", gjeldende=False)])),
        ("d-b", document(B, day=2, navn=[navn("Berit")])),
        ("d-c", document(C, day=3, navn=[navn("Cato")])),
        ("d-d", document(D, day=3, navn=[navn("Dag")], brukAvSamiskSpraak=[{"spraak": []}])),
    ]
    build_release(store, deliver(store, "one", documents))
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


def sync(store: LocalStore, *deliveries: Delivery, etter: int = 100, siste: int = 200) -> None:
    """Publish the events of these, and see that the release is sound."""
    uttrekk = deliver_events(store, etter, siste, deliveries)
    manifest = build_release(store, uttrekk)
    assert manifest == current_release(store)
    assert manifest.sekvensnummer == siste
    assert uttrekk.release == manifest.number
    assert [result for result in run_checks(store) if not result.passed] == []
    assert verify(store) == []
    assert miscounted(store) == {}


def names(store: LocalStore, as_of: int | None = None) -> dict[str, list[str]]:
    """First names by person, in the order of the rows."""
    rows = query(
        store,
        "SELECT personidentifikator, list(fornavn ORDER BY rad_nr) FROM navn GROUP BY 1 ORDER BY 1",
        as_of=as_of,
    )
    return dict(rows.fetchall())


def rows_of(store: LocalStore, statement: str) -> list[Any]:
    return query(store, statement).fetchall()


BEFORE = {A: ["Ada", "Ana"], C: ["Cato"], D: ["Dag"]}


# -- what changes do -------------------------------------------------------------------------------


def test_a_changed_document_replaces_all_rows_of_its_person(store: LocalStore) -> None:
    sync(store, (C, document(C, day=5, navn=[navn("Carl"), navn("Cato", gjeldende=False)])))
    assert names(store) == {**BEFORE, C: ["Carl", "Cato"]}
    person = "SELECT personidentifikator, sekvensnummer, uttrekk FROM person ORDER BY 1"
    assert rows_of(store, person) == [
        (A, 100, "one"), (C, 200, "hendelser-000000000100"), (D, 100, "one")
    ]  # fmt: skip
    assert rows_of(store, "FROM tidligere_identifikator") == [(B, A)]
    events = "SELECT sekvensnummer, folkeregisteridentifikator FROM hendelse"
    assert rows_of(store, events) == [(200, C)]


def test_a_person_who_loses_an_entity_has_no_row_of_it(store: LocalStore) -> None:
    sync(store, (D, document(D, day=4)))
    assert names(store) == {A: ["Ada", "Ana"], C: ["Cato"]}
    assert rows_of(store, "FROM bruk_av_samisk_spraak") == []


def test_a_new_person_is_added(store: LocalStore) -> None:
    sync(store, (E, document(E, navn=[navn("Eva")])))
    assert names(store) == {**BEFORE, E: ["Eva"]}


def test_a_person_merged_into_another_goes_out(store: LocalStore) -> None:
    merged = document(C, D, day=6, navn=[navn("Cato")])
    sync(store, (C, merged), (D, document(D, day=6, status="opphoert")))
    assert names(store) == {A: ["Ada", "Ana"], C: ["Cato"]}
    assert rows_of(store, "FROM tidligere_identifikator ORDER BY 1") == [(B, A), (D, C)]
    account = current_release(store)
    assert account is not None
    assert (account.accounting.landed, account.accounting.merged, account.persons) == (1, 1, 2)


def test_merged_though_only_the_one_who_goes_on_was_looked_up(store: LocalStore) -> None:
    sync(store, (C, document(C, D, day=6, navn=[navn("Cato")])))
    assert names(store) == {A: ["Ada", "Ana"], C: ["Cato"]}
    assert rows_of(store, "SELECT personidentifikator FROM person ORDER BY 1") == [(A,), (C,)]


def test_a_number_stays_merged_though_its_person_is_not_in_the_delta(store: LocalStore) -> None:
    sync(store, (B, document(B, day=9, navn=[navn("Berit")], status="opphoert")))
    assert names(store) == BEFORE
    assert rows_of(store, "FROM tidligere_identifikator") == [(B, A)]


def test_split_both_are_persons_again(store: LocalStore) -> None:
    apart = [
        (A, document(A, day=7, navn=[navn("Ada")])),
        (B, document(B, day=7, navn=[navn("Bo")])),
    ]
    sync(store, *apart)
    assert names(store) == {**BEFORE, A: ["Ada"], B: ["Bo"]}
    assert rows_of(store, "FROM tidligere_identifikator") == []


def test_the_number_of_a_person_changes(store: LocalStore) -> None:
    changed = document(E, C, day=8, navn=[navn("Cato")])
    sync(store, (C, changed), (E, changed))
    assert names(store) == {A: ["Ada", "Ana"], D: ["Dag"], E: ["Cato"]}
    assert rows_of(store, f"SELECT gjeldende_identifikator('{C}')") == [(E,)]


def test_a_claimant_that_is_overtaken_keeps_its_rows(store: LocalStore) -> None:
    sync(store, (C, document(C, B, day=9, navn=[navn("Cato")])))
    assert names(store) == BEFORE
    assert rows_of(store, "FROM tidligere_identifikator") == [(B, C)]


def test_one_whom_the_register_no_longer_has_goes_out_and_is_accounted_for(
    store: LocalStore,
) -> None:
    sync(store, (C, "finnes ikke"), (D, document(D, day=5, navn=[navn("Dagny")])))
    assert names(store) == {A: ["Ada", "Ana"], D: ["Dagny"]}
    gone = "SELECT identifikator, uttrekk, utfall FROM avvik WHERE utfall = 'borte'"
    assert rows_of(store, gone) == [(C, "hendelser-000000000100", "borte")]


def test_a_document_that_an_event_points_to_counts_whatever_its_times(store: LocalStore) -> None:
    sync(store, ("taken-back", document(C, day=2, navn=[navn("Carsten")])))
    assert names(store) == {**BEFORE, C: ["Carsten"]}
    sync(store, ("later", document(C, day=None, navn=[navn("Carl")])), etter=200, siste=300)
    assert names(store)[C] == ["Carl"]


def test_of_two_documents_that_events_point_to_the_later_events_counts(store: LocalStore) -> None:
    one, other = document(C, day=9, navn=[navn("Carl")]), document(C, day=2, navn=[navn("Carlo")])
    sync(store, ("registered", one), ("taken-back", other))
    assert names(store) == {**BEFORE, C: ["Carlo"]}
    assert account_of(store) == (1, 1)


def test_an_answer_that_looks_older_than_what_is_stored_does_not_replace_it(
    store: LocalStore,
) -> None:
    sync(store, (C, document(C, day=2, navn=[navn("Carsten")])))
    assert names(store) == BEFORE
    assert account_of(store) == (0, 1)
    sync(store, (C, document(C, day=None, navn=[navn("Carl")])), etter=200, siste=300)
    assert names(store)[C] == ["Carl"]


@pytest.mark.parametrize(("day", "name"), [(2, "Carsten"), (9, "Carl")])
def test_what_was_asked_for_again_counts(store: LocalStore, day: int, name: str) -> None:
    older = [(C, document(C, day=2, navn=[navn("Carsten")]))]
    again = [(C, document(C, day=day, navn=[navn(name)]))]
    build_release(store, deliver_events(store, 100, 200, older, again))
    assert names(store) == {**BEFORE, C: [name]}
    assert account_of(store) == (1, 1)


def test_an_answer_by_number_in_doubt_does_not_replace_an_events_document(
    store: LocalStore,
) -> None:
    """Someone merged into C is looked up by number, by a copy of the register that lags behind."""
    pointed = [("pointed", document(C, D, day=8, navn=[navn("Carl")]))]
    lagging = [(D, document(C, D, day=4, navn=[navn("Cato")]))]
    build_release(store, deliver_events(store, 100, 200, pointed, lagging))
    assert names(store) == {A: ["Ada", "Ana"], C: ["Carl"]}
    assert rows_of(store, "FROM tidligere_identifikator ORDER BY 1") == [(B, A), (D, C)]


def test_a_split_is_undone_though_nothing_in_it_is_new(store: LocalStore) -> None:
    apart = [
        ("a", document(A, day=1, navn=[navn("Ada")])),
        ("b", document(B, day=1, navn=[navn("Bo")])),
    ]
    sync(store, *apart)
    assert names(store) == {**BEFORE, A: ["Ada"], B: ["Bo"]}
    assert rows_of(store, "FROM tidligere_identifikator") == []


def test_a_release_tells_its_rows_also_of_what_the_contract_does_not_know(
    store: LocalStore,
) -> None:
    def unknown(*fields: str) -> Delivery:
        return (C, document(C, day=5, navn=[{**navn("Carl"), **dict.fromkeys(fields, "x")}]))

    build_release(store, deliver_events(store, 100, 200, [unknown("nytt", "nyere")]))
    build_release(store, deliver_events(store, 200, 300, [unknown("nytt", "nyest")]))
    current = current_release(store)
    assert current is not None
    assert all_rows_of(store, current)["ukjent_felt"] == 3
    assert miscounted(store) == {}


def account_of(store: LocalStore) -> tuple[int, int]:
    """How many landed, and how many were duplicates."""
    manifest = current_release(store)
    assert manifest is not None
    assert manifest.accounting.unexplained == 0
    return manifest.accounting.landed, manifest.accounting.duplicates


def test_a_document_that_is_gone_takes_nobody_out(store: LocalStore) -> None:
    sync(store, ("pointer", "slettet"))
    assert names(store) == BEFORE


def test_what_could_not_be_had_of_events_is_named_and_counted_and_no_failure(
    store: LocalStore,
) -> None:
    unexpected = [("e1", "uten_hendelsesdokument"), ("e2", "uten_hendelsesdokument"),
                  ("150", "ikke_fulgt")]  # fmt: skip
    changed = [(C, document(C, day=5, navn=[navn("Carl")]))]
    build_release(store, deliver_events(store, 100, 200, changed, unexpected=unexpected))
    manifest = current_release(store)
    assert manifest is not None
    account = manifest.accounting
    assert (account.events_without_document, account.events_not_followed) == (2, 1)
    assert (account.landed, account.failed, account.unexplained) == (1, 0, 0)
    assert not manifest.incomplete
    told = "SELECT identifikator, utfall FROM avvik WHERE uttrekk LIKE 'hendelser%' ORDER BY 1"
    assert rows_of(store, told) == sorted(unexpected)
    assert [result for result in run_checks(store) if not result.passed] == []


def test_events_that_concern_nobody_move_the_position(store: LocalStore) -> None:
    sync(store)
    assert names(store) == BEFORE


# -- one after the other ---------------------------------------------------------------------------


def test_deltas_add_up_and_each_state_stays_visible(store: LocalStore) -> None:
    sync(store, (C, document(C, day=5, navn=[navn("Carl")])))
    sync(store, (C, document(C, D, day=6, navn=[navn("Carlo")])), etter=200, siste=250)
    sync(store, (D, document(D, day=7, navn=[navn("Dina")])),
         (C, document(C, day=7, navn=[navn("Carlo")])), etter=250, siste=300)  # fmt: skip
    states = {
        100: BEFORE,
        200: {**BEFORE, C: ["Carl"]},
        250: {A: ["Ada", "Ana"], C: ["Carlo"]},
        300: {**BEFORE, C: ["Carlo"], D: ["Dina"]},
    }
    for position, state in states.items():
        assert names(store, as_of=position) == names(store, as_of=position + 49) == state
        with duckdb.connect(str(refresh_catalogue(store)), read_only=True) as catalogue:
            shown = catalogue.sql(
                "SELECT personidentifikator, list(fornavn ORDER BY rad_nr) "
                f"FROM navn_per({position}) GROUP BY 1"
            ).fetchall()
            assert dict(shown) == state
            total = catalogue.sql(f"SELECT count(*) FROM hendelse_per({position})").fetchall()
            assert total == [({100: 0, 200: 1, 250: 2, 300: 4}[position],)]
    with pytest.raises(ConfigurationError, match="from 100 to 300"):
        names(store, as_of=99)
    with duckdb.connect(str(refresh_catalogue(store)), read_only=True) as catalogue:
        with pytest.raises(duckdb.Error, match="from sequence number 100 on"):
            catalogue.sql("FROM navn_per(99)").fetchall()


def test_one_who_is_freed_but_not_delivered_is_counted(store: LocalStore) -> None:
    build_release(store, deliver_events(store, 100, 200, [(A, document(A, day=7))]))
    failed = [result.check.name for result in run_checks(store) if not result.passed]
    assert failed == ["persons_delivered"]
    sync(store, (B, document(B, day=7, navn=[navn("Bo")])), etter=200, siste=300)
    assert names(store) == {B: ["Bo"], C: ["Cato"], D: ["Dag"]}


# -- when ------------------------------------------------------------------------------------------


def test_what_is_contained_is_not_put_on_top_again(store: LocalStore) -> None:
    sync(store, (C, document(C, day=5, navn=[navn("Carl")])))
    before = store.list("")
    assert build_release(store, Uttrekk(store, "hendelser-000000000100")) == current_release(store)
    assert store.list("") == before


def test_events_that_follow_another_position_are_refused(store: LocalStore) -> None:
    uttrekk = deliver_events(store, 150, 200, [(C, document(C))])
    with pytest.raises(ConfigurationError, match="after 150, but release 000001 is at 100"):
        build_release(store, uttrekk)


def test_what_failed_refuses_the_delta(store: LocalStore) -> None:
    odd = {"identifikasjonsnummer": [{"foedselsEllerDNummer": {"a": 1}}]}
    uttrekk = deliver_events(store, 100, 200, [(C, odd), (D, document(D, day=4))])
    with pytest.raises(IncompleteError, match="freg hendelser sync --allow-incomplete"):
        build_release(store, uttrekk)
    assert current_number(store) == "000001"
    assert not store.list("deltas/")
    assert build_release(store, uttrekk, policy=Policy(allow_incomplete=True)).incomplete
    assert names(store) == {A: ["Ada", "Ana"], C: ["Cato"]}


def test_events_that_have_not_landed_are_not_published(store: LocalStore) -> None:
    uttrekk = deliver_events(store, 100, 200, [(C, document(C))])
    store.delete(event_key(uttrekk.name, "done.json"))
    with pytest.raises(FregError, match="freg hendelser sync"):
        build_release(store, uttrekk)
    assert [one.number for one in list_releases(store)] == ["000001"]
