"""What readers would lose by a release is refused, unless somebody has agreed to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.errors import IncompleteError
from freg_pipeline.journal.kinds import AnyKind, Liste, Soek, Tilpasset
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.guards import FewerError, OtherKindError, Policy, approval
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.restore import restore
from freg_pipeline.store import write_record
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import (
    LISTE,
    SELECTION,
    copy_of,
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
    number,
)

PERSONS = 120


def people(first: int, last: int, *, names: int = 1) -> list[Any]:
    return [
        (f"d-{index}", document(number(index), navn=[navn(str(nr)) for nr in range(names)]))
        for index in range(first, last)
    ]


def selection(kommune: str) -> Tilpasset:
    return Tilpasset(
        TilpassetKriterier(personstatustyper=("bosatt",), bostedskommunenummer=kommune)
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """Everyone, each with two names."""
    store = local_store(tmp_path_factory.mktemp("made"))
    build_release(store, deliver(store, "one", people(0, PERSONS, names=2)))
    return store


@pytest.fixture
def store(made: LocalStore, tmp_path: Path) -> LocalStore:
    return copy_of(made, tmp_path)


@pytest.mark.parametrize("kind", [SELECTION, LISTE, Soek(("navn",), "0")], ids=lambda it: it.name)
def test_everyone_is_replaced_by_no_selection_unless_told(store: LocalStore, kind: AnyKind) -> None:
    uttrekk = deliver(store, "two", people(0, PERSONS, names=2), kind=kind)
    with pytest.raises(OtherKindError, match="--allow-other-kind") as refused:
        build_release(store, uttrekk)
    assert refused.value.exit_code == 2
    assert current_number(store) == "000001"
    assert not store.list("bases/two/"), "nothing was written in vain"
    assert build_release(store, uttrekk, policy=Policy(allow_other_kind=True)).kind == kind.name


@pytest.mark.parametrize(
    ("kind", "other"),
    [(selection("0301"), selection("4601")), (Soek(("navn",), "0"), Soek(("navn",), "1"))],
    ids=["tilpasset", "soek"],
)
def test_another_selection_is_another_kind(tmp_path: Path, kind: AnyKind, other: AnyKind) -> None:
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", people(0, 9), kind=kind))
    build_release(store, deliver(store, "same", people(0, 9), kind=kind))
    with pytest.raises(OtherKindError, match="with other criteria"):
        build_release(store, deliver(store, "two", people(0, 9), kind=other))


def test_what_was_agreed_when_it_was_ordered_holds_when_it_is_published(store: LocalStore) -> None:
    uttrekk = deliver(store, "two", people(0, 9), kind=SELECTION)
    agreed = msgspec.structs.replace(uttrekk.request, allow_other_kind=True)
    store.delete(uttrekk.key("request.json"))
    write_record(store, uttrekk.key("request.json"), agreed)
    assert build_release(store, Uttrekk(store, "two")).persons == 9


def test_an_order_is_looked_at_before_it_is_recorded(store: LocalStore) -> None:
    question = deliver(store, "two", kind=SELECTION).question
    with pytest.raises(OtherKindError):
        approval(store).check(question)
    approval(store, allow_other_kind=True).check(question)
    approval(store).check(Uttrekk(store, "one").question)


@pytest.mark.parametrize(("left", "refused"), [(PERSONS - 10, False), (PERSONS - 20, True)])
def test_a_full_load_that_lacks_a_sixth_of_the_persons_is_refused(
    store: LocalStore, left: int, refused: bool
) -> None:
    uttrekk = deliver(store, "two", people(0, left, names=2))
    if not refused:
        assert build_release(store, uttrekk).persons == left
        return
    with pytest.raises(FewerError, match=r"loses 20 of the 120 .*--allow-fewer") as error:
        build_release(store, uttrekk)
    assert error.value.exit_code == 4
    assert current_number(store) == "000001"
    with pytest.raises(FewerError):
        build_release(store, uttrekk, policy=Policy(max_lost_persons=0.1))
    assert build_release(store, uttrekk, policy=Policy(max_lost_persons=0.2)).persons == left


def test_a_table_that_comes_half_empty_is_refused(store: LocalStore) -> None:
    uttrekk = deliver(store, "two", people(0, PERSONS, names=1))
    with pytest.raises(FewerError, match="navn: 120 of 240") as error:
        build_release(store, uttrekk)
    assert "identifikasjonsnummer" not in str(error.value)
    assert build_release(store, uttrekk, policy=Policy(allow_fewer=True)).number == "000002"


def test_rows_are_counted_as_readers_see_them(store: LocalStore) -> None:
    """A sync took half of the names away: a full load that lacks them as well is all right."""
    fewer = [(number(index), document(number(index), day=2)) for index in range(PERSONS // 2)]
    build_release(store, deliver_events(store, 100, 200, fewer))
    two = [(f"n-{index}", document(number(index), day=2)) for index in range(PERSONS // 2)]
    two += people(PERSONS // 2, PERSONS, names=2)
    assert build_release(store, deliver(store, "two", two, sekvensnummer=200)).persons == PERSONS


def test_a_sync_that_takes_far_too_many_away_is_refused(store: LocalStore) -> None:
    gone = [(number(index), "finnes ikke") for index in range(30)]
    uttrekk = deliver_events(store, 100, 200, gone)
    with pytest.raises(FewerError, match="freg hendelser sync --allow-fewer"):
        build_release(store, uttrekk)
    assert current_number(store) == "000001"
    assert build_release(store, uttrekk, policy=Policy(allow_fewer=True)).persons == 90


def test_a_register_that_says_of_all_that_they_are_gone_is_not_believed(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    few = [*people(0, 190, names=1), *((f"x-{one}", "Fant ikke dokumentet") for one in range(30))]
    many = [*people(0, 100, names=1), *((f"x-{one}", "Fant ikke dokumentet") for one in range(60))]
    with pytest.raises(FewerError, match="nothing for 60 of the 160 identifiers"):
        build_release(store, deliver(store, "many", many))
    assert current_number(store) is None
    assert build_release(store, deliver(store, "few", few)).accounting.gone == 30


def test_a_list_may_hold_many_whom_the_register_does_not_have(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    strangers = [(number(index), "Fant ikke personen") for index in range(50)]
    with pytest.raises(FewerError, match="nothing for 50 of the 50"):
        build_release(store, deliver(store, "all", strangers, kind=LISTE))
    known = [(number(90), document(number(90)))]
    some = deliver(store, "some", [*strangers, *known], kind=LISTE)
    assert build_release(store, some).persons == 1


def test_a_reason_that_sounds_like_a_fault_makes_nobody_gone(store: LocalStore) -> None:
    fault = "Teknisk feil, prøv igjen senere"
    uttrekk = deliver_events(store, 100, 200, [(number(0), fault)])
    with pytest.raises(IncompleteError, match="registeret svarte: Teknisk feil"):
        build_release(store, uttrekk)
    assert build_release(store, uttrekk, policy=Policy(allow_incomplete=True)).persons == PERSONS


def test_a_list_may_change_and_not_become_another(tmp_path: Path) -> None:
    store = local_store(tmp_path)

    def numbered(first: int, last: int) -> list[Any]:
        return [(number(index), document(number(index))) for index in range(first, last)]

    build_release(store, deliver(store, "one", numbered(0, 60), kind=Liste(1, "1")))
    build_release(store, deliver(store, "two", numbered(4, 80), kind=Liste(1, "2")))
    other = deliver(store, "three", numbered(80, 156), kind=Liste(1, "3"))
    with pytest.raises(FewerError, match="holds 76 persons, and loses 76 of the 76"):
        build_release(store, other)
    renumbered = [(number(index + 900), document(number(index + 900), number(index), day=2))
                  for index in range(4, 80)]  # fmt: skip
    new = deliver(store, "four", renumbered, kind=Liste(1, "4"))
    assert build_release(store, new).persons == 76, "the same people under new numbers"


def test_what_another_process_published_meanwhile_is_what_counts(store: LocalStore) -> None:
    """The release to be replaced is looked at when the new one takes its place."""
    small = deliver(store, "small", people(0, 60, names=2))
    build_release(store, small, policy=Policy(allow_fewer=True))
    two = deliver(store, "two", people(0, 60, names=2))

    class Restoring:
        """Somebody makes the full release current again while the new one's files are written."""

        def __init__(self) -> None:
            self.done: Manifest | None = None

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def put_file(self, key: str, source: Path) -> bool:
            if self.done is None:
                assert current_number(store) == "000002"
                self.done = restore(store, "1")
            return store.put_file(key, source)

    restoring: Any = Restoring()
    with pytest.raises(FewerError):
        build_release(restoring, two)
    assert restoring.done is not None
    assert require_current(store).persons == PERSONS
