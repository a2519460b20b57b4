"""Somebody was erased, and then the register finds that they are another person whom it has, too.

Found by a random course: the other one's tables stayed for ever as they were before.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from freg_pipeline.erasure.course import erase
from freg_pipeline.erasure.persons import read_persons, with_other_numbers
from freg_pipeline.erasure.survey import survey
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.query import connect
from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.living import MERGE, everyone, numbers_of
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen


@pytest.mark.parametrize("form", ["json", "xml"])
def test_who_goes_on_for_somebody_erased_is_nobody_here_either(form: str, tmp_path: Path) -> None:
    options = RegisterOptions(persons=60, seed=4, refused_parts=(), ready_after_seconds=0.02)
    with running(options) as url, running(options) as later:
        ended, other = _who_will_be_merged(later)
        settings = load(
            base_url=url, store=str(tmp_path / "store"), poll_seconds=0.02, answer_format=form
        )
        before = full_load(settings).persons
        store = open_store(settings)
        _erase(store, ended, tmp_path)
        assert _persons(store) >= {other}
        happen(url, 1, type=MERGE)
        sync(settings)
        kept = _persons(store)
        assert other not in kept
        assert len(kept) == before - 2
        assert not {ended, other} & _told(store)
        full_load(settings)  # which never had them: it is the same
        assert _persons(store) == kept


def _who_will_be_merged(url: str) -> tuple[str, str]:
    """Of a register like the other: whom a merge ends, and who goes on."""
    before = everyone(url)
    happen(url, 1, type=MERGE)
    after = everyone(url)
    (ended,) = before.keys() - after.keys()
    return ended, numbers_of(after)[ended]


def _erase(store: Store, number: str, folder: Path) -> None:
    path = folder / "list.txt"
    path.write_text(number)
    erase(store, survey(store, with_other_numbers(store, read_persons(path))))


def _persons(store: Store) -> set[str]:
    with closing(connect(store, require_current(store))) as connection:
        rows = connection.execute("SELECT personidentifikator FROM person").fetchall()
    return {number for (number,) in rows}


def _told(store: Store) -> set[str]:
    """Everything that the account of the others tells."""
    with closing(connect(store, require_current(store))) as connection:
        rows = connection.execute("FROM avvik").fetchall()
    return {str(cell) for row in rows for cell in row}
