"""Disks that fill and services that fail do so when they are to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from freg_pipeline_tests.chaos.places import OnS3, SmallDisk, placed
from freg_pipeline_tests.chaos.trouble import Kind, Trouble


def test_a_small_disk_has_so_much_room_and_no_more(tmp_path: Path) -> None:
    with placed("disk", tmp_path) as place:
        if not isinstance(place, SmallDisk):
            pytest.skip("a file system can't be mounted here")
        trouble = Trouble("small disk", 300_000)
        assert place.inside(trouble) is None
        (place.root / "there").write_bytes(b"x" * 1_000_000)
        place.begin([None, trouble])
        (place.root / "fits").write_bytes(b"x" * 100_000)
        with pytest.raises(OSError, match="No space left"):
            (place.root / "more").write_bytes(b"x" * 400_000)
        place.end()
        (place.root / "more").write_bytes(b"x" * 400_000)
        assert sorted(place.names()) == ["fits", "more", "there"]
    assert [*place.root.iterdir()] == []


def test_where_nothing_can_be_mounted_files_are_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with placed("disk", tmp_path) as place:
        told = place.inside(Trouble("small disk", 300_000))
    assert told == Trouble("small files", 75_000)


@pytest.mark.parametrize(
    ("kind", "at", "written"),
    [("full", 3, [True, True, False, False]), ("broken", 1, [True, False, True, True])],
)
def test_a_service_fails_at_its_moment(
    kind: Kind, at: int, written: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with placed("s3", tmp_path) as place:
        trouble = Trouble(kind, at)
        assert place.inside(trouble) is None
        place.begin([trouble])
        assert [_writes(place.environment, name) for name in "abcd"] == written
        place.end()
        assert _writes(place.environment, "e")
        assert [one for one in place.names() if one == "e"]
        assert (place.here() / "e").read_bytes() == place.read("e") == b"x"


def test_a_process_is_killed_at_its_request(tmp_path: Path) -> None:
    with placed("s3", tmp_path) as place, _sleeping() as process:
        assert isinstance(place, OnS3)
        trouble = Trouble("kill", 2)
        place.begin([trouble])
        place.started(trouble, process.pid)
        _writes(place.environment, "a")
        assert process.poll() is None
        _writes(place.environment, "b")
        assert process.wait(60) == -signal.SIGKILL


def _sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        start_new_session=True,
        env={**os.environ},
    )


def _writes(environment: dict[str, str], name: str) -> bool:
    """Whether an object is written at once."""
    client = boto3.client(
        "s3",
        endpoint_url=environment["FREG_S3_ENDPOINT"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    )
    try:
        client.put_object(Bucket="freg", Key=f"course/{name}", Body=b"x")
    except (ClientError, BotoCoreError):
        return False
    return True
