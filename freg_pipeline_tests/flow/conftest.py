"""What several of these tests look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from freg_pipeline_tests.erased import Kept, lived_store


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A store with somebody of each sort to erase; copy it."""
    with lived_store(tmp_path_factory.mktemp("erasure") / "store") as made:
        yield made


@pytest.fixture
def folder(kept: Kept, tmp_path: Path) -> Path:
    """A copy of that store."""
    return Path(shutil.copytree(kept.folder, tmp_path / "store"))
