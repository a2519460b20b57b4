"""The table of object names against a real store: every object has one name, every name occurs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from freg_pipeline.client import TilpassetKriterier
from freg_pipeline.journal.access_log import note_access
from freg_pipeline.journal.kinds import Tilpasset
from freg_pipeline.journal.names import NAMES, names_of
from freg_pipeline.journal.pins import pin
from freg_pipeline.journal.registered import FORMATS
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.open_tables import register
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_liste, run_uttrekk
from freg_pipeline.orchestration.run_feed import syncing
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import happen

# Not made here: what only failures leave, and what a test of its own is about.
ELSEWHERE = {"jobs/", "-gone.json", "abandoned.json", "report.html", "erasures/"}


def test_every_object_has_one_name_and_every_name_occurs(
    start_register: StartRegister, make_freg: Callable[..., Freg], tmp_path: Path
) -> None:
    url = start_register(persons=120, batch_size=100)
    everyone, selection = make_freg(url), make_freg(url, store=str(tmp_path / "selection"))
    run_uttrekk(everyone, name="everyone")
    run_uttrekk(
        selection, Tilpasset(TilpassetKriterier(personstatustyper=("bosatt",))), name="selection"
    )
    happen(url, 30)
    for freg in (everyone, selection):
        with syncing(freg) as work:
            work.once()
    compaction = begin_compaction(everyone.store)
    assert compaction is not None
    under_way = everyone.store.list("compacting/")
    compact(everyone.store, compaction, lambda more: None)
    pin(everyone.store, "1", "kept")
    note_access(everyone.store, "sql").gave(1)
    for kind in FORMATS:
        register(everyone.store, kind)
    file = tmp_path / "list.txt"
    file.write_text("41819077302\nno number\n")
    listed = make_freg(url, store=str(tmp_path / "listed"))
    run_liste(listed, file, name="listed")
    happen(url, 5)
    with syncing(everyone) as work:
        work.once()

    keys = [key for freg in (everyone, selection, listed) for key in freg.store.list("")
            if not key.startswith(("dagster/", ".tmp/"))]  # fmt: skip
    begun = Uttrekk(listed.store, "listed").request
    Uttrekk.begin(listed.store, msgspec.structs.replace(begun, name="open-one"))
    keys += under_way + listed.store.list("open/")
    assert [(key, len(names_of(key))) for key in keys if len(names_of(key)) != 1] == []
    missing = [
        name.pattern
        for name in NAMES
        if not any(name.fits(key) for key in keys)
        and not any(part in name.pattern for part in ELSEWHERE)
    ]
    assert missing == []
