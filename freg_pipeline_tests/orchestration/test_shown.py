"""Every release shows at its assets, whoever publishes it, and what is downstream is requested."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest
from dagster import AssetKey, DagsterInstance
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.compact import begin_compaction, pieces
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.compaction import piece_partition
from freg_pipeline.orchestration.engine import Engine
from freg_pipeline.orchestration.partitions import COMPACTION_PIECE
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import fetched
from freg_pipeline_tests.registers import happen

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
SHOWN = ("release", "duckdb_katalog")
EAGER = dg.AutomationCondition.eager()


@dg.asset(deps=["release"], automation_condition=EAGER)
def of_the_release() -> None:
    """Somebody's own table, made whenever there is a new release."""


@dg.asset(deps=["duckdb_katalog"], automation_condition=EAGER)
def of_the_catalogue() -> None:
    """Likewise, by the catalogue."""


DOWNSTREAM = (of_the_release, of_the_catalogue)


class Page:
    """What Dagster shows, and requests by itself."""

    def __init__(self, freg: Freg, instance: DagsterInstance) -> None:
        ours = make_definitions(freg)
        self._definitions = dg.Definitions.merge(ours, dg.Definitions(assets=DOWNSTREAM))
        self._instance = instance
        self._cursor: AssetDaemonCursor | None = None

    def versions(self) -> set[str | None]:
        """The data versions that the assets show."""
        found = set()
        for name in SHOWN:
            event = self._instance.get_latest_materialization_event(AssetKey(name))
            made = event.asset_materialization if event else None
            found.add((made.tags or {}).get("dagster/data_version") if made else None)
        return found

    def requested(self) -> set[str]:
        """The assets downstream that are requested now; they are made."""
        result = dg.evaluate_automation_conditions(
            self._definitions,
            self._instance,
            asset_selection=dg.AssetSelection.assets(*DOWNSTREAM),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        wanted = [one for one in DOWNSTREAM if result.get_num_requested(one.key)]
        if wanted:
            dg.materialize(wanted, instance=self._instance, run_config=QUIET)
        return {one.key.to_user_string() for one in wanted}


def test_each_release_is_shown_and_requests_what_is_downstream(
    start_register: StartRegister, make_freg: Callable[..., Freg], instance: DagsterInstance
) -> None:
    url = start_register(persons=60)
    everybody = {one.key.to_user_string() for one in DOWNSTREAM}
    with make_freg(url) as freg:
        page, engine = Page(freg, instance), Engine(freg, instance)
        assert page.requested() == set()

        fetched(freg.settings, name="all")
        engine.land("all", 0)
        engine.run("publish_release")  # the only one that waits for it
        assert page.versions() == {"000001"}
        assert page.requested() == everybody
        assert page.requested() == set(), "once for each release"
        with pytest.raises(ConfigurationError, match="0 uttrekk wait for their release"):
            engine.run("publish_release")

        happen(url, 20)
        engine.run("sync_hendelser")
        assert page.versions() == {"000002"}
        assert page.requested() == everybody

        engine.run("sync_hendelser")
        assert page.requested() == set(), "nothing is new"

        compaction = begin_compaction(freg.store)
        assert compaction is not None
        for piece in pieces(compaction):
            engine.add(COMPACTION_PIECE, piece_partition(compaction, piece))
            engine.run("compact_piece", piece_partition(compaction, piece))
        engine.run("publish_compaction")
        assert page.versions() == {"000003"} == {require_current(freg.store).number}
        assert page.requested() == everybody
