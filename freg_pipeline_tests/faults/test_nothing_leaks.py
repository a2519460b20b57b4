"""No identity number, name or token in any output, log, error, metadata or file name."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from freg_pipeline.lake.query import query
from freg_pipeline.settings import load
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.lent import as_environment, lend, settings_of

TOKEN = "very-secret-token-of-ours"
FAULTS = "500=0.05,reset=0.05,429=0.05,malformed=0.03,gone=0.03,ukjentfelt=0.1,arkivliste=0.3"


@pytest.fixture
def texts(start_register: StartRegister, freg: RunFreg, tmp_path: Path) -> dict[str, str]:
    """All that a faulty load leaves behind to be read, but for the data itself."""
    url = start_register(persons=300, batch_size=100, faults=FAULTS, auth=True)
    keys = tmp_path / "keys"
    keys.mkdir()
    settings = {"FREG_BASE_URL": url, **as_environment(settings_of(lend(url), keys))}
    refused = freg("uttrekk", "komplett", "--name", "one", "--debug", **settings)
    assert refused.code == 4, refused.stderr
    ended = freg("uttrekk", "resume", "one", "--allow-incomplete", "--debug", **settings)
    assert ended.code == 0, ended.stderr
    number = "03851598730"
    single = freg("person", number, "--debug", **settings)
    denied = freg("check", "--debug", FREG_BASE_URL=url, FREG_TOKEN=TOKEN)
    stranger = {**settings, "FREG_MASKINPORTEN_CLIENT_ID": "stranger"}
    refused_token = freg("check", "--debug", **stranger)
    assert (denied.code, refused_token.code) == (3, 3)
    found = {
        "output": refused.stdout + refused.stderr + ended.stdout + ended.stderr,
        "a look-up's errors": single.stderr,
        "access denied": denied.stdout + denied.stderr,
        "a token refused": refused_token.stdout + refused_token.stderr,
        "file names": "\n".join(str(path) for path in tmp_path.rglob("*")),
    }
    store = tmp_path / "store"
    for path in store.rglob("*"):
        if path.suffix == ".json" or path.suffix == ".md":
            found[str(path.relative_to(store))] = path.read_text()
        elif path.suffix == ".db":
            with sqlite3.connect(path) as database:
                found[str(path.relative_to(store))] = "\n".join(database.iterdump())
    for path in (store / "dagster").rglob("*"):
        if path.is_file() and path.suffix not in {".db", ".json", ".md"}:
            found[str(path.relative_to(store))] = path.read_text(errors="replace")
    return found


def test_nothing_of_a_person_or_of_access_is_left_outside_the_data(
    texts: dict[str, str], tmp_path: Path
) -> None:
    store = open_store(load(store=str(tmp_path / "store")))
    numbers = {row[0] for row in query(store, "SELECT personidentifikator FROM person").fetchall()}
    numbers |= {
        row[0]
        for row in query(store, "SELECT identifikator FROM tidligere_identifikator").fetchall()
    }
    names = {
        f"{fornavn} {etternavn}"
        for fornavn, etternavn in query(store, "SELECT fornavn, etternavn FROM navn").fetchall()
    }
    assert len(numbers) > 250
    assert len(texts) > 10
    run_logs = [text for where, text in texts.items() if where.startswith("dagster/history")]
    assert any(re.search(r"trying again in [\d.]+ s: .*correlation id", one) for one in run_logs)
    key_file = next((tmp_path / "keys").iterdir())
    key_lines = [line for line in key_file.read_text().splitlines() if len(line) > 40]
    assert key_lines
    for where, text in texts.items():
        assert TOKEN not in text, where
        assert not re.search(r"eyJ[\w-]{10}", text), where  # tokens and assertions begin so
        assert "PRIVATE KEY" not in text, where
        assert not [line for line in key_lines if line in text], where
        assert not numbers & set(re.findall(r"\d{11}", text)), where
        assert not [name for name in names if name in text], where
    assert _files_that_others_can_read(tmp_path / "store") == []


def _files_that_others_can_read(store: Path) -> list[str]:
    """Dagster's own aside, whose folder is closed."""
    assert (store / "dagster").stat().st_mode & 0o077 == 0
    return [
        str(path.relative_to(store))
        for path in store.rglob("*")
        if path.is_file() and path.stat().st_mode & 0o077 and "dagster" not in path.parts
    ]
