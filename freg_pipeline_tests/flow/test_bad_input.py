"""Bad input gets one line that says what is wrong and what to do, the right code, and no harm."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline import cli
from freg_pipeline.settings import Settings
from freg_pipeline.store.record import encode_record
from freg_pipeline_tests.conftest import Ended, RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load

USAGE = {
    "no personstatustype": (["uttrekk", "tilpasset"], "personstatustype"),
    "a wrong personstatustype": (
        ["uttrekk", "tilpasset", "--personstatustype", "levende"],
        "aktiv, bosatt",
    ),
    "one that is found under aktiv": (
        ["uttrekk", "tilpasset", "--personstatustype", "midlertidig"],
        "under aktiv",
    ),
    "both kinds of kommunenummer": (
        ["uttrekk", "tilpasset", "--personstatustype", "bosatt", "--bostedskommunenummer", "0301",
         "--oppholdskommunenummer", "4601"],
        "exclude each other",
    ),
    "a kommunenummer of three digits": (
        ["uttrekk", "tilpasset", "--personstatustype", "bosatt", "--bostedskommunenummer", "301"],
        "four digits",
    ),
    "a wrong year": (
        ["uttrekk", "tilpasset", "--personstatustype", "bosatt", "--foedselsaar-fra-og-med", "85"],
        "four digits",
    ),
    "years the wrong way round": (
        ["uttrekk", "tilpasset", "--personstatustype", "bosatt", "--foedselsaar-fra-og-med", "1990",
         "--foedselsaar-til-og-med", "1980"],
        "after the last",
    ),
    "a wrong sivilstand": (
        ["uttrekk", "tilpasset", "--personstatustype", "bosatt", "--sivilstandstype", "samboer"],
        "gift",
    ),
    "a wrong country": (
        ["uttrekk", "tilpasset", "--personstatustype", "bosatt", "--statsborgerskap", "Norge"],
        "alpha-3",
    ),
    "an unknown option": (["uttrekk", "komplett", "--alle"], "--alle"),
    "an unknown command": (["utrekk"], "utrekk"),
    "a negative sequence number": (["uttrekk", "komplett", "--feedsekvensnr", "-1"], "range"),
    "a wrong name": (["uttrekk", "komplett", "--name", "../x"], "a-z"),
    "a wrong identity number": (["person", "12345678901"], "not an identity number"),
    "an unknown uttrekk": (["uttrekk", "resume", "nothing"], "no uttrekk"),
    "a wrong environment": (["check", "--environment", "test"], "FREG_ENVIRONMENT"),
    "a wrong package": (["check", "--rettighetspakke", "alle"], "offentlig-med-hjemmel"),
    "no release yet": (["sql", "select 1"], "freg uttrekk"),
    "parquet without a file": (["sql", "select 1", "--format", "parquet"], "--output"),
    "faults that don't exist": (["synthetic", "serve", "--faults", "gremlins=1"], "503"),
}  # fmt: skip


def _one_line(ended: Ended) -> str:
    assert len(ended.lines) == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.lines[0]


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage_ends_with_2_and_one_line(
    case: str, small_register: str, freg: RunFreg, tmp_path: Path
) -> None:
    arguments, said = USAGE[case]
    ended = freg(*arguments, FREG_BASE_URL=small_register)
    assert ended.code == 2, ended.stderr
    assert said in _one_line(ended)
    assert not re.search(r"\d{11}", ended.stderr)
    assert not list((tmp_path / "store").glob("releases/*"))


@pytest.mark.parametrize(
    ("content", "said", "code"),
    [
        ('{"format":1,"sha256":"ab","record":{"number', "damaged", 1),
        ('{"number": 1}', "another version", 2),
    ],
)
@pytest.mark.parametrize("command", ["sql select", "release show", "release list", "compact"])
def test_a_damaged_manifest(
    command: str,
    content: str,
    said: str,
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest = tmp_path / "releases" / "000001" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(content)
    (tmp_path / "releases" / "current.json").write_bytes(
        encode_record("releases/current.json", {"release": "000001"})
    )
    with pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), "--store", str(tmp_path)])
    assert ended.value.code == code
    printed = capsys.readouterr().err
    assert f"releases/000001/manifest.json in {tmp_path}" in printed
    assert said in printed


@pytest.mark.parametrize("arguments", [["xsd", "person"], ["release", "list"]])
def test_an_output_that_takes_nothing(
    arguments: list[str], small_register: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "freg_pipeline.cli", *arguments, "--base-url", small_register]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*command, "--store", str(tmp_path)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "No space left on device" in ended.stderr


def test_a_store_that_cannot_be_written(small_register: str, freg: RunFreg, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    ended = freg(
        "uttrekk", "komplett", FREG_BASE_URL=small_register, FREG_STORE=str(tmp_path / "file")
    )
    assert ended.code == 2
    assert "FREG_STORE" in _one_line(ended)


def test_an_address_where_nothing_answers(freg: RunFreg) -> None:
    ended = freg("uttrekk", "komplett", FREG_BASE_URL="http://127.0.0.1:9/folkeregisteret/x/api")
    assert ended.code == 2
    assert "FREG_BASE_URL" in _one_line(ended)


def test_an_address_that_is_no_register(start_register: StartRegister, freg: RunFreg) -> None:
    root = start_register(persons=20).split("/folkeregisteret/")[0]
    ended = freg("uttrekk", "komplett", FREG_BASE_URL=f"{root}/elsewhere")
    assert ended.code == 3
    assert "FREG_BASE_URL" in _one_line(ended)


def test_a_job_that_the_register_no_longer_has(
    start_register: StartRegister, freg: RunFreg
) -> None:
    url = start_register(persons=50, ready_after_seconds=30, job_lifetime_hours=0.0001)
    ended = freg("uttrekk", "komplett", "--name", "old", FREG_BASE_URL=url, FREG_POLL_SECONDS="0.2")
    assert ended.code == 3
    *warnings, error = ended.lines
    assert "(410)" in error
    assert all(line.startswith("WARNING the register ") for line in warnings)

    again = freg("uttrekk", "status", "old", FREG_BASE_URL=url)
    assert "gone" in again.stdout


def test_another_registers_store_is_refused(
    start_register: StartRegister, make_settings: Callable[..., Settings], freg: RunFreg
) -> None:
    url = start_register(persons=20)
    full_load(make_settings(url))
    ended = freg("uttrekk", "komplett", FREG_BASE_URL=url, FREG_ENVIRONMENT="konsumenttest")
    assert ended.code == 2
    assert "FREG_STORE" in _one_line(ended)


def test_wrong_sql_and_a_file_where_none_can_be(
    start_register: StartRegister, make_settings: Callable[..., Settings], freg: RunFreg
) -> None:
    full_load(make_settings(start_register(persons=20)))
    ended = freg("sql", "select nothing from person")
    assert ended.code == 2
    assert "nothing" in _one_line(ended)
    nowhere = freg("sql", "select 1", "--format", "csv", "--output", "/no/such/folder/x.csv")
    assert nowhere.code == 2
    assert "--output" in _one_line(nowhere)
