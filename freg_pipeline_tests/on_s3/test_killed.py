"""A process that writes to S3 dies at any instant, without a word; the next one goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import require_current
from freg_pipeline.lake.verify import verify
from freg_pipeline.store import open_store
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load
from freg_pipeline_tests.on_s3.conftest import MakeSettings
from freg_pipeline_tests.radosgw import Radosgw
from freg_pipeline_tests.registers import happen, status_of
from freg_pipeline_tests.s3 import killed
from freg_pipeline_tests.tables import miscounted

# The object that is written as the process dies, and whether it is there then.
LOADING = {
    "a look-up's answer is here": (r"/uttrekk/one/answers/", True),
    "a table of the release isn't": (r"/bases/[^/]+/person/", False),
    "the release is, and nothing points at it": (r"/releases/000001/manifest\.json", True),
}
SYNCING = {
    "a table of the delta isn't there": (r"/deltas/.+\.parquet", False),
    "the release is, and nothing points at it": (r"/releases/000002/manifest\.json", True),
}


@pytest.mark.parametrize("stage", LOADING)
def test_a_load_that_was_killed_is_resumed(
    stage: str,
    start_register: StartRegister,
    make: MakeSettings,
    where: str,
    freg: RunFreg,
    radosgw: Radosgw,
    tmp_path: Path,
) -> None:
    url = start_register(persons=200, batch_size=100)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    settings = {
        "FREG_STORE": where,
        "FREG_BASE_URL": url,
        "FREG_POLL_SECONDS": "0.05",
        "TMPDIR": str(temporary),
    }
    command = ["uttrekk", "komplett", "--name", "one"]
    killed(command, LOADING[stage], tmp_path, radosgw.endpoint, **settings)

    if LOADING[stage][0].startswith("/bases"):
        assert list(temporary.glob("freg-scratch-*")), "what was under construction is left"
    for left in temporary.glob("freg-scratch-*"):
        os.utime(left, (0, 0))

    ended = freg("uttrekk", "resume", "one", **settings)

    assert ended.code == 0, ended.stderr
    assert list(temporary.glob("freg-scratch-*")) == [], "and swept by the next one"
    requests = status_of(url)["requests"]
    assert requests["uttrekk/komplett"] == 1
    store = open_store(make(url))
    manifest = require_current(store)
    assert manifest.number == "000001", "one uttrekk makes one release"
    assert manifest.accounting.landed + manifest.accounting.merged == 200
    assert verify(store) == []
    assert miscounted(store) == {}


@pytest.mark.parametrize("stage", SYNCING)
def test_a_sync_that_was_killed_is_made_by_the_next_one(
    stage: str,
    start_register: StartRegister,
    make: MakeSettings,
    where: str,
    freg: RunFreg,
    radosgw: Radosgw,
    tmp_path: Path,
) -> None:
    url = start_register(persons=100, batch_size=100)
    full_load(make(url))
    last = happen(url, 40)
    settings = {"FREG_STORE": where, "FREG_BASE_URL": url}
    killed(["hendelser", "sync"], SYNCING[stage], tmp_path, radosgw.endpoint, **settings)
    store = open_store(make(url))
    assert current_number(store) == "000001", "readers see no half release"

    ended = freg("hendelser", "sync", **settings)

    assert ended.code == 0, ended.stderr
    manifest = require_current(store)
    assert (manifest.number, manifest.sekvensnummer) == ("000002", last)
    assert verify(store) == []
    assert miscounted(store) == {}
