"""The commands of warehouse.md and data-protection.md, one after the other, as they stand."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from freg_pipeline.commands.root import cli
from freg_pipeline.journal.names import NAMES
from freg_pipeline.lake.release import build_release
from freg_pipeline.orchestration.lists import FOLDER as LISTS
from freg_pipeline.synthetic.numbers import Numbers
from freg_pipeline_tests.living import Living
from freg_pipeline_tests.unit.lake.delivered import (
    deliver,
    deliver_events,
    document,
    local_store,
    navn,
)

DOCS = Path(__file__).parents[3] / "docs"
_COMMAND = re.compile(r"^(?:    )?(freg .+)$", re.MULTILINE)
_CODE = re.compile(r"^```\n(.*?)^```|((?:^    \S.*\n)+)", re.MULTILINE | re.DOTALL)
ELSEWHERE = ("load", "catalogue")  # tried where databases and readers of open formats are
NUMBERS = [Numbers(Random(3)).foedselsnummer(date(1980, 3, day), woman=True) for day in (4, 5, 6)]


def commands(page: str) -> list[str]:
    """What a page's blocks of commands call freg with."""
    text = (DOCS / page).read_text()
    blocks = ("".join(filter(None, found)) for found in _CODE.findall(text))
    told = [line for block in blocks for line in _COMMAND.findall(block)]
    return [one for one in told if shlex.split(one)[1] not in ELSEWHERE]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, with a store, a list of persons and the page's rules of figures."""
    store = local_store(tmp_path)
    people = [(f"d-{one}", document(one, navn=[navn("Ola")])) for one in NUMBERS]
    build_release(store, deliver(store, "one", people, sekvensnummer=100))
    changed = NUMBERS[1], document(NUMBERS[1], day=2, navn=[navn("Per")])
    build_release(store, deliver_events(store, 100, 200, [changed]))
    (tmp_path / "persons.txt").write_text(f"{NUMBERS[0]}\n")
    text = (DOCS / "data-protection.md").read_text()
    (tmp_path / "figures.toml").write_text(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[1])
    (tmp_path / "buckets/produkt/folkeregister/inndata").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FREG_STORE", store.location)
    return tmp_path


def run(command: str) -> str:
    """Run a command; what it writes goes where the command says."""
    _, *arguments = shlex.split(command.replace(" /buckets", " buckets"))
    into = None
    if ">" in arguments:
        *arguments, _, into = arguments
    ended = CliRunner().invoke(cli, arguments)
    assert ended.exit_code == 0, (command, ended.output, ended.exception)
    if into:
        Path(into).write_text(ended.stdout)
    return ended.output


def test_the_engineers_page(folder: Path) -> None:
    told = commands("warehouse.md")
    assert len(told) == 4
    for command in told:
        run(command)
    there = {path.name for path in folder.iterdir()}
    assert there >= {"changes-1", "changes-2", "copy", "buckets"}
    assert pq.read_table(folder / "changes-2/navn.upserts.parquet")["fornavn"].to_pylist() == [
        "Per"
    ]


def test_the_officers_page(folder: Path) -> None:
    told = commands("data-protection.md")
    assert {shlex.split(one)[1] for one in told} == {
        "retention", "access-log", "export", "stored", "erase"
    }  # fmt: skip
    output = {one: run(one) for one in told}
    assert not any(number in text for text in output.values() for number in NUMBERS)
    assert len(pq.read_table(folder / "study-copy/person_naa.parquet")) == len(NUMBERS)
    assert (folder / "figures/antall_personer.parquet").exists()
    assert (folder / "answer-2026-17/manifest.json").exists()
    assert "two are left" in run(
        "freg sql \"SELECT 'two are left' FROM person HAVING count(*) = 2\"",
    )


def test_all_that_lies_in_a_store_is_told(lived: Living) -> None:
    text = (DOCS / "data-protection.md").read_text()
    section = text.partition("## What is stored where")[2].partition("\n## ")[0]
    told = {name.partition("/")[0] for name in re.findall(r"`([^`]+)`", section)}
    named = {name.pattern.partition("/")[0] for name in NAMES}
    there = {path.name for path in Path(lived.store.location).iterdir()}
    assert named | there | {LISTS} <= told
