"""Persons who are erased: nothing of them is left in any object, and everybody else stays."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.erasure.course import erase
from freg_pipeline.erasure.lifting import lift
from freg_pipeline.erasure.persons import read_persons
from freg_pipeline.erasure.stored import held
from freg_pipeline.erasure.survey import survey
from freg_pipeline.errors import ConfigurationError, DamagedError, FregError
from freg_pipeline.journal.keptout import has_receipt, kept_out, orders
from freg_pipeline.journal.names import names_of
from freg_pipeline.journal.pins import pin
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.lake.checks import run_checks
from freg_pipeline.lake.compact import begin_compaction, compact, compact_piece, pieces
from freg_pipeline.lake.counts import all_rows_of, count_rows
from freg_pipeline.lake.delta import build_delta
from freg_pipeline.lake.described import described
from freg_pipeline.lake.heal import healing
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.query import connect
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.erased import Kept, erase_given, persons_of
from freg_pipeline_tests.loads import collected, fetched, full_load, list_load, released, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.searched import found_in

Row = tuple[Any, ...]
# Of our own tables the columns that tell whose a row is; of the contract's it is the first.
OWN = {
    "tidligere_identifikator": ("identifikator", "personidentifikator"),
    "avvik": (),
    "ukjent_felt": (),
    "hendelse": ("folkeregisteridentifikator",),
    "hendelse_egenskap": (),
}


def _rows(store: Store) -> dict[str, Counter[Row]]:
    """Every table's rows as readers see them."""
    manifest = require_current(store)
    tables = described(load_plan(store, manifest.contract))
    with closing(connect(store, manifest, states=False)) as connection:
        return {
            table.name: Counter(
                tuple(map(_hashable, row))
                for row in connection.execute(f'SELECT * FROM "{table.name}"').fetchall()
            )
            for table in tables
        }


def _columns(store: Store) -> dict[str, list[str]]:
    tables = described(load_plan(store, require_current(store).contract))
    return {table.name: [name for name, *_ in table.shown] for table in tables}


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _without(
    rows: dict[str, Counter[Row]], columns: dict[str, list[str]], numbers: frozenset[str]
) -> dict[str, Counter[Row]]:
    """What is to be left: nobody's rows who is erased, and nobody's reference to them."""
    events = {
        row[columns["hendelse"].index("sekvensnummer")]
        for row in rows["hendelse"]
        if row[columns["hendelse"].index("folkeregisteridentifikator")] in numbers
    }

    def is_theirs(table: str, row: Row) -> bool:
        if table == "hendelse_egenskap":
            return row[0] in events
        own = OWN.get(table, columns[table][:1])
        return any(row[columns[table].index(name)] in numbers for name in own)

    def blank(value: Any) -> Any:
        if isinstance(value, str) and value.startswith(("{", "[")):
            for number in numbers:
                value = value.replace(f'"{number}"', "null")
        return None if value in numbers else value

    left: dict[str, Counter[Row]] = {}
    for table, found in rows.items():
        left[table] = Counter()
        for row, count in found.items():
            if not is_theirs(table, row):
                left[table][tuple(map(blank, row))] += count
    return left


def test_nothing_of_them_is_left_in_any_object_and_everyone_else_stays(
    kept: Kept, folder: Path
) -> None:
    """Nor after events of theirs, after a full load, until it is lifted."""
    store, numbers = open_store(kept.settings(folder)), set(kept.numbers)
    before = found_in(folder, numbers)
    forms = set().union(*before.values())
    assert {
        "cell",
        "statistics",
        "bytes",
        "unpacked",
    } <= forms  # it finds them while they are there
    areas = {key.split("/")[0] for key in before}
    assert areas == {"bases", "deltas", "uttrekk"}
    rows = _rows(store)
    expected = _without(rows, _columns(store), kept.numbers)
    named = sum((expected[name] - rows[name]).total() for name in rows)
    assert named > 0  # somebody else's row loses a reference

    receipt = erase_given(store, kept.given)

    assert found_in(folder, numbers) == {}
    assert [key for key in store.list("") if len(names_of(key)) != 1] == []
    after = _rows(store)
    assert {name for name in rows if after[name] != expected[name]} == set()
    _require_sound(store)
    assert receipt.dropped == ("000001", "000002", "000003")
    assert [one.number for one in list_releases(store)] == [receipt.release]
    assert set(before) - {"freg.duckdb"} <= {
        *receipt.objects,
        *(key for key in before if key.endswith((".arrow", "documents/0000.arrow"))),
    }

    happen(kept.base_url, 60)
    sync(kept.settings(folder))
    assert found_in(folder, numbers) == {}
    _require_sound(store)
    manifest = full_load(kept.settings(folder))
    assert found_in(folder, numbers) == {}
    assert manifest.accounting.erased >= len(kept.given)
    assert manifest.accounting.unexplained == manifest.accounting.failed == 0
    _require_sound(store)

    lift(store, persons_of(store, tuple(kept.numbers)))
    assert not kept_out(store)
    again = full_load(kept.settings(folder))
    assert again.accounting.erased == 0
    assert again.persons > manifest.persons
    assert found_in(folder, numbers)


def _require_sound(store: Store) -> None:
    """Files are as they were written, and tell as many rows as there are; every check passes."""
    manifest = require_current(store)
    assert verify(store) == []
    told = all_rows_of(store, manifest)
    assert told == count_rows(store, manifest, told)
    assert [one.check for one in run_checks(store, manifest) if not one.passed] == []


class _Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class _Dying(LocalStore):
    """A store whose process is killed before it writes or removes once more."""

    def __init__(self, root: Path, after: float) -> None:
        super().__init__(root)
        self.left = after
        self.done = 0

    def _live(self) -> None:
        self.left -= 1
        self.done += 1
        if self.left < 0:
            raise _Killed

    def write(self, key: str, data: bytes) -> bool:
        self._live()
        return super().write(key, data)

    def put_file(self, key: str, source: Path) -> bool:
        self._live()
        return super().put_file(key, source)

    def replace(self, key: str, data: bytes) -> None:
        self._live()
        super().replace(key, data)

    def delete(self, key: str) -> None:
        self._live()
        super().delete(key)


def test_who_is_killed_anywhere_goes_on_with_the_same_list(kept: Kept, tmp_path: Path) -> None:
    """And readers see a whole release all the while."""
    whole = _Dying(Path(shutil.copytree(kept.folder, tmp_path / "whole")), float("inf"))
    found = survey(whole, persons_of(whole, kept.given))
    erase(whole, found)
    for share in (0.02, 0.3, 0.6, 0.9):
        root = Path(shutil.copytree(kept.folder, tmp_path / f"at-{share}"))
        with pytest.raises(_Killed):
            erase(_Dying(root, int(share * whole.done)), found)
        store = LocalStore(root)
        assert verify(store) == []
        erase_given(store, kept.given)
        assert found_in(root, set(kept.numbers)) == {}
        assert verify(store) == []
        assert all(has_receipt(store, number) for number in orders(store))


def test_a_pinned_release_is_removed_only_if_that_is_said(kept: Kept, folder: Path) -> None:
    store = LocalStore(folder)
    pin(store, "000002", "quarter")
    with pytest.raises(ConfigurationError, match="quarter"):
        erase_given(store, kept.given)
    assert not orders(store)
    erase_given(store, kept.given, including_pinned=True)
    assert found_in(folder, set(kept.numbers)) == {}


def test_what_is_under_way_brings_nobody_back(kept: Kept, folder: Path) -> None:
    """A compaction with pieces made, a sync that has landed, a full load that is fetched."""
    settings = kept.settings(folder)
    store = open_store(settings)
    compaction = begin_compaction(store)
    assert compaction is not None
    compact_piece(store, compaction, pieces(compaction)[0])
    happen(kept.base_url, 30)
    taken = collected(store, settings)
    assert taken is not None
    load_under_way = fetched(settings, name="under-way")

    erase_given(store, kept.given)

    assert found_in(folder, set(kept.numbers)) == {}
    compact_piece_fails(lambda: compact_piece(store, compaction, pieces(compaction)[1]))
    with pytest.raises((ConfigurationError, DamagedError, FregError)):
        build_delta(store, taken.uttrekk)  # it was given up, and its parts are gone
    assert found_in(folder, set(kept.numbers)) == {}
    sync(settings)
    fresh = begin_compaction(store)
    assert fresh is not None
    compact(store, fresh, lambda more: None)
    assert found_in(folder, set(kept.numbers)) == {}
    manifest = healing(store, lambda: released(settings, load_under_way))
    assert manifest.accounting.erased >= len(kept.given)
    assert found_in(folder, set(kept.numbers)) == {}
    _require_sound(store)


def compact_piece_fails(make: Callable[[], object]) -> None:
    with pytest.raises(FregError, match="no longer concerns"):
        make()


def test_a_list_of_ones_own_is_accounted_for(kept: Kept, tmp_path: Path) -> None:
    """Before and after: its batches, and the hash that tells which list it was."""
    settings = kept.settings(tmp_path / "store")
    store = open_store(settings)
    with closing(connect(LocalStore(kept.folder), states=False)) as connection:
        numbers = [one for (one,) in connection.execute("SELECT personidentifikator FROM person "
                   "ORDER BY 1 LIMIT 20").fetchall()]  # fmt: skip
    given = tuple(numbers[:2])
    list_load(settings, numbers)
    assert found_in(tmp_path / "store", set(given))
    erase_given(store, given)
    assert found_in(tmp_path / "store", set(given)) == {}
    manifest = list_load(settings, numbers)
    assert found_in(tmp_path / "store", set(given)) == {}
    assert (manifest.persons, manifest.accounting.erased) == (18, 2)


def test_answers_in_xml(kept: Kept, tmp_path: Path) -> None:
    settings = kept.settings(tmp_path / "store", answer_format="xml")
    full_load(settings)
    happen(kept.base_url, 10)
    sync(settings)
    store = open_store(settings)
    erase_given(store, kept.given)
    assert found_in(tmp_path / "store", set(kept.numbers)) == {}
    assert full_load(settings).accounting.erased >= len(kept.given)
    assert found_in(tmp_path / "store", set(kept.numbers)) == {}


def test_what_is_held_is_told_by_line(kept: Kept) -> None:
    store = LocalStore(kept.folder)
    told = held(store, survey(store, persons_of(store, kept.given)))
    assert {one.line for one in told} == {1, 2, 3}
    assert {one.area for one in told} >= {"tables", "answers", "events", "staging"}
    persons = [one for one in told if one.what == "person" and one.place.startswith("bases/")]
    assert all(one.own and one.releases == ("000001", "000002", "000003") for one in persons)
    relations = [one for one in told if one.what == "familierelasjon" and one.named]
    assert relations


def test_a_list_that_isnt_understood_erases_nobody(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("12345678901\n")
    with pytest.raises(ConfigurationError, match="line 1: the control digits are wrong"):
        read_persons(path)
    path.write_text("")
    with pytest.raises(ConfigurationError, match="no identity numbers"):
        read_persons(path)


def test_the_commands(kept: Kept, folder: Path, freg: Any, tmp_path: Path) -> None:
    """As docs/data-protection.md shows them; no number is told by any."""
    environment = {"FREG_BASE_URL": kept.base_url, "FREG_STORE": str(folder)}
    path = tmp_path / "persons.txt"
    path.write_text("\n".join(kept.given))
    told = freg("stored", "persons.txt", "--format", "json", **environment)
    assert told.code == 0
    assert {one["line"] for one in json.loads(told.stdout)} == {1, 2, 3}
    content = freg("stored", "persons.txt", "--output", "out", **environment)
    assert content.code == 0, content.stderr
    names = {one.name for one in (tmp_path / "out").iterdir()}
    assert {"manifest.json", "1-person.parquet", "1-document-0001.json"} <= names
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    dry = freg("erase", "persons.txt", "--dry-run", **environment)
    assert dry.code == 0
    asked = freg("erase", "persons.txt", **environment)
    assert asked.code == 2
    assert "--yes" in asked.stderr
    assert found_in(folder, set(kept.numbers))
    done = freg("erase", "persons.txt", "--yes", **environment)
    assert done.code == 0, done.stderr
    looked = re.findall(r"looked through: ([\d,]+) of ([\d,]+)", done.stderr)
    assert len(looked) >= 2  # before and after
    assert all(some == every for some, every in looked[-1:])
    assert "rewritten: " in done.stderr
    assert "The receipt is erasures/000001/receipt.json" in done.stdout
    listed = freg("erase", "--list", **environment)
    assert listed.code == 0
    every = itertools.chain.from_iterable(
        (one.stdout, one.stderr) for one in (told, content, dry, asked, done, listed)
    )
    assert not any(number in text for text in every for number in kept.numbers)
    assert found_in(folder, set(kept.numbers)) == {}
