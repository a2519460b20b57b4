"""How many requests a load and a sync send to S3: by what changed, not by what lies there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pyarrow as pa
import pytest

from freg_pipeline.feed.standstill import at_standstill, opening
from freg_pipeline.lake import state
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import run_uttrekk
from freg_pipeline.orchestration.run_feed import syncing
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, s3
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.s3 import Between, between, s3_server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
BUCKET = "requests"
MOST_LOOKS_AT_ORDERS = 8


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with s3_server() as endpoint, between(endpoint) as proxy:
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
        yield proxy


def _sent(proxy: Between) -> Counter[str]:
    """The requests since the last look, told apart by method; ``LIST`` is one of its own."""
    kinds = Counter("LIST" if "list-type" in path else kind for kind, path in proxy.requests)
    proxy.requests.clear()
    return kinds


def _settings(url: str, proxy: Between, folder: Path) -> Settings:
    return load(
        base_url=url, store=f"s3://{BUCKET}/{folder.name}", s3_endpoint=proxy.address,
        poll_seconds=0.02, catalogue=folder / "freg.duckdb",
    )  # fmt: skip


def test_requests_follow_what_changed(
    start_register: StartRegister, proxy: Between, tmp_path: Path
) -> None:
    url = start_register(persons=300, batch_size=100)
    settings = _settings(url, proxy, tmp_path)
    with Freg.from_settings(settings) as freg:
        run_uttrekk(freg)
    looked = [path for _, path in proxy.requests if "list-type" in path and "order" in path]
    assert len(looked) <= MOST_LOOKS_AT_ORDERS
    load_of_three = _sent(proxy)
    assert load_of_three.total() <= 400
    assert load_of_three["HEAD"] <= 100

    # The second one also removes the first one's staging, and asks its delta of whom both concern.
    for most in (120, 130):
        happen(url, 60)
        with opening(settings) as opened, syncing(Freg.of(opened)) as syncs:
            assert syncs.once().events >= 60
        sync = _sent(proxy)
        assert sync.total() <= most, sync
        assert sync["HEAD"] <= 5

    with opening(settings) as opened:
        assert at_standstill(opened) is not None
    assert _sent(proxy).total() <= 15


def test_a_sync_looks_into_few_files_of_a_large_base(
    start_register: StartRegister,
    proxy: Between,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a large one each look is several requests: no table of it is looked into."""
    url = start_register(persons=100)
    settings = _settings(url, proxy, tmp_path)
    with Freg.from_settings(settings) as freg:
        run_uttrekk(freg)
    happen(url, 20)
    looked: list[str] = []
    read_parts = state.read_parts

    def noted(store: Store, key: str, *rest: Any) -> pa.Table:
        looked.append(key)
        return read_parts(store, key, *rest)

    monkeypatch.setattr(state, "read_parts", noted)
    monkeypatch.setattr(s3, "WHOLE_BYTES", 0)  # as if each were large
    proxy.requests.clear()
    with opening(settings) as opened, syncing(Freg.of(opened)) as syncs:
        syncs.once()
    tables = {unquote(key).split("/")[2] for key in looked}
    assert tables <= {"_antall", "_identitet", "tidligere_identifikator"}, tables
