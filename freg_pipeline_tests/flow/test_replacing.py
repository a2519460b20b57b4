"""Everyone is replaced by fewer only when somebody says so: the command, as users run it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from freg_pipeline.settings import Settings
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.registers import status_of

COUNT = ["sql", "SELECT count(*) AS n FROM person", "--format", "csv"]
SELECTION = ["uttrekk", "tilpasset", "--personstatustype", "doed"]


def test_a_selection_in_the_store_of_everyone_is_refused_before_it_is_ordered(
    start_register: StartRegister, make_settings: Callable[..., Settings], freg: RunFreg
) -> None:
    url = start_register(persons=80)
    full_load(make_settings(url))
    everyone = freg(*COUNT).stdout
    refused = freg(*SELECTION, FREG_BASE_URL=url)
    assert (refused.code, len(refused.lines)) == (2, 1)
    assert "--allow-other-kind" in refused.lines[0]
    assert "uttrekk/tilpasset" not in status_of(url)["requests"]
    assert freg(*COUNT).stdout == everyone
    assert "tilpasset" not in freg("uttrekk", "status").stdout

    agreed = freg(*SELECTION, "--allow-other-kind", FREG_BASE_URL=url)
    assert agreed.code == 0, agreed.stderr
    assert freg(*COUNT).stdout != everyone


def test_far_fewer_persons_end_with_4_and_resume_publishes_them(
    start_register: StartRegister, make_settings: Callable[..., Settings], freg: RunFreg
) -> None:
    full_load(make_settings(start_register(persons=90)))
    everyone = freg(*COUNT).stdout
    less = start_register(persons=60)
    refused = freg("uttrekk", "komplett", "--name", "less", FREG_BASE_URL=less)
    assert refused.code == 4, refused.stderr
    assert "freg uttrekk resume less --allow-fewer" in refused.lines[-1]
    assert freg(*COUNT).stdout == everyone
    agreed = freg("uttrekk", "resume", "less", "--allow-fewer", FREG_BASE_URL=less)
    assert agreed.code == 0, agreed.stderr
    assert freg(*COUNT).stdout != everyone


def test_what_the_demo_says_to_do_next_works_and_replaces_nobody(
    start_register: StartRegister, freg: RunFreg, tmp_path: Path
) -> None:
    shown = freg("demo", "--persons", "120")
    assert shown.code == 0, shown.stderr
    everyone = freg(*COUNT).stdout
    (line,) = [line for line in shown.stdout.splitlines() if "uttrekk tilpasset" in line]
    program, *arguments = shlex.split(line)
    assert Path(program).name == "freg"
    ended = freg(*arguments, FREG_BASE_URL=start_register(persons=120))
    assert ended.code == 0, ended.stderr
    assert freg(*COUNT).stdout == everyone
    assert (tmp_path / arguments[arguments.index("--store") + 1] / "freg.duckdb").exists()
    real = {"FREG_ENVIRONMENT": "konsumenttest", "FREG_MASKINPORTEN_CLIENT_ID": "ours"}
    again = freg("demo", "--persons", "60", **real)
    assert again.code == 0, "a smaller demo is no loss, and another register's access none of its"
