"""The main job on an embedded synthetic register, for a newcomer's first minute."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from freg_pipeline.console import progress, release_lines
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.journal.releases import current_release
from freg_pipeline.lake.export import render
from freg_pipeline.orchestration.config import ReleaseConfig
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.settings import ACCESS, Settings
from freg_pipeline.store import Store, open_store
from freg_pipeline.synthetic import RegisterOptions, default_folder, running

QUERIES = {
    "How many persons of each status?": (
        "SELECT status, count(*) AS persons FROM status WHERE er_gjeldende GROUP BY ALL"
        " ORDER BY persons DESC"
    ),
    "Where do most people live?": (
        "SELECT kommunenummer AS kommune, count(*) AS persons FROM person_naa"
        " WHERE status = 'bosatt' GROUP BY ALL ORDER BY persons DESC, kommune LIMIT 5"
    ),
    "How many moved from one kommune to another, of late?": (
        "SELECT year(dato) AS aar, count(*) AS flyttinger FROM flytting"
        " WHERE type = 'mellomKommuner' GROUP BY ALL ORDER BY aar DESC LIMIT 5"
    ),
}


def run_demo(settings: Settings, *, persons: int, seed: int) -> None:
    """Serve a synthetic register in this process, load it, and query what came.

    Raises:
        ConfigurationError: the store holds another register's persons.
    """
    store = open_store(settings)
    _refuse_real(store)
    click.echo(f"A synthetic register of {persons:,} persons, and a komplett uttrekk of it:")
    register = RegisterOptions(persons=persons, seed=seed, cache=default_folder())
    with running(register, progress=progress) as base_url, progress() as begin:
        quick = settings.model_copy(
            update={
                **dict.fromkeys(ACCESS),
                "environment": "syntetisk",
                "base_url": base_url,
                "poll_seconds": 0.1,
            }
        )
        # Another demo's population may have been larger: that is no loss.
        fewer = ReleaseConfig(allow_fewer=True)
        with Freg.from_settings(quick, begin) as freg:
            manifest = run_uttrekk(freg, release=fewer)
    click.echo("\n".join(release_lines(manifest, store)))
    for question, statement in QUERIES.items():
        click.echo(f"\n{question}\n  {statement}\n{render(store, statement)[0]}")
    click.echo(_next_steps(settings))


def _refuse_real(store: Store) -> None:
    current = current_release(store)
    if current is not None and current.environment != "syntetisk":
        raise ConfigurationError(
            f"{store.location} holds persons from {current.environment}, not synthetic ones",
            "Give the demo a store of its own: freg demo --store some-folder",
        )


def _next_steps(settings: Settings) -> str:
    """What to type next, as it works where it is read."""
    freg = _program()
    where = "" if settings.store == Settings().store else f" --store {shlex.quote(settings.store)}"
    steps = {
        f'{freg} sql "FROM person_oversikt LIMIT 5"{where}': "query the release",
        f"{freg} uttrekk status{where}": "see what was done",
        f"{freg} synthetic serve": "keep a register running, and then, elsewhere,",
        f"{freg} uttrekk tilpasset --personstatustype bosatt --bostedskommunenummer 0301"
        " --store oslo": "take a selection, into a store of its own",
        _page(settings): "the same on Dagster's web page",
    }
    return "\nWhat to do next\n" + "\n".join(
        f"  {line}\n      {why}" for line, why in steps.items()
    )


def _page(settings: Settings) -> str:
    """What shows it on Dagster's page: in the project's folder make, elsewhere Dagster itself."""
    is_default = settings.store == Settings().store
    if is_default and Path("freg_pipeline/ui.py").exists():
        return "make ui"
    store = Path(settings.store).absolute()
    told = {} if is_default else {"FREG_STORE": store}
    told["DAGSTER_HOME"] = store / "dagster"  # where the demo's own runs are recorded
    words = [f"{name}={shlex.quote(str(value))}" for name, value in told.items()]
    return " ".join([*words, _program("dagster"), "dev -m freg_pipeline.definitions"])


def _program(name: str = "freg") -> str:
    """A command as it can be typed here, whether or not it is on the path."""
    if shutil.which(name) is not None:
        return name
    beside = Path(sys.executable).with_name(name)
    if beside.is_relative_to(Path.cwd()):
        beside = beside.relative_to(Path.cwd())
    return shlex.quote(str(beside))
