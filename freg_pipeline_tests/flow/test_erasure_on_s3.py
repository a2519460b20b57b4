"""Persons are erased from a store on S3: the same, by other requests. (A real service: on_s3/.)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from freg_pipeline.journal.keptout import has_receipt, orders
from freg_pipeline.journal.releases import list_releases
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.erased import Kept, download, upload
from freg_pipeline_tests.s3 import Answer, between, killed, s3_server
from freg_pipeline_tests.searched import found_in

WHERE = "s3://bucket/some/prefix"
PUBLISHED = r"/releases/000004/manifest", True  # and nothing points at it


@dataclass(frozen=True)
class OnS3:
    """A store there.

    Attributes:
        endpoint: of the service.
        client: of boto3's.
        environment: what commands take.
    """

    endpoint: str
    client: Any
    environment: dict[str, str]


@pytest.fixture
def on_s3(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnS3]:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    with s3_server() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="bucket")
        upload(client, WHERE, kept.folder)
        (tmp_path / "persons.txt").write_text("\n".join(kept.given))
        yield OnS3(endpoint, client, {"FREG_STORE": WHERE, "FREG_BASE_URL": kept.base_url})


def test_who_is_killed_there_goes_on_with_the_same_list(
    kept: Kept, on_s3: OnS3, freg: RunFreg, tmp_path: Path
) -> None:
    command = ["erase", "persons.txt", "--yes"]
    killed(command, PUBLISHED, tmp_path, on_s3.endpoint, **on_s3.environment)
    store = S3Store(WHERE, endpoint=None)
    assert not has_receipt(store, 1)

    ended = freg(*command, **on_s3.environment)

    assert ended.code == 0, ended.stderr
    assert found_in(download(on_s3.client, WHERE, tmp_path / "all"), set(kept.numbers)) == {}
    assert [has_receipt(store, number) for number in orders(store)] == [True]
    assert [one.number for one in list_releases(store)] == ["000004"]
    assert verify(store) == []


def test_who_may_not_remove_is_told_so_before_anything_is_done(
    kept: Kept, on_s3: OnS3, freg: RunFreg, tmp_path: Path
) -> None:
    def refusing(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        is_removal = method == "DELETE" or (method == "POST" and "delete" in path)
        return (403, "AccessDenied") if is_removal else None

    with between(on_s3.endpoint) as proxy:
        proxy.instead = refusing
        environment = {**on_s3.environment, "AWS_ENDPOINT_URL_S3": proxy.address}
        ended = freg("erase", "persons.txt", "--yes", **environment)
    assert ended.code == 2
    (line,) = (one for one in ended.lines if not one.startswith("looked through"))
    assert "nothing can be removed from the store" in line
    assert "AccessDenied" in line
    assert "s3:DeleteObject" in line
    assert "nothing was done" in line
    assert orders(S3Store(WHERE, endpoint=None)) == {}
