"""The command line as a person meets it: help that fits 80 columns, completion, narrow tables."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from freg_pipeline.commands.root import cli
from freg_pipeline.console import columns
from freg_pipeline.journal.pins import pin
from freg_pipeline.lake.release import build_release
from freg_pipeline_tests.unit.lake.delivered import deliver, document, local_store, navn, number

COLUMNS = 80


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    yield path
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


EVERY = list(_commands(cli))


def _help(*path: str) -> str:
    told = CliRunner().invoke(cli, [*path, "--help"], prog_name="freg", terminal_width=COLUMNS)
    assert told.exit_code == 0, told.output
    return told.output


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_fits_80_columns_and_cuts_no_sentence_off(path: tuple[str, ...]) -> None:
    lines = _help(*path).splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert not [line for line in lines if line.startswith("  ") and line.endswith("...")]


def test_settings_are_told_once_and_taken_by_every_command() -> None:
    assert "--requests-per-minute" in _help()
    for path in EVERY:
        if path and path[0] not in ("completion", "synthetic"):
            told = _help(*path)
            assert "--requests-per-minute" not in told, path
            leads_on = "\nCommands:" in told
            assert leads_on or "freg --help lists them" in told, path


def test_an_option_that_may_be_repeated_says_so() -> None:
    for path in EVERY:
        command: click.Command = cli
        for name in path:
            assert isinstance(command, click.Group)
            found = command.get_command(click.Context(command), name)
            assert found is not None
            command = found
        several = [one for one in command.params if isinstance(one, click.Option) and one.multiple]
        assert all("may be repeated" in (one.help or "") for one in several), path


def _completed(words: str, store: Path = Path("/nowhere")) -> list[str]:
    """What the shell is told that may follow."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("FREG_")},
        "_FREG_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "FREG_STORE": str(store),
    }
    asked = subprocess.run(
        [sys.executable, "-m", "freg_pipeline.cli"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stderr == ""
    return [line.partition(",")[2] for line in asked.stdout.splitlines() if line]


def test_names_that_the_store_holds_are_completed(tmp_path: Path) -> None:
    store = local_store(tmp_path)
    documents = [(number(1), document(number(1), navn=[navn("Kari")]))]
    build_release(store, deliver(store, "komplett-1", documents))
    deliver(store, "komplett-2", documents)
    deliver(store, "oslo", documents)
    pin(store, "000001", "yearly")
    root = Path(store.location)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert _completed("freg uttrekk status komp", root) == ["komplett-1", "komplett-2"]
    assert _completed("freg uttrekk resume ", root) == ["komplett-2", "oslo"]
    assert _completed(f"freg release verify --store {root} ") == ["000001"]
    assert _completed("freg release unpin y", root) == ["yearly"]
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_words_of_settings_and_criteria_are_completed() -> None:
    assert _completed("freg sql --environment pl") == ["playground"]
    assert "offentlig-med-hjemmel" in _completed("freg check --rettighetspakke ")
    assert _completed("freg uttrekk tilpasset --personstatustype u") == ["utflyttet"]
    assert _completed("freg soek --kjoenn k") == ["kvinne"]


@pytest.mark.parametrize("wrong", ["/dev/null/nothing", "s3://"])
def test_where_there_is_no_store_nothing_is_completed_and_nothing_said(
    wrong: str,
) -> None:
    assert _completed(f"freg uttrekk resume --store {wrong} ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_a_shell_is_to_read_calls_freg(shell: str) -> None:
    told = CliRunner().invoke(cli, ["completion", shell], prog_name="freg")
    assert told.exit_code == 0
    assert "_FREG_COMPLETE" in told.output


HEADER = ("uttrekk", "kind", "stage", "release")
ROW = ("komplett-20261125t201853-" + "a" * 30, "komplett", "released", "000001")


def test_a_table_is_columns_where_nobody_looks() -> None:
    assert columns(HEADER, [ROW]).splitlines()[1].split() == list(ROW)


def test_a_table_that_is_too_wide_for_the_terminal_takes_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb"):
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("COLUMNS", "60")
        lines = columns(HEADER, [ROW]).splitlines()
        monkeypatch.undo()
    assert lines[0] == ROW[0]
    assert " ".join(line.strip() for line in lines[1:]) == (
        "kind: komplett; stage: released; release: 000001"
    )
    assert all(len(line) <= 60 for line in lines)
