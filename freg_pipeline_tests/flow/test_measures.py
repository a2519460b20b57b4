"""What an uttrekk took, as its release tells it, against what the register has counted itself."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import to_builtins

from freg_pipeline.client import Register
from freg_pipeline.extract.fetch import fetch_batch
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.compact import begin_compaction, compact
from freg_pipeline.lake.query import query
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import fetched, full_load, list_load, released, sync
from freg_pipeline_tests.registers import happen, status_of, tampered

MakeSettings = Callable[..., Settings]
ARKIV, BY_NUMBER = "personer/bulkoppslag/arkiv", "personer/bulkoppslag"


def test_look_ups_and_bytes_are_those_that_the_register_has_served(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    url = start_register(latency_ms=20)
    served: Counter[str] = Counter()

    def note(path: str, body: bytes) -> bytes:
        served[path] += len(body)
        return body

    with tampered(url, note) as behind:
        told = full_load(make_settings(behind)).measures
    assert told.look_ups == status_of(url)["requests"][ARKIV] == 3
    assert told.bytes == served[ARKIV]
    assert told.retries == 0
    assert told.latency_p50 is not None
    assert told.latency_p95 is not None
    assert 0.02 <= told.latency_p50 <= told.latency_p95
    assert list(told.seconds) == ["order", "wait", "identifiers", "look_ups", "decode", "release"]
    assert all(seconds >= 0 for seconds in told.seconds.values())
    assert told.look_ups_per_second == pytest.approx(
        told.look_ups / told.seconds["look_ups"], rel=0.05
    )


def test_release_show_tells_what_it_took(
    start_register: StartRegister, make_settings: MakeSettings, freg: RunFreg
) -> None:
    url = start_register(persons=100)
    told = full_load(make_settings(url)).measures
    shown = freg("release", "show", "--format", "json")
    assert json.loads(shown.stdout)["measures"] == to_builtins(told)
    lines = freg("release", "show").stdout.splitlines()
    assert f"Received: {told.bytes / 1e6:,.1f} MB; sent again: 0" in lines
    (stages,) = [line for line in lines if line.startswith("Seconds by stage: order ")]
    assert f"release {told.seconds['release']:,.1f}" in stages


def test_what_is_sent_again_is_told_beside_what_was_answered(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    url = start_register(faults=f"500@{ARKIV}=#3,429@{ARKIV}=#4", batch_size=50)
    told = full_load(make_settings(url)).measures
    status = status_of(url)
    assert told.look_ups == 6
    assert told.retries == sum(status["faults"].values()) > 0
    assert told.look_ups + told.retries == status["requests"][ARKIV]


def test_the_look_ups_that_tell_persons_apart_count_as_well(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    """Without history each batch is looked up twice, and what is kept is one answer of both."""
    url = start_register()
    told = full_load(make_settings(url, parts=["navn"])).measures
    assert told.look_ups == status_of(url)["requests"][ARKIV] == 6


def test_what_a_process_did_that_was_stopped_counts_where_its_answers_are_kept(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    url = start_register()
    settings = make_settings(url)
    uttrekk = fetched(settings)
    lost = uttrekk.answer_key(1, 0)
    uttrekk.store.delete(lost)

    async def go_on() -> None:
        async with Register.from_settings(settings) as register:
            await fetch_batch(register, uttrekk, 1, concurrency=2)

    asyncio.run(go_on())
    told = released(settings, uttrekk).measures
    assert told.look_ups == 3
    assert status_of(url)["requests"][ARKIV] == 4


def test_a_sync_tells_of_itself_and_a_compaction_of_what_it_compacts(
    start_register: StartRegister, make_settings: MakeSettings
) -> None:
    url = start_register()
    settings = make_settings(url)
    full_load(settings)
    before = status_of(url)["requests"]
    happen(url, 20)
    sync(settings)
    after = status_of(url)["requests"]
    store = open_store(settings)
    told = require_current(store).measures
    assert told.look_ups == after[ARKIV] - before[ARKIV] > 0
    assert list(told.seconds) == ["identifiers", "look_ups", "decode", "release"]
    compaction = begin_compaction(store)
    assert compaction is not None
    assert compact(store, compaction, lambda more: None).measures == told


def test_a_list_has_neither_an_order_nor_a_wait(
    start_register: StartRegister, make_settings: MakeSettings, tmp_path: Path
) -> None:
    url = start_register(persons=100)
    everyone = make_settings(url, store=str(tmp_path / "everyone"))
    full_load(everyone)
    rows = query(open_store(everyone), "SELECT personidentifikator FROM person LIMIT 30")
    told = list_load(make_settings(url), [number for (number,) in rows.fetchall()]).measures
    assert told.look_ups == 1
    assert list(told.seconds) == ["identifiers", "look_ups", "decode", "release"]
