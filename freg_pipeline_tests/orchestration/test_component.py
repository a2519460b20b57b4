"""A store as a component: written by Dagster's own command, read from YAML, checked by it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.component_scaffolding import scaffold_object
from pydantic import SecretStr

import freg_pipeline
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.settings import Settings
from freg_pipeline_tests.waiting import STUCK_SECONDS

# Dagster's own, as it reads a component's file.
pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")
ROOT = Path(__file__).parents[2]
TYPE = "freg_pipeline.FregComponent"
SECRETS = {"token", "fiks_integrasjon_passord", "alerts"}
PROJECT = """\
[project]
name = "mine"
version = "0.1"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "mine"
"""
DEFINITIONS = """\
from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
"""


def dg_command(folder: Path, home: Path, *arguments: str) -> str:
    """Run ``dg`` in a folder; returns what it says."""
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environment = {
        **os.environ,
        "HOME": str(home),
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": str(folder),
        "VIRTUAL_ENV": sys.prefix,
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("dg"), *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=STUCK_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def loaded(**attributes: Any) -> dg.Definitions:
    """What a component with these attributes gives."""
    component = freg_pipeline.FregComponent.resolve_from_yaml(yaml.safe_dump(attributes))
    return component.build_defs(dg.ComponentTree.for_test().load_context)


def freg_of(definitions: dg.Definitions, key: str) -> Freg:
    found = (definitions.resources or {})[key]
    assert isinstance(found, Freg)
    return found


def test_two_stores_in_a_project_of_ones_own(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    (project / "mine" / "defs").mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "mine" / "__init__.py").write_text("")
    (project / "mine" / "definitions.py").write_text(DEFINITIONS)
    said = dg_command(project, home, "scaffold", "defs", TYPE, "min-kommune", "--store", "a b")
    assert "Warning" not in said
    file = project / "mine" / "defs" / "min-kommune" / "defs.yaml"
    assert yaml.safe_load(file.read_text()) == {
        "type": TYPE,
        "attributes": {"key_prefix": "min_kommune", "store": "a b"},
    }
    other = f"---\ntype: {TYPE}\nattributes: {{key_prefix: kunder, store: k, parts: [navn]}}\n"
    file.write_text(file.read_text() + other)

    checked = dg_command(project, home, "check", "defs")
    assert "All component YAML validated" in checked
    assert "All definitions loaded" in checked
    assert "arning" not in checked


def test_our_own_project_passes_dagsters_check(tmp_path: Path) -> None:
    said = dg_command(ROOT, tmp_path / "home", "check", "defs")
    assert "All definitions loaded" in said
    assert "arning" not in said


def test_what_is_scaffolded_tells_of_every_attribute(tmp_path: Path) -> None:
    scaffold_object(tmp_path / "kommune", TYPE, "{}", "yaml", tmp_path)
    text = (tmp_path / "kommune" / "defs.yaml").read_text()
    names = "|".join(freg_pipeline.FregComponent.model_fields)
    whole = re.sub(rf"(?m)^  # ({names}):", r"  \1:", text)
    attributes = yaml.safe_load(whole)["attributes"]
    assert attributes.keys() == freg_pipeline.FregComponent.model_fields.keys()
    texts = [line for line in whole.splitlines() if line.lstrip().startswith("#")]
    assert max(map(len, texts)) <= 100
    given = {name: value for name, value in attributes.items() if value is not None}
    assert loaded(**given), "each example is a value that it takes"


@pytest.mark.parametrize(
    ("folder", "prefix"),
    [("2024-oslo", "oslo"), ("1", "freg"), ("å", "freg"), ("a__b_", "a_b"), ("a" * 60, "a" * 40)],
)
def test_every_folder_gives_a_prefix_that_loads(tmp_path: Path, folder: str, prefix: str) -> None:
    scaffold_object(tmp_path / folder, TYPE, "{}", "yaml", tmp_path)
    attributes = yaml.safe_load((tmp_path / folder / "defs.yaml").read_text())["attributes"]
    assert attributes["key_prefix"] == prefix
    assert loaded(**attributes)


def test_the_attributes_are_all_settings_but_secrets() -> None:
    secret = {
        name
        for name, field in Settings.model_fields.items()
        if SecretStr in getattr(field.annotation, "__args__", (field.annotation,))
    }
    assert secret == SECRETS
    fields = freg_pipeline.FregComponent.model_fields
    own = {"running", "executor", "variables"}
    assert fields.keys() == (Settings.model_fields.keys() - SECRETS) | own
    assert all(field.description for field in fields.values())


def test_attributes_are_what_build_defs_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREG_TOKEN", "another store's")
    monkeypatch.setenv("KUNDER_TOKEN", "the-token-of-kunder")
    definitions = loaded(
        key_prefix=["oslo", "kunder"],
        store=str(tmp_path),
        parts=["navn"],
        keep_days=3,
        running=["hendelser_sensor"],
        variables={"token": "KUNDER_TOKEN"},
    )
    settings = freg_of(definitions, "oslo__kunder__freg").settings
    assert (settings.store, settings.parts, settings.keep_days) == (str(tmp_path), ("navn",), 3.0)
    assert settings.token is not None
    assert settings.token.get_secret_value() == "the-token-of-kunder"
    (running,) = [one for one in definitions.sensors or () if one.default_status.value == "RUNNING"]
    assert running.name == "oslo__kunder__hendelser_sensor"


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"key_prefix": "min kommune"}, "'min kommune' can't be part of a key prefix"),
        ({"keep_days": -1}, "the setting FREG_KEEP_DAYS is wrong"),
        ({"running": ["hendelser"]}, "no sensor or schedule hendelser"),
        ({"variables": {"tokn": "A"}}, "no setting tokn. Did you mean token?"),
        (
            {"variables": {"token": "eyJhbGciOi.J9"}},
            "what stands as the variable of token is",
        ),
        ({"store": "a", "variables": {"store": "A"}}, "store stands both as an attribute and"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_in_a_line(attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        loaded(**attributes)
    assert said in str(refused.value)
    assert "eyJ" not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_secret_is_taken_from_a_file(name: str) -> None:
    with pytest.raises(Exception, match=name) as refused:
        loaded(**{name: "top-secret"})
    assert not isinstance(refused.value, ConfigurationError)
