"""A table is an asset: by the contract, recorded where it has changed, with checks of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from dagster import DagsterInstance

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.checks import DESCRIPTIONS
from freg_pipeline.lake.dbt_sources import Naming, dbt_sources
from freg_pipeline.lake.described import described
from freg_pipeline.lake.lineage import made_of
from freg_pipeline.lake.offered import offered
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration import known
from freg_pipeline.orchestration.code_location import make_definitions
from freg_pipeline.orchestration.known import known_plan
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.tables import table_specs
from freg_pipeline.store.local import LocalStore
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.contracts import PERSON_XSD, entity, published, small_contract
from freg_pipeline_tests.unit.lake.delivered import (
    copy_of,
    deliver,
    document,
    local_store,
    navn,
    number,
)

A, B, C = (number(index) for index in range(3))
PREFIXED = Names(("kommune", "oslo"))
FIELD = '<xs:element name="verdi" type="xs:string"/>'
SMALL = small_contract(entity("navn", FIELD) + entity("nyttForhold", FIELD))
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def plan_of(contract: str) -> Plan:
    told = {"synthetic": xsd, "published": lambda: published(PERSON_XSD), "small": lambda: SMALL}
    return compile_contract(told[contract]())


@pytest.mark.parametrize("names", [Names(), PREFIXED])
@pytest.mark.parametrize("contract", ["synthetic", "published", "small"])
def test_each_table_of_a_contract_is_an_asset_with_its_columns(contract: str, names: Names) -> None:
    plan = plan_of(contract)
    specs = {spec.key: spec for spec in table_specs(names, plan)}
    expected = offered(plan)
    assert [*specs] == [names.key("freg", one.name) for one in expected]
    for one in expected:
        spec = specs[names.key("freg", one.name)]
        assert (spec.description, spec.group_name) == (one.comment, names.of("readers"))
        assert spec.owners
        assert spec.kinds
        columns = spec.metadata["dagster/column_schema"].columns
        assert [(one.name, one.type, one.description or "") for one in columns] == [*one.shown]


def test_tables_lie_between_the_release_and_the_catalogue_and_groups_form_no_circle() -> None:
    plan = plan_of("synthetic")
    graph = make_definitions(Freg(), plan=plan).resolve_asset_graph()
    tables = [dg.AssetKey(["freg", one.name]) for one in offered(plan)]
    for key in tables:
        above = graph.get(key).parent_keys
        assert above == {dg.AssetKey("release")} or above < {*tables}
        assert not graph.get(key).is_executable, "there is nothing to press: a release makes it"
    assert graph.get(dg.AssetKey("duckdb_katalog")).parent_keys >= {*tables}
    groups = {
        (graph.get(parent).group_name, node.group_name)
        for node in graph.asset_nodes
        for parent in node.parent_keys
    }
    assert [pair for pair in groups if pair[0] != pair[1] and pair[::-1] in groups] == []


def test_a_table_whose_name_dagster_would_not_take_is_an_asset_as_well() -> None:
    """Nobody could depend on it, and the code location wouldn't load."""
    written = ("nøkkelÅr", "nkkelR", "A" * 100, "ø" * 100, "中", "class", "release", "a.-b")
    plan = compile_contract(small_contract("".join(entity(one, FIELD) for one in written)))

    keys = [spec.key for spec in table_specs(Names(), plan)]

    @dg.asset(deps=keys)
    def mine() -> None: ...

    ours = make_definitions(Freg(), plan=plan)
    both = dg.Definitions.merge(ours, dg.Definitions(assets=[mine]))
    dg.Definitions.validate_loadable(both)
    assert len({*keys}) == len(keys)
    sources = yaml.safe_load(dbt_sources(plan, Naming(), everyone=True))["sources"][0]["tables"]
    told = [dg.AssetKey(one["config"]["meta"]["dagster"]["asset_key"]) for one in sources]
    assert told == keys


def test_views_are_downstream_of_what_they_are_made_of() -> None:
    plan = plan_of("synthetic")
    specs = {spec.key.path[-1]: spec for spec in table_specs(Names(), plan)}
    columns = {one.name: {name for name, *_ in one.shown} for one in offered(plan)}
    for name, tables in made_of(described(plan)).items():
        assert {dep.asset_key.path[-1] for dep in specs[name].deps} == tables
        told = specs[name].metadata["dagster/column_lineage"].deps_by_column
        assert told.keys() == columns[name], "each column is made of something"
        for deps in told.values():
            assert deps
            for dep in deps:
                assert dep.column_name in columns[dep.asset_key.path[-1]]


# -- which contract --------------------------------------------------------------------------------


def names_of(plan: Plan) -> set[str]:
    return {table.name for table in plan.tables}


def test_before_the_first_release_the_tables_are_those_of_the_uttrekk_under_way(
    tmp_path: Path,
) -> None:
    freg = Freg({"store": str(tmp_path / "store")})
    assert names_of(known_plan(freg)) == names_of(plan_of("synthetic"))
    assert not (tmp_path / "store").exists(), "to look is not to make"
    store = local_store(tmp_path)
    uttrekk = deliver(store, "one", [("d", document(A))])
    of_store = Freg({"store": store.location})
    contract = uttrekk.request.contract
    assert known_plan(of_store).fingerprint == contract
    build_release(store, uttrekk)
    assert known_plan(of_store).fingerprint == contract


def test_a_store_that_can_not_be_read_or_is_away_keeps_nothing_from_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = local_store(tmp_path)
    build_release(store, deliver(store, "one", [("d", document(A))]))
    (Path(store.location) / "releases" / "000001" / "manifest.json").write_text("{")
    synthetic = names_of(plan_of("synthetic"))
    assert names_of(known_plan(Freg({"store": store.location}))) == synthetic
    assert "reload the code location" in caplog.text
    assert names_of(known_plan(Freg({"environment": "nonsense"}))) == synthetic

    answered = Event()

    class Away(Freg):
        @property
        def store(self) -> LocalStore:  # type: ignore[override]
            answered.wait(60)
            return store

    monkeypatch.setattr(known, "WAIT_SECONDS", 0.05)
    assert names_of(known_plan(Away())) == synthetic
    assert "didn't answer" in caplog.text
    answered.set()


# -- checks ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """A store with a sound release; not to be changed."""
    store = local_store(tmp_path_factory.mktemp("made"))
    people = [
        ("d-a", document(A, navn=[navn("Ada"), navn("Ana")], familierelasjon=[{}])),
        ("d-b", document(B, navn=[navn("Bo")], familierelasjon=[{"relatertPerson": A}])),
    ]
    build_release(store, deliver(store, "one", people))
    return store


class Checked:
    """The checks of tables, as Dagster runs them."""

    def __init__(self, store: LocalStore, instance: DagsterInstance) -> None:
        freg = Freg({"store": store.location})
        self.definitions = make_definitions(freg, plan=known_plan(freg))
        self._instance = instance

    def failed(self, *only: dg.AssetCheckKey) -> dict[tuple[str, str], dict[str, object]]:
        """What fails: all tables' checks, or some alone."""
        job = self.definitions.resolve_job_def("check_tables")
        if only:
            whole = self.definitions.resolve_implicit_global_asset_job_def()
            job = whole.get_subset(asset_selection=set(), asset_check_selection={*only})
        result = job.execute_in_process(QUIET, instance=self._instance)
        self.evaluations = result.get_asset_check_evaluations()
        return {
            (one.asset_key.path[-1], one.check_name): {
                name: value.value for name, value in one.metadata.items()
            }
            for one in self.evaluations
            if not one.passed
        }


def rewrite(store: LocalStore, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a table's file behind the release's back."""
    file = require_current(store).tables[table].files[0]
    path = store.path(file.key)
    pq.write_table(change(pq.read_table(path, partitioning=None)), path)


def twice(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, rows.slice(0, 1)])


def of_a_stranger(rows: pa.Table) -> pa.Table:
    rows = rows.set_column(0, rows.schema.field(0), pa.array([C] * len(rows)))
    place = rows.column_names.index("_person")
    return rows.set_column(place, rows.schema.field(place), pa.array([int(C)] * len(rows)))


def test_each_table_has_the_checks_that_its_contract_gives_and_a_sound_one_passes(
    made: LocalStore, instance: DagsterInstance
) -> None:
    checked = Checked(made, instance)
    assert checked.failed() == {}
    of_tables: dict[str, set[str]] = {}
    for one in checked.evaluations:
        of_tables.setdefault(one.asset_key.path[-1], set()).add(one.check_name)
    plan = known_plan(Freg({"store": made.location}))
    for table in plan.tables:
        expected = {"keys_unique", "rows_have_a_person"}
        expected |= {"fields_known"} if not table.levels else set()
        expected |= {"codes_known"} if any(one.codes for one in table.columns) else set()
        related = any(one.is_reference for one in table.columns)
        if related and table.entity != "identifikasjonsnummer":
            expected.add("relations_have_targets")
        assert of_tables[table.name] == expected
    assert {name for names in of_tables.values() for name in names} <= {*DESCRIPTIONS}


@pytest.mark.parametrize(
    ("table", "change", "check", "found"),
    [
        ("navn", twice, "keys_unique", {"navn: expected 0, found": 1}),
        ("navn", of_a_stranger, "rows_have_a_person", {"navn: expected 0, found": 3}),
        ("person_naa", twice, "keys_unique", {"person_naa: expected 0, found": 1}),
    ],
)
def test_a_damaged_table_fails_its_own_checks_only_and_alone_too(
    made: LocalStore,
    tmp_path: Path,
    instance: DagsterInstance,
    table: str,
    change: Callable[[pa.Table], pa.Table],
    check: str,
    found: dict[str, int],
) -> None:
    store = copy_of(made, tmp_path)
    rewrite(store, table, change)
    checked = Checked(store, instance)
    failed = checked.failed()
    assert {name for name, _ in failed} == {table}
    assert failed[table, check] == {"checked": 1, **found}, "counts only"
    key = dg.AssetCheckKey(dg.AssetKey(["freg", table]), check)
    assert checked.failed(key) == {(table, check): failed[table, check]}
    assert [one.check_name for one in checked.evaluations] == [check], "it ran alone"
    sound = dg.AssetCheckKey(dg.AssetKey(["freg", "vergemaal"]), "keys_unique")
    assert checked.failed(sound) == {}


def test_what_fails_of_a_release_is_recorded_at_its_table(
    made: LocalStore, tmp_path: Path, instance: DagsterInstance
) -> None:
    store = copy_of(made, tmp_path)
    rewrite(store, "familierelasjon", twice)
    definitions = Checked(store, instance).definitions
    whole = definitions.resolve_implicit_global_asset_job_def()
    release = dg.AssetCheckKey(dg.AssetKey("release"), "keys_unique")
    checks = {key for key in whole.asset_layer.asset_graph.asset_check_keys
              if key.asset_key == release.asset_key and key.name in DESCRIPTIONS}  # fmt: skip
    job = whole.get_subset(asset_selection=set(), asset_check_selection=checks)
    told = job.execute_in_process(QUIET, instance=instance).get_asset_check_evaluations()
    failed = {(one.asset_key.path[-1], one.check_name) for one in told if not one.passed}
    assert failed >= {("release", "keys_unique"), ("familierelasjon", "keys_unique")}
    assert A not in repr([one.metadata for one in told])
