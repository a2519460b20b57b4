"""A register that wants tokens, and a key; each test begins without tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from freg_pipeline.client import maskinporten
from freg_pipeline.synthetic import RegisterOptions, running


@pytest.fixture(scope="package")
def guarded() -> Iterator[str]:
    """A register that wants a token; its base URL."""
    with running(RegisterOptions(persons=20, auth=True)) as url:
        yield url


@pytest.fixture(autouse=True)
def _no_tokens_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maskinporten, "_SHARED", {})


@pytest.fixture(scope="package")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    path.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
    return path
