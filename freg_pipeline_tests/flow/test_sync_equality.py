"""Whatever happened, in whichever order: the tables are those of a full load at the same number."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from freg_pipeline.client import Register
from freg_pipeline.course import collect
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.query import query
from freg_pipeline.lake.release import build_release
from freg_pipeline.lake.verify import verify
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.tables import difference, miscounted
from freg_pipeline_tests.unit.lake.kills import Dying, KilledError

MERGE = "personErViderefoertSomGjeldendeVedSammenslaaing"
SPLIT = "personErGjenopprettetVedSplitting"
# Answers that come damaged or in another order; events of kinds that no contract lists.
OPTIONS = RegisterOptions(
    persons=80,
    batch_size=80,
    ready_after_seconds=0.02,
    unknown_kinds=0.1,
    faults="500=0.03,truncated=0.03,unordered=0.3",
)

Step = tuple[str, int]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("happen"), st.integers(1, 120)),
        st.tuples(st.just("rename"), st.integers(1, 120)),  # one in five is taken back
        st.tuples(st.just("merge"), st.integers(1, 2)),
        st.tuples(st.just("split"), st.just(1)),
        st.tuples(st.just("sync"), st.just(0)),
        st.tuples(st.just("die"), st.integers(0, 130)),  # killed after so many writes
        st.tuples(st.just("compact"), st.just(0)),
        st.tuples(st.just("load"), st.just(0)),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=4, deadline=None, database=None, derandomize=True)
@given(steps, st.integers(1, 1_000))
def test_any_course_of_events_ends_with_the_tables_of_a_full_load(
    course: list[Step], seed: int
) -> None:
    options = replace(OPTIONS, seed=seed)
    with tempfile.TemporaryDirectory() as folder, running(options) as url:
        chosen = load(base_url=url, store=f"{folder}/store", poll_seconds=0.02)
        full_load(chosen)
        for step in [("merge", 1), ("happen", 60), ("rename", 120), ("sync", 0), *course]:
            take(step, url, chosen)
        take(("rename", 60), url, chosen)
        sync(chosen)

        store = open_store(chosen)
        fresh = chosen.model_copy(update={"store": f"{folder}/fresh"})
        assert full_load(fresh).sekvensnummer == require_current(store).sekvensnummer
        assert difference(store, open_store(fresh)) == {}
        assert verify(store) == []
        assert miscounted(store) == {}
        twice = "SELECT sekvensnummer FROM hendelse GROUP BY ALL HAVING count(*) > 1"
        assert query(store, twice).fetchall() == []


def take(step: Step, url: str, chosen: Settings) -> None:
    what, number = step
    store = open_store(chosen)
    if what == "happen":
        happen(url, number)
    elif what == "rename":
        happen(url, number, type="endringINavn")
    elif what in {"merge", "split"}:
        with contextlib.suppress(Exception):  # nobody is left who could be split
            happen(url, number, type=MERGE if what == "merge" else SPLIT)
    elif what == "sync":
        sync(chosen)
    elif what == "die":
        dying = Dying(LocalStore(Path(store.location)), number, after=number % 2 == 0)
        with contextlib.suppress(KilledError):
            _sync_with(cast(Store, dying), chosen)
    elif what == "compact":
        compaction = begin_compaction(store)
        if compaction is not None:
            compact(store, compaction, lambda more: None)
    else:
        full_load(chosen)


def _sync_with(store: Store, chosen: Settings) -> None:
    async def collected() -> None:
        async with Register.from_settings(chosen) as register:
            taken = await collect(store, register, chosen, lambda what, total: lambda more: None)
        if taken is not None:
            build_release(store, taken.uttrekk)

    asyncio.run(collected())
