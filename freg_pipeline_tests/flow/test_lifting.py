"""Who is kept out no longer comes back with the next sync, whichever of their numbers is told."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from click.testing import CliRunner, Result

from freg_pipeline.commands.root import cli
from freg_pipeline.erasure.lifting import lift
from freg_pipeline.erasure.persons import Persons
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.keptout import awaiting, kept_out
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store, open_store
from freg_pipeline_tests.erased import Kept, erase_given, persons_of
from freg_pipeline_tests.loads import collected, list_load, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.searched import found_in


def _there(store: Store, numbers: tuple[str, ...]) -> set[str]:
    with closing(connect(store)) as connection:
        found = connection.execute(
            "SELECT personidentifikator FROM person WHERE list_contains($1, personidentifikator)",
            [list(numbers)],
        ).fetchall()
    return {one for (one,) in found}


def _as_listed(*numbers: str) -> Persons:
    places = {number: place for place, number in enumerate(numbers)}
    return Persons(places, tuple(range(1, len(numbers) + 1)))


def test_the_next_sync_brings_them_back_by_any_of_their_numbers(kept: Kept, folder: Path) -> None:
    settings = kept.settings(folder)
    store = open_store(settings)
    somebody, others = kept.given[:1], kept.given[1:]
    (every,) = persons_of(store, somebody).by_person()
    assert len(every) > 1
    erase_given(store, kept.given)

    lifted = lift(store, _as_listed(every[-1]))  # one that they had before

    assert (lifted.kept_out, lifted.looked_up) == (1, 1)
    assert not kept_out(store).among(every)
    happen(kept.base_url, 5)
    sync(settings)
    assert _there(store, kept.given) == set(somebody)
    with closing(connect(store)) as connection:
        former = connection.execute("FROM tidligere_identifikator").fetchall()
    assert {(one, somebody[0]) for one in every} - {somebody * 2} <= {*former}
    assert awaiting(store) == ()
    assert found_in(folder, set(others)) == {}
    assert verify(store) == []


def test_who_is_erased_again_before_that_sync_stays_out(kept: Kept, folder: Path) -> None:
    """Also where a sync is under way that has looked them up."""
    settings = kept.settings(folder)
    store = open_store(settings)
    erase_given(store, kept.given)
    lift(store, _as_listed(*kept.given))
    assert found_in(folder, set(kept.given)), "it waits for the sync whom to look up"
    erase_given(store, kept.given[1:])
    happen(kept.base_url, 5)
    taken = collected(store, settings)
    assert taken is not None
    assert found_in(folder, {kept.given[0]})
    erase_given(store, kept.given[:1])
    assert found_in(folder, set(kept.numbers)) == {}
    sync(settings)
    assert found_in(folder, set(kept.numbers)) == {}
    assert awaiting(store) == ()


def test_of_a_list_only_its_own_persons_come_back(kept: Kept, tmp_path: Path) -> None:
    """That somebody was kept out makes them nobody's business."""
    folder = tmp_path / "listed"
    settings = kept.settings(folder)
    store = open_store(settings)
    mine, stranger = kept.given[0], kept.given[1]
    list_load(settings, [mine, kept.given[2]])
    erase_given(store, (mine, stranger))
    lifted = lift(store, _as_listed(mine, stranger))
    assert (lifted.kept_out, lifted.looked_up) == (2, 1)
    happen(kept.base_url, 5)
    sync(settings)
    assert _there(store, kept.given) == {mine, kept.given[2]}


def test_numbers_come_from_tables_and_from_stdin(kept: Kept, folder: Path, tmp_path: Path) -> None:
    environment = {"FREG_BASE_URL": kept.base_url, "FREG_STORE": str(folder)}
    listed = tmp_path / "persons.csv"
    lines = "".join(f"Kari;{one};x\r\n" for one in kept.given)
    listed.write_text(f"navn;tall;mer\r\n{lines}", "utf-8-sig")

    def run(*arguments: str, given: str = "") -> Result:
        return CliRunner().invoke(cli, ["erase", *arguments], input=given, env=environment)

    unclear = run(str(listed), "--yes")
    erased = run(str(listed), "--column", "tall", "--yes")
    pa.parquet.write_table(pa.table({"fnr": list(map(int, kept.given))}), tmp_path / "one.parquet")
    lifted = run("--lift", str(tmp_path / "one.parquet"))
    again = run("-", "--yes", given="\n".join(kept.given))
    lifted_again = run("--lift", "-", given="\r\n".join(kept.given))

    told = [unclear, erased, lifted, again, lifted_again]
    assert [one.exit_code for one in told] == [1, 0, 0, 0, 0]
    assert isinstance(unclear.exception, ConfigurationError)
    for one in (lifted, lifted_again):
        assert "Of 3 persons, 3 were kept out" in one.stdout
        assert "looks 3 of them up" in one.stdout
    assert not any(number in one.output for one in told for number in kept.numbers)
    happen(kept.base_url, 5)
    sync(kept.settings(folder))
    assert _there(open_store(kept.settings(folder)), kept.given) == set(kept.given)
