"""What docs/deployment.md shows is there: commands, their options, and files."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from freg_pipeline.commands.root import cli
from freg_pipeline_tests.deployment import ROOT

PAGE = (ROOT / "docs/deployment.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line]
OURS = [line for line in LINES if line.startswith("freg ")]
QUOTED = re.findall(r"`(freg [^`]+)`", PAGE)


@pytest.mark.parametrize("line", [*OURS, *QUOTED])
def test_a_command_is_one_of_ours(line: str) -> None:
    command: click.Command = cli
    context = click.Context(command)
    words = shlex.split(line, comments=True)[1:]
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_files_are_there() -> None:
    named = {word for line in LINES for word in re.findall(r"(?<![\w/])deploy/[\w./-]+", line)}
    named |= set(re.findall(r"`(deploy/[\w./-]+)`", PAGE))
    assert len(named) > 8
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_unit_is_named() -> None:
    units = {path.name for path in (ROOT / "deploy/systemd").glob("*.service")}
    assert all(name in PAGE for name in units)
