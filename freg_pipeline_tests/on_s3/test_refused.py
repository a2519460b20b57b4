"""What is wrong with S3 is one line that says what to do, and nothing secret."""

from __future__ import annotations

import re

import pytest

from freg_pipeline_tests.conftest import RunFreg
from freg_pipeline_tests.radosgw import Keys, Radosgw
from freg_pipeline_tests.s3 import Answer, between

COMMANDS = {
    "load": ("uttrekk", "komplett"),
    "sync": ("hendelser", "sync"),
    "query": ("sql", "SELECT 1"),
    "status": ("status", "--no-ask"),
    "purge": ("release", "purge", "--keep", "1"),
}


SAID = {
    "secret": "SignatureDoesNotMatch",
    "key": "InvalidAccessKeyId",
    "bucket": "NoSuchBucket",
    "rights": "AccessDenied",
}


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        *(("check", wrong) for wrong in SAID),
        *((name, "secret") for name in COMMANDS),
        *((name, "bucket") for name in COMMANDS),
    ],
)
def test_it_is_told_in_one_line(
    command: str,
    wrong: str,
    where: str,
    freg: RunFreg,
    radosgw: Radosgw,
    small_register: str,
) -> None:
    keys = radosgw.keys
    if wrong in {"secret", "key"}:
        keys = Keys(keys.access) if wrong == "secret" else Keys()
    elif wrong == "rights":
        keys = radosgw.stranger()
    store = "s3://no-such-bucket/prefix" if wrong == "bucket" else where

    ended = freg(
        *COMMANDS.get(command, (command,)),
        FREG_STORE=store,
        FREG_BASE_URL=small_register,
        **radosgw.environment(keys),
    )

    assert ended.code == 2, ended.stderr
    (line,) = [one for one in ended.lines if not one.startswith("WARNING")]
    said = f"(?:{SAID[wrong]}|403 Forbidden)"  # an answer to HEAD has no words
    assert re.search(f"the store {store} can't be used: {said}", line)
    assert "freg check" in line
    assert keys.secret not in ended.stdout + ended.stderr
    assert keys.access not in ended.stdout + ended.stderr


def test_a_service_that_writes_over_what_is_there_is_told(
    where: str, freg: RunFreg, radosgw: Radosgw, small_register: str
) -> None:
    """Older ones ignore If-None-Match without a word. (That header is signed: it can't be left out
    on the way, but what is there can be gone when it arrives.)
    """
    bucket = where.split("/")[2]

    def ignore(method: str, path: str, headers: dict[str, str]) -> Answer | None:
        if method == "PUT" and "if-none-match" in map(str.lower, headers):
            radosgw.client().delete_object(Bucket=bucket, Key=path.removeprefix(f"/{bucket}/"))
        return None

    with between(radosgw.endpoint) as proxy:
        proxy.instead = ignore
        settings = {"FREG_STORE": where, "FREG_S3_ENDPOINT": proxy.address}
        ended = freg("check", FREG_BASE_URL=small_register, **settings)
    assert ended.code == 2
    assert "ignores If-None-Match" in ended.stderr
    assert len(ended.lines) == 1
    assert "Contents" not in radosgw.client().list_objects_v2(Bucket=bucket)
