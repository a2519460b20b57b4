"""A bucket of a test's own on Ceph's S3 service, which AWS's libraries find by the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.settings import Settings, load
from freg_pipeline_tests.radosgw import Radosgw

MakeSettings = Callable[..., Settings]


@pytest.fixture(autouse=True)
def found(radosgw: Radosgw, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What there is to find: the service, a user's keys, and a home without anything in it."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    for name, value in radosgw.environment().items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def bucket(radosgw: Radosgw) -> str:
    return radosgw.bucket()


@pytest.fixture
def where(bucket: str) -> str:
    """Where a store may lie."""
    return f"s3://{bucket}/some/prefix"


@pytest.fixture
def make(where: str) -> MakeSettings:
    """Settings for a register, with the store on S3."""

    def settings(base_url: str, **others: object) -> Settings:
        given = {"base_url": base_url, "store": where, "poll_seconds": 0.05}
        return load(**{**given, **others})

    return settings
