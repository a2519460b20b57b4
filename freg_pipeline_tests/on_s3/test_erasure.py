"""Persons are erased from a store on a real S3 service, by who may, and is killed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from freg_pipeline.journal.keptout import has_receipt, orders
from freg_pipeline.lake.verify import verify
from freg_pipeline.store.s3 import S3Store
from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.erased import Kept, download, lived_store, upload
from freg_pipeline_tests.radosgw import Radosgw
from freg_pipeline_tests.s3 import killed
from freg_pipeline_tests.searched import found_in

STAGES = {
    "an answer is written anew": (r"/answers/\d+/.*\.zst", True),
    "a release from before goes": (r"/releases/000001/manifest", False),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with lived_store(tmp_path_factory.mktemp("erasure") / "store") as made:
        yield made


@pytest.fixture
def environment(kept: Kept, where: str, radosgw: Radosgw, tmp_path: Path) -> dict[str, str]:
    upload(radosgw.client(), where, kept.folder)
    (tmp_path / "persons.txt").write_text("\n".join(kept.given))
    return {"FREG_STORE": where, "FREG_BASE_URL": kept.base_url}


@pytest.mark.parametrize("stage", STAGES)
def test_who_is_killed_there_goes_on_with_the_same_list(
    stage: str,
    kept: Kept,
    environment: dict[str, str],
    where: str,
    radosgw: Radosgw,
    freg: RunFreg,
    tmp_path: Path,
) -> None:
    command = ["erase", "persons.txt", "--yes"]
    killed(command, STAGES[stage], tmp_path, radosgw.endpoint, **environment)

    ended = freg(*command, **environment)

    assert ended.code == 0, ended.stderr
    everything = download(radosgw.client(), where, tmp_path / "all")
    assert found_in(everything, set(kept.numbers)) == {}
    store = S3Store(where, endpoint=None)
    assert [has_receipt(store, number) for number in orders(store)] == [True]
    assert verify(store) == []


def test_who_may_not_remove_is_told_so_before_anything_is_done(
    environment: dict[str, str], bucket: str, where: str, radosgw: Radosgw, freg: RunFreg
) -> None:
    writer = radosgw.user("writer")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam:::user/writer"},
        "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    radosgw.client().put_bucket_policy(Bucket=bucket, Policy=policy)

    ended = freg("erase", "persons.txt", "--yes", **environment, **radosgw.environment(writer))

    assert ended.code == 2, ended.stderr
    (line,) = (one for one in ended.lines if not one.startswith("looked through"))
    assert f"nothing can be removed from the store {where}: AccessDenied" in line
    assert "s3:DeleteObject" in line
    assert orders(S3Store(where, endpoint=None)) == {}
