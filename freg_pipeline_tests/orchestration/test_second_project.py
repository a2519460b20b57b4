"""docs/dagster.md: a project of one's own, made from the page: two stores, an asset and dbt."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import duckdb
import pytest
import yaml

from docs.examples import FOLDER
from freg_pipeline.contract import compile_contract
from freg_pipeline.lake.dbt_sources import Naming, dbt_sources
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.orchestration import second_project

ROOT = FOLDER.parent
PAGE = (FOLDER / "dagster.md").read_text()
_FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
_MANIFEST = re.compile(r"`(dagster-dbt [^`]+)`")
MODELS = ["befolkning_per_kommune", "flyttinger_per_maaned"]


def _run(*command: str | Path, folder: Path, **environment: str) -> str:
    scripts = os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"]))
    ended = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, "PATH": scripts, **environment},
        capture_output=True,
        text=True,
    )
    assert not ended.returncode, ended.stdout[-5_000:] + ended.stderr[-5_000:]
    return ended.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, installed from a wheel; the other packages are those of here."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "freg_pipeline", source / "freg_pipeline", ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(*pip, "wheel", "--no-deps", "--wheel-dir", "dist", source, folder=folder)
    (wheel,) = (folder / "dist").iterdir()
    _run(sys.executable, "-m", "venv", "--without-pip", "venv", folder=folder)
    into = (*pip, "--python", folder / "venv", "install", "--no-deps", "--no-compile", wheel)
    _run(*into, folder=folder)
    (site,) = (folder / "venv").glob("lib/python3*/site-packages")
    # On the path only, where files like the one that makes the project importable here say nothing.
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    _take_compiled_decoder(site)
    return site


def _take_compiled_decoder(site: Path) -> None:
    """Spares compiling it once more: it belongs to a source file of a certain time."""
    here, there = (root / "freg_pipeline" / "normalize" / "machine" for root in (ROOT, site))
    for kept in here.glob("__pycache__/*.nb[ci]"):
        (there / "__pycache__").mkdir(exist_ok=True)
        shutil.copy(kept, there / "__pycache__")
    for source in here.glob("*.py"):
        times = source.stat()
        os.utime(there / source.name, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_wheel_works_alone(installed: Path, tmp_path: Path) -> None:
    """In an empty folder: the demo, its version, and the definitions as Dagster loads them."""
    bin_ = installed.parents[2] / "bin"
    alone = {"PYTHONPATH": "", "DAGSTER_HOME": "", "FREG_STORE": ""}
    where = "import freg_pipeline.definitions as d; print(d.__file__)"
    imported = _run(bin_ / "python", "-c", where, folder=tmp_path, **alone)
    assert Path(imported.strip()).is_relative_to(installed)
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    said = _run(bin_ / "freg", "--version", folder=tmp_path, **alone)
    assert said.strip() == f"freg, version {stated}"
    said = _run(bin_ / "freg", "demo", "--persons", "100", folder=tmp_path, **alone)
    assert "0 failed + 0 unexplained" in said
    (page,) = [line for line in said.splitlines() if "freg_pipeline.definitions" in line]
    assert "make ui" not in said, "there is nothing to make here"
    home, dagster, *options = shlex.split(page)
    assert home == f"DAGSTER_HOME={tmp_path}/data/dagster"
    assert (tmp_path / "data/dagster/dagster.yaml").exists(), "where the demo's runs are recorded"
    assert Path(dagster).name == "dagster"
    assert options == ["dev", "-m", "freg_pipeline.definitions"]
    validate = ("-m", "dagster", "definitions", "validate", "-m", "freg_pipeline.definitions")
    _run(bin_ / "python", *validate, folder=tmp_path, **alone)


def test_a_wheel_holds_what_the_package_reads_beside_code_and_the_licence(installed: Path) -> None:
    def data(root: Path) -> set[str]:
        found = (path for path in (root / "freg_pipeline").rglob("*") if path.is_file())
        kept = (path for path in found if "__pycache__" not in path.parts)
        return {str(path.relative_to(root)) for path in kept if path.suffix != ".py"}

    assert data(installed) == data(ROOT)
    assert {"page.html.j2", "persondokument.xsd", "py.typed"} <= {
        Path(name).name for name in data(installed)
    }
    (described,) = installed.glob("freg_pipeline-*.dist-info")
    licence = (described / "licenses" / "LICENSE").read_text()
    assert licence == (ROOT / "LICENSE").read_text()
    assert "\nLicense-Expression: MIT\n" in (described / "METADATA").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project that the page tells how to make."""
    folder = tmp_path / "project"
    left_out = shutil.ignore_patterns("target", "logs", "*.duckdb")
    shutil.copytree(ROOT / "examples" / "dbt", folder / "dbt", ignore=left_out)
    for name, text in _FILE.findall(PAGE):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "folk" / "__init__.py").touch()
    sources = dbt_sources(compile_contract(xsd()), Naming(prefix=("alle",)), everyone=True)
    (folder / "dbt" / "models" / "sources.yml").write_text(sources)
    return folder


def test_the_page_makes_a_deployment_of_two_stores_with_assets_and_dbt_behind_them(
    start_register: StartRegister, installed: Path, project: Path
) -> None:
    url = start_register(persons=300, batch_size=300)
    paths = os.pathsep.join(map(str, (project, installed, ROOT)))
    environment = {
        "PYTHONPATH": paths,
        "DAGSTER_HOME": str(project),
        "DATA": str(project / "data"),
        "STATISTIKK": str(project / "statistikk.duckdb"),
        "FREG_BASE_URL": url,
        "FREG_POLL_SECONDS": "0.02",
    }
    (manifest,) = _MANIFEST.findall(PAGE)
    _run(*manifest.split(), folder=project, **environment)
    said = json.loads(
        _run(sys.executable, second_project.__file__, url, folder=project, **environment)
        .strip().splitlines()[-1]
    )  # fmt: skip
    assert Path(said["package"]).is_relative_to(installed)
    assert said["asked"] == {
        "empty": [],
        "alle": MODELS,
        "oslo": ["fodselsaar"],
        "sync": MODELS,
        "nothing": [],
    }
    alle, oslo = (project / "data" / name / "freg.duckdb" for name in ("alle", "oslo"))
    residents = "SELECT count(*) FROM person_naa WHERE status = 'bosatt'"
    with duckdb.connect(str(project / "statistikk.duckdb"), read_only=True) as made:
        (modelled,) = made.sql("SELECT sum(antall) FROM befolkning_per_kommune").fetchall()
    with duckdb.connect(str(alle), read_only=True) as freg:
        assert freg.sql(residents).fetchall() == [modelled]
    with duckdb.connect(str(oslo), read_only=True) as freg:
        years = freg.sql(
            f"SELECT sum(personer) FROM '{project}/data/fodselsaar.parquet'"
        ).fetchall()
        assert freg.sql(residents).fetchall() == years


def test_the_pages_profile_for_dbt_is_that_of_the_example() -> None:
    """In another time zone the last event's year, by which ages are counted, is another one."""
    shown = yaml.safe_load(dict(_FILE.findall(PAGE))["dbt/profiles.yml"])
    ours = yaml.safe_load((ROOT / "examples" / "dbt" / "profiles.yml").read_text())
    for one in (shown, ours):
        output = one["folkeregisteret"]["outputs"]["duckdb"]
        del output["path"], output["attach"]
    assert shown == ours


def test_what_the_page_says_of_dagster_yaml_is_what_ours_says() -> None:
    """The lines that it shows are lines of ours."""
    shown = dict(_FILE.findall(PAGE))["dagster.yaml"]
    ours = yaml.safe_load((ROOT / "dagster.yaml").read_text())

    def within(part: object, whole: object) -> bool:
        if not isinstance(part, dict):
            return part == whole
        return isinstance(whole, dict) and all(
            name in whole and within(value, whole[name]) for name, value in part.items()
        )

    assert within(yaml.safe_load(shown), ours)
