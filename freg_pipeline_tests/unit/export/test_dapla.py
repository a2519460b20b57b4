"""Copies by Statistics Norway's conventions, as its own metadata tool judges them."""

from __future__ import annotations

import asyncio
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from freg_pipeline.commands.root import cli
from freg_pipeline.export.dapla import short_name
from freg_pipeline.lake.query import connect
from freg_pipeline.settings import load
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.loads import full_load

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # theirs and what they import
    from dapla_metadata.datasets import Datadoc, dataset_parser
    from dapla_metadata.datasets.dapla_dataset_path_info import DaplaDatasetPathInfo
    from dapla_metadata.datasets.statistic_subject_mapping import StatisticSubjectMapping
    from dapla_metadata.standards import check_naming_standard
    from datadoc_model.all_optional.model import MetadataContainer


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Everybody of a small register, by its own contract; not to be changed."""
    folder = tmp_path_factory.mktemp("store")
    with running(RegisterOptions(persons=100, batch_size=100, ready_after_seconds=0.02)) as url:
        settings = load(base_url=url, store=str(folder / "store"), poll_seconds=0.02)
        full_load(settings)
    return open_store(settings)


@pytest.fixture(scope="module")
def copy(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("buckets") / "buckets/produkt/folkeregister/inndata"
    folder.mkdir(parents=True)
    found = ended(store, "--layout", "dapla", str(folder / "dag"))
    assert found.exit_code == 0, found.output
    return folder / "dag"


def ended(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", "--store", store.location, *arguments])


def files(copy: Path) -> list[Path]:
    found = sorted(copy.glob("*.parquet"))
    assert len(found) > 30
    return found


def test_names_follow_the_standard(copy: Path) -> None:
    shown = [Path("/", *one.parts[one.parts.index("buckets") :]) for one in files(copy)]
    for path in shown:
        (told,) = asyncio.run(check_naming_standard(path))
        assert told.success, told.violations
        info = DaplaDatasetPathInfo(path)
        assert info.path_complies_with_naming_standard()
        assert info.dataset_version == "1"


def test_their_tool_takes_types_and_descriptions(copy: Path) -> None:
    for path in files(copy):
        read = dataset_parser.DatasetParser.for_file(path).get_fields()
        described = path.with_name(f"{path.stem}__DOC.json").read_text()
        told = MetadataContainer.model_validate_json(described, strict=False)
        assert told.datadoc is not None
        assert told.datadoc.variables is not None
        data_types = [(one.short_name, one.data_type) for one in read]
        assert all(kind is not None for _, kind in data_types), path.name
        assert [(one.short_name, one.data_type) for one in told.datadoc.variables] == data_types
        dataset, info = told.datadoc.dataset, DaplaDatasetPathInfo(path)
        assert dataset is not None
        assert dataset.short_name == info.dataset_short_name
        assert dataset.version == info.dataset_version
        assert dataset.contains_data_from == info.contains_data_from


def test_their_tool_goes_on_with_a_description(copy: Path) -> None:
    (path,) = copy.glob("navn_p*.parquet")
    nothing = StatisticSubjectMapping(ThreadPoolExecutor(1), None)  # else it asks www.ssb.no
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = Datadoc(str(path), statistic_subject_mapping=nothing)
    told = {one.short_name: one for one in opened.variables}
    said = pq.read_schema(path).field("personidentifikator").metadata[b"comment"].decode()
    assert said in str(told["personidentifikator"].comment)
    assert opened.dataset.dataset_state == "INPUT_DATA"
    assert "Utgivelse 000001" in str(opened.dataset.description)


def test_times_are_norways_and_lists_are_text(store: Store, copy: Path) -> None:
    (path,) = copy.glob("person_p*.parquet")
    with connect(store) as views:
        wanted = views.sql("SELECT norsk_tid(hentet) FROM person ORDER BY ALL").fetchall()
        lists = views.sql(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type LIKE '%[]'"
        ).fetchall()
    hentet = pq.read_table(path)["hentet"]
    assert hentet.type == pa.timestamp("us")
    assert sorted(hentet.to_pylist()) == [one for (one,) in wanted]
    assert isinstance(hentet[0].as_py(), datetime)
    here = {one.name.split("_p")[0]: one for one in files(copy)}
    texts = [
        text
        for table, column in lists
        if short_name(table) in here
        for text in pq.read_table(here[short_name(table)])[column].to_pylist()
        if text is not None
    ]
    assert texts
    assert all(isinstance(json.loads(text), list) for text in texts)


def test_the_copy_is_private_and_its_manifest_tells_the_layout(copy: Path) -> None:
    assert copy.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in copy.iterdir()} == {0o600}
    told = json.loads((copy / "manifest.json").read_text())
    assert told["layout"] == "dapla"
    assert {one["file"]["file"] for one in told["tables"].values()} == {
        path.name for path in files(copy)
    }


def test_a_version_of_its_own(store: Store, tmp_path: Path) -> None:
    wanted = ["--table", "navn", str(tmp_path / "copy")]
    assert ended(store, "--layout", "dapla", "--data-version", "2", *wanted).exit_code == 0
    assert [path.name.rpartition("_")[2] for path in (tmp_path / "copy").glob("*.parquet")] == [
        "v2.parquet"
    ]
    wrong = ended(store, "--data-version", "2", str(tmp_path / "other"))
    assert "--data-version is for --layout dapla" in str(wrong.exception)


@pytest.mark.parametrize(
    ("table", "short"),
    [
        ("person_naa", "person-naa"),
        ("vergemaal__kontakt", "vergemaal--kontakt"),
        ("år_ø", "aar-oe"),
        ("a\u030ar", "aar"),
        ("élève_ï_", "eleve-i"),
        ("p2020", "tabell-p2020"),
        ("p_2020", "p-2020"),
        ("名", "tabell"),
    ],
)
def test_short_names(table: str, short: str) -> None:
    assert short_name(table) == short
    path = Path(f"/buckets/produkt/folkeregister/inndata/{short}_p2026-11-26_v1.parquet")
    (told,) = asyncio.run(check_naming_standard(path))
    assert told.success, told.violations
    assert DaplaDatasetPathInfo(path).dataset_short_name == short
