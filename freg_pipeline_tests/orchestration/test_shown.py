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
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.lake.offered import offered
from freg_pipeline.lake.query import connect
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.compaction import piece_partition
from freg_pipeline.orchestration.engine import Engine
from freg_pipeline.orchestration.known import known_plan
from freg_pipeline.orchestration.partitions import COMPACTION_PIECE
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.loads import fetched
from freg_pipeline_tests.registers import happen

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
SHOWN = ("release", "duckdb_katalog")
UNCOUNTED = ("familie", "husstand", "flytting", "kode")  # views
EAGER = dg.AutomationCondition.eager()


@dg.asset(deps=["release"], automation_condition=EAGER)
def of_the_release() -> None:
    """Somebody's own table, made whenever there is a new release."""


@dg.asset(deps=["duckdb_katalog"], automation_condition=EAGER)
def of_the_catalogue() -> None:
    """Likewise, by the catalogue."""


@dg.asset(deps=[["freg", "navn"]], automation_condition=EAGER)
def of_names() -> None:
    """Likewise, by a table that an event changes."""


@dg.asset(deps=[["freg", "vergemaal_eller_fremtidsfullmakt"]], automation_condition=EAGER)
def of_guardians() -> None:
    """Likewise, by a table in which hardly anybody has a row."""


DOWNSTREAM = (of_the_release, of_the_catalogue, of_names, of_guardians)


class Page:
    """What Dagster shows, and requests by itself."""

    def __init__(self, freg: Freg, instance: DagsterInstance) -> None:
        ours = make_definitions(freg, plan=known_plan(freg))
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

    def tables(self) -> dict[str, str | None]:
        """The data version that each table shows."""
        return {name: made.tags["dagster/data_version"] for name, made in self._made().items()}

    def rows(self) -> dict[str, object]:
        """The rows that each table shows, where it shows any."""
        told = {name: made.metadata.get("dagster/row_count") for name, made in self._made().items()}
        return {name: value.value for name, value in told.items() if value is not None}

    def in_deltas(self) -> set[object]:
        """In deltas, as was observed last."""
        found = set()
        for key in self._keys():
            records = self._instance.fetch_observations(key, limit=1).records
            for one in records:
                observed = one.asset_observation
                assert observed is not None
                found.add(observed.metadata["rows_in_deltas"].value)
        return found

    def _keys(self) -> list[AssetKey]:
        graph = self._definitions.resolve_asset_graph()
        return [key for key in graph.get_all_asset_keys() if key.path[0] == "freg"]

    def _made(self) -> dict[str, dg.AssetMaterialization]:
        found = {}
        for key in self._keys():
            event = self._instance.get_latest_materialization_event(key)
            if event is not None and event.asset_materialization is not None:
                found[key.path[-1]] = event.asset_materialization
        return found

    def drawn(self) -> object:
        """As of when the pictures at the release are drawn, among which is that of kommuner."""
        event = self._instance.get_latest_materialization_event(AssetKey("release"))
        made = event.asset_materialization if event else None
        assert made is not None
        assert "persons_by_kommune" in made.metadata
        return made.metadata["persons_drawn"].value

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


def tables_of(freg: Freg) -> list[str]:
    """All tables and views of the current release."""
    plan = load_plan(freg.store, require_current(freg.store).contract)
    return [one.name for one in offered(plan)]


def rows_of(freg: Freg) -> dict[str, list[tuple[object, ...]]]:
    """What readers see of each, but for the views whose rows aren't told."""
    with connect(freg.store) as connection:
        return {
            name: sorted(connection.execute(f"FROM {name}").fetchall(), key=repr)
            for name in tables_of(freg)
            if name not in UNCOUNTED
        }


def touched_by_hand(freg: Freg, before: dict[str, list[tuple[object, ...]]]) -> set[str]:
    """The tables in which somebody whose document the last sync brought has a row, or had one."""
    last = require_current(freg.store).uttrekk
    with connect(freg.store) as connection:
        found = connection.execute(
            "SELECT personidentifikator FROM person WHERE uttrekk = ?", [last]
        ).fetchall()
    theirs, after = {number for (number,) in found}, rows_of(freg)
    per_person = {
        name for name in before if any(row[0] in theirs for row in (*before[name], *after[name]))
    }
    views = {"familie", "husstand", "flytting", "utgivelse"}
    return {*per_person, "hendelse", "hendelse_egenskap", *views}


def test_each_release_is_shown_and_requests_what_is_downstream(
    start_register: StartRegister, make_freg: Callable[..., Freg], instance: DagsterInstance
) -> None:
    url = start_register(persons=60)
    everybody = {one.key.to_user_string() for one in DOWNSTREAM}
    of_any_release = {"of_the_release", "of_the_catalogue"}
    with make_freg(url) as freg:
        page, engine = Page(freg, instance), Engine(freg, instance)
        assert page.requested() == set()

        fetched(freg.settings, name="all")
        engine.land("all", [0])
        engine.run("publish_release")  # the only one that waits for it
        assert page.versions() == {"000001"}
        assert page.requested() == everybody
        assert page.requested() == set(), "once for each release"
        with pytest.raises(ConfigurationError, match="0 uttrekk wait for their release"):
            engine.run("publish_release")

        assert page.tables() == dict.fromkeys(tables_of(freg), "000001"), "also empty ones"

        first = require_current(freg.store).created.timestamp()
        assert page.drawn() == first
        before = rows_of(freg)
        happen(url, 3, type="endringINavn")
        engine.run("sync_hendelser")
        assert page.versions() == {"000002"}
        changed = {name for name, version in page.tables().items() if version == "000002"}
        assert {name for name, rows in rows_of(freg).items() if rows != before[name]} <= changed
        assert changed == touched_by_hand(freg, before)
        assert page.requested() == {*of_any_release, "of_names"}
        assert page.rows() == {name: len(rows) for name, rows in rows_of(freg).items()}

        assert page.drawn() == first, "a sync carries them along"
        engine.run("sync_hendelser")
        assert page.requested() == set(), "nothing is new"

        compaction = begin_compaction(freg.store)
        assert compaction is not None
        for piece in pieces(compaction):
            engine.add(COMPACTION_PIECE, piece_partition(compaction, piece))
            engine.run("compact_piece", piece_partition(compaction, piece))
        engine.run("publish_compaction")
        assert page.versions() == {"000003"} == {require_current(freg.store).number}
        assert page.requested() == of_any_release, "no row has changed"
        assert page.drawn() == require_current(freg.store).created.timestamp()
        assert page.rows() == {name: len(rows) for name, rows in rows_of(freg).items()}
        assert page.in_deltas() == {0}
