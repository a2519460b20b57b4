"""A komplett uttrekk from order to SQL, over HTTP, through the Dagster assets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count, takewhile
from pathlib import Path

import pytest

from freg_pipeline.errors import ConfigurationError, IncompleteError
from freg_pipeline.journal.kinds import Komplett
from freg_pipeline.journal.releases import current_release
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import connect, query
from freg_pipeline.lake.verify import verify
from freg_pipeline.orchestration.config import ReleaseConfig
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import altered, get, status_of, tampered

MakeFreg = Callable[..., Freg]


def test_everyone_lands_once_and_every_identifier_is_accounted_for(
    small_register: str, make_freg: MakeFreg
) -> None:
    freg = make_freg(small_register)
    manifest = run_uttrekk(freg)

    account = manifest.accounting
    assert account.delivered == sum(
        len(Uttrekk(freg.store, manifest.uttrekk).identifiers(batch)) for batch in range(4)
    )
    assert account.merged > 0
    assert account.unexplained == account.failed == 0
    assert account.delivered == account.landed + account.merged + account.duplicates + account.gone
    rows = query(freg.store, "SELECT count(*), count(DISTINCT personidentifikator) FROM person")
    assert rows.fetchall() == [(1_000 - account.merged, 1_000 - account.merged)]
    assert verify(freg.store) == []


def test_batches_may_be_of_any_sizes(
    start_register: StartRegister, make_freg: MakeFreg, tmp_path: Path
) -> None:
    sizes = (1, 80, 3, 190, 2, 24)
    register = start_register(persons=sum(sizes), ready_after_seconds=0)
    even = make_freg(register)
    full_load(even.settings)
    with tampered(register, cut_anew(register, sizes)) as url:
        uneven = make_freg(url, store=str(tmp_path / "uneven"))
        manifest = run_uttrekk(uneven)

    delivered = Uttrekk(uneven.store, manifest.uttrekk)
    assert [len(delivered.identifiers(batch)) for batch in delivered.batches()] == [*sizes]
    everyone = "SELECT * EXCLUDE (hentet, uttrekk) FROM person ORDER BY ALL"
    assert query(uneven.store, everyone).fetchall() == query(even.store, everyone).fetchall()
    assert verify(uneven.store) == []


def cut_anew(base_url: str, sizes: Sequence[int]) -> Callable[[str, bytes], bytes]:
    """The batches of a register in other sizes; what is whole is asked for behind its back."""

    def cut(path: str, body: bytes) -> bytes:
        job, _, number = path.removeprefix("uttrekk/").partition("/batch/")
        if not number:
            return body
        batches = (get(base_url, f"uttrekk/{job}/batch/{batch}") for batch in count())
        whole = takewhile(lambda batch: batch != {}, (batch.json() for batch in batches))
        every = [one for batch in whole for one in batch["dokumentidentifikator"]]
        first = sum(sizes[: int(number)])
        part = every[first : first + sizes[int(number)]] if int(number) < len(sizes) else []
        return json.dumps({"dokumentidentifikator": part} if part else {}).encode()

    return cut


def test_the_same_order_given_again_is_gone_on_with_not_made_again(
    small_register: str, make_freg: MakeFreg
) -> None:
    freg = make_freg(small_register)
    first = run_uttrekk(freg, name="one")
    before = status_of(small_register)["requests"]
    second = run_uttrekk(freg, name="one")
    after = status_of(small_register)["requests"]

    assert second == first
    assert after["uttrekk/komplett"] == before["uttrekk/komplett"]
    assert after["personer/bulkoppslag/arkiv"] == before["personer/bulkoppslag/arkiv"]


def test_a_name_that_asks_something_else_is_refused(
    small_register: str, make_freg: MakeFreg
) -> None:
    freg = make_freg(small_register)
    run_uttrekk(freg, name="one")
    with pytest.raises(
        ConfigurationError,
        match="asks for something else: feedsekvensnr was not given and is 1 now",
    ):
        run_uttrekk(freg, Komplett(1), name="one")


def test_to_begin_after_the_registers_last_event_is_refused_before_anything_is_ordered(
    small_register: str, make_freg: MakeFreg
) -> None:
    freg = make_freg(small_register)
    before = status_of(small_register)["requests"]
    with pytest.raises(ConfigurationError, match=r"feedsekvensnr is 1000000000000, .* last event"):
        run_uttrekk(freg, Komplett(10**12), name="late")
    assert status_of(small_register)["requests"]["uttrekk/komplett"] == before["uttrekk/komplett"]
    assert not Uttrekk(freg.store, "late").exists


def test_an_earlier_sequence_number_gives_persons_several_documents_and_the_newest_wins(
    small_register: str, make_freg: MakeFreg
) -> None:
    freg = make_freg(small_register)
    now = run_uttrekk(freg, name="now")
    current = query(freg.store, "FROM navn ORDER BY ALL").fetchall()
    early = run_uttrekk(freg, Komplett(0), name="early")

    assert early.accounting.duplicates > now.accounting.duplicates
    assert early.accounting.landed == now.accounting.landed
    assert query(freg.store, "FROM navn ORDER BY ALL").fetchall() == current


def test_an_unknown_field_of_a_document_survives_to_ukjent_felt(
    start_register: StartRegister, make_freg: MakeFreg
) -> None:
    freg = make_freg(start_register(faults="ukjentfelt=0.2"))
    run_uttrekk(freg)

    found = query(freg.store, "SELECT sti, antall FROM ukjent_felt ORDER BY sti").fetchall()
    assert len(found) >= 2, "the synthetic register adds a field and an entity"
    counted = status_of(freg.settings.base_url)["oddities"]["ukjentfelt"]
    assert {antall for _, antall in found} == {counted}


def test_a_document_that_cannot_be_decoded_is_named_and_stops_the_release(
    start_register: StartRegister, make_freg: MakeFreg
) -> None:
    freg = make_freg(start_register(faults="malformed=0.02"))
    with pytest.raises(IncompleteError):
        run_uttrekk(freg, name="odd")
    assert current_release(freg.store) is None

    manifest = run_uttrekk(freg, name="odd", release=ReleaseConfig(allow_incomplete=True))
    assert manifest.incomplete
    failed = query(freg.store, "SELECT sti, aarsak FROM avvik WHERE utfall = 'feilet'").fetchall()
    assert len(failed) == manifest.accounting.failed > 0
    assert all(sti and aarsak for sti, aarsak in failed)


def test_a_list_of_nobody_is_no_release_and_is_ordered_anew(
    start_register: StartRegister, make_freg: MakeFreg
) -> None:
    """To go on with it would ask for nobody: everything that came is accounted for."""
    register = start_register(persons=20, batch_size=100)
    with altered(register, "/batch/0", lambda _: {}) as url:
        freg = make_freg(url)
        with pytest.raises(IncompleteError, match="the register delivered nobody") as stopped:
            run_uttrekk(freg, name="empty")
    assert "freg uttrekk abandon empty" in str(stopped.value)
    assert "asks for them again" not in str(stopped.value)
    assert current_release(freg.store) is None


def test_documents_that_the_register_has_deleted_are_accounted_for_as_gone(
    start_register: StartRegister, make_freg: MakeFreg
) -> None:
    freg = make_freg(start_register(faults="gone=0.03"))
    manifest = run_uttrekk(freg)
    assert manifest.accounting.gone > 0
    assert not manifest.incomplete


@pytest.fixture(scope="module")
def plain_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    options = RegisterOptions(persons=300, batch_size=100, ready_after_seconds=0)
    with running(options) as url:
        settings = load(base_url=url, store=str(tmp_path_factory.mktemp("plain") / "store"))
        full_load(settings)
        yield open_store(settings)


@pytest.mark.parametrize(
    ("faults", "answer_format"),
    [("unordered=1", "json"), ("arkivliste=1", "json"), ("enkeltobjekt=0.3", "json"), ("", "xml")],
)
def test_the_form_of_the_answers_does_not_change_the_tables(
    faults: str,
    answer_format: str,
    plain_store: Store,
    start_register: StartRegister,
    make_freg: MakeFreg,
) -> None:
    odd = make_freg(start_register(faults=faults), answer_format=answer_format)
    run_uttrekk(odd)
    with closing(connect(odd.store)) as one, closing(connect(plain_store)) as other:
        for table in ("person", "navn", "bostedsadresse", "familierelasjon"):
            columns = "* EXCLUDE (hentet, uttrekk)" if table == "person" else "*"
            statement = f"SELECT {columns} FROM {table} ORDER BY ALL"
            assert one.execute(statement).fetchall() == other.execute(statement).fetchall()
