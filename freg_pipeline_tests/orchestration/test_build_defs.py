"""What others put into a deployment of their own: settings, resources, and what runs by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterInstance

from freg_pipeline.definitions import build_defs
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.orchestration.engine import open_engine
from freg_pipeline.orchestration.resources import Freg


def resource(definitions: dg.Definitions, key: str = "freg") -> Freg:
    found = (definitions.resources or {})[key]
    assert isinstance(found, Freg)
    return found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"key_prefix": "min kommune"}, "'min kommune' can't be part of a key prefix"),
        ({"key_prefix": ["oslo", "a-b"]}, "'a-b' can't be part of a key prefix"),
        ({"stroe": "data"}, "no setting stroe. Did you mean store?"),
        ({"qqq": 1}, "no setting qqq. There are environment, "),
        ({"store": "gs://bucket"}, "the setting FREG_STORE is wrong"),
        ({"environment": "prod"}, "the setting FREG_ENVIRONMENT is wrong"),
        (
            {"running": ["hendelser"]},
            "no sensor or schedule hendelser. There are alert_sensor, compaction_sensor",
        ),
        (
            {"running": "hendelser"},
            "no sensor or schedule hendelser. There are alert_sensor, compaction_sensor",
        ),
        ({"running": {"hendelser_sensor": False}}, "from the start isn't a list of names"),
        ({"running": True}, "from the start isn't a list of names"),
        ({"running": [5]}, "from the start isn't a list of names"),
        ({"key_prefix": {"store": "a"}}, "a key prefix is text or a list of texts, not dict"),
        ({"resources": {"frag": Freg()}}, "no resource frag"),
        ({"resources": {5: Freg()}}, "no resource 5"),
        ({"resources": {"freg": object()}}, "the resource freg isn't a Freg"),
        ({"resources": ["freg"]}, "the resource freg isn't a Freg"),
        ({"resources": {"freg": Freg()}, "store": "a"}, "store would mean nothing beside a resour"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        build_defs(**given)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_stores_settings_win_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FREG_STORE", str(tmp_path / "other"))
    monkeypatch.setenv("FREG_CONCURRENCY", "7")
    mine = resource(build_defs(store=str(tmp_path), parts=("navn", "status")))
    assert mine.settings.store == str(tmp_path)
    assert mine.settings.parts == ("navn", "status")
    assert mine.settings.concurrency == 7


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ({"token": dg.EnvVar("KUNDER")}, "secret", "secret"),
        ({"concurrency": dg.EnvVar.int("KUNDER")}, "3", 3),
    ],
)
def test_a_setting_may_be_read_from_a_variable_of_the_stores_own(
    variable: dict[str, Any], value: str, read: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = variable
    monkeypatch.setenv(f"FREG_{name.upper()}", "9")
    definitions = build_defs(**variable)
    with pytest.raises(ConfigurationError, match="the environment variable KUNDER isn't set"):
        _ = resource(definitions).settings
    monkeypatch.setenv("KUNDER", value)
    found = getattr(resource(definitions).settings, name)
    assert (found.get_secret_value() if name == "token" else found) == read


def test_a_store_may_be_a_path(tmp_path: Path) -> None:
    assert resource(build_defs(store=tmp_path / "a")).settings.store == str(tmp_path / "a")


def test_settings_of_another_store_keep_nobody_from_importing(tmp_path: Path) -> None:
    """Nor is that store looked at: what the module itself defines is made when Dagster loads it."""
    script = (
        "from freg_pipeline import FregComponent; from freg_pipeline.definitions import build_defs;"
        f" build_defs('mine', store={str(tmp_path)!r})"
    )
    environment = {**os.environ, "FREG_KEY_PREFIX": "å", "FREG_ENVIRONMENT": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_what_runs_from_the_start_is_chosen() -> None:
    def running(definitions: dg.Definitions) -> set[str]:
        started = [*(definitions.sensors or ()), *(definitions.schedules or ())]
        return {one.name for one in started if one.default_status.value == "RUNNING"}

    assert running(build_defs()) == {
        "purge_releases", "purge_old_runs", "nightly_table_checks", "lost_runs_sensor",
    }  # fmt: skip
    assert running(build_defs("a", running="hendelser_sensor")) == {"a__hendelser_sensor"}
    chosen = ("uttrekk_sensor", "purge_releases")
    assert running(build_defs(running=chosen)) == set(chosen)
    assert running(build_defs(running=())) == set()


def test_a_resource_of_ones_own_takes_the_place_of_ours() -> None:
    mine = Freg({"store": "mine"})
    assert resource(build_defs("a", resources={"freg": mine}), "a__freg") is mine


def test_what_a_command_runs_is_recorded_under_the_prefix(
    make_freg: Callable[..., Freg], instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freg_pipeline.orchestration.records._instance", lambda home: instance)
    freg = make_freg("http://127.0.0.1:9", key_prefix="oslo/kommune")
    with open_engine(freg) as engine:
        engine.run("purge")
        (run,) = instance.get_runs()
    assert run.job_name == "oslo__kommune__purge"
    monkeypatch.setenv("FREG_KEY_PREFIX", "oslo/kommune")
    assert build_defs().resolve_job_def(run.job_name)


def test_an_unfit_prefix_stops_a_command_before_anything_is_done(
    make_freg: Callable[..., Freg], tmp_path: Path
) -> None:
    freg = make_freg("http://127.0.0.1:9", key_prefix="å")
    with pytest.raises(ConfigurationError, match="part of a key prefix"), open_engine(freg):
        pass
    assert not (tmp_path / "store").exists()
