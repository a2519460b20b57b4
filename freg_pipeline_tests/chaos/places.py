"""Where a course's store lies: in a folder, on a small disk of its own, or on S3.

What happens to a process may come from there: a disk that has no more room, a service that answers
with errors, or whose n-th request is the moment at which the process is killed.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import boto3

from freg_pipeline_tests.chaos.trouble import SIGNALS, Trouble
from freg_pipeline_tests.s3 import Answer, Between, Fate, between, s3_server

Kind = Literal["folder", "disk", "s3"]
_BUCKET, _PREFIX = "freg", "course/"
_LARGE = 2**30  # bytes of a disk that isn't to fill
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_KEYS["AWS_DEFAULT_REGION"] = "eu-north-1"


class Folder:
    """A store in a folder.

    Args:
        folder: of the course.

    Attributes:
        environment: what commands find the store by.
        catalogue: what readers open; None: there is none on this machine.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = folder / "store"
        self.environment: dict[str, str] = {"FREG_STORE": str(self.root)}
        self.catalogue: Path | None = self.root / "freg.duckdb"

    def inside(self, trouble: Trouble | None) -> Trouble | None:
        """What a process is to do to itself; what comes from here is none of that."""
        if trouble is not None and trouble.kind == "small disk":
            return replace(trouble, kind="small files", at=max(512, trouble.at // 4))
        return trouble

    def begin(self, troubles: Sequence[Trouble | None]) -> None:
        """Some commands are about to run."""

    def started(self, trouble: Trouble | None, process: int) -> None:
        """One of them runs."""

    def end(self) -> None:
        """All have ended."""

    def names(self) -> list[str]:
        """Every object's name."""
        return [
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file()
        ]

    def read(self, key: str) -> bytes:
        """An object."""
        return (self.root / key).read_bytes()

    def here(self) -> Path:
        """All of it as a folder on this machine."""
        return self.root


class SmallDisk(Folder):
    """A store on a file system of its own, which has as much room as it is given."""

    def inside(self, trouble: Trouble | None) -> Trouble | None:
        """Nothing where the disk fills."""
        if trouble is not None and trouble.kind == "small disk":
            return None
        return trouble

    def begin(self, troubles: Sequence[Trouble | None]) -> None:
        """Leave so many bytes free."""
        free = [one.at for one in troubles if one is not None and one.kind == "small disk"]
        if free:
            told = os.statvfs(self.root)
            used = (told.f_blocks - told.f_bfree) * told.f_frsize
            self._resize(used + min(free))

    def end(self) -> None:
        """Somebody has made room."""
        self._resize(_LARGE)

    def _resize(self, size: int) -> None:
        _mount("-o", f"remount,size={size}", self.root)


class OnS3(Folder):
    """A store on S3; troubles come at the n-th request to it.

    Args:
        folder: of the course.
        proxy: what commands take for the service.
        endpoint: the service.
    """

    def __init__(self, folder: Path, proxy: Between, endpoint: str) -> None:
        super().__init__(folder)
        self.catalogue = None
        self.environment = {
            "FREG_STORE": f"s3://{_BUCKET}/{_PREFIX.rstrip('/')}",
            "FREG_S3_ENDPOINT": proxy.address,
            "XDG_DATA_HOME": str(folder / "home"),
            **_KEYS,
        }
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="eu-north-1",
        )
        self._client.create_bucket(
            Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
        self._proxy = proxy
        self._proxy.instead, self._proxy.fate = self._instead, self._fate
        self.end()

    def inside(self, trouble: Trouble | None) -> Trouble | None:
        """A clock alone: all else comes from the service."""
        return trouble if trouble is not None and trouble.kind == "clock" else None

    def begin(self, troubles: Sequence[Trouble | None]) -> None:
        """Begin to count."""
        self.end()
        self._trouble = next((one for one in troubles if one and one.kind != "clock"), None)

    def started(self, trouble: Trouble | None, process: int) -> None:
        """Note whom to kill."""
        if trouble is not None and trouble is self._trouble:
            self._process = process

    def end(self) -> None:
        """Nothing is in anybody's way any more."""
        self._trouble: Trouble | None = None
        self._process, self._met, self._answered = 0, 0, 0

    def _instead(self, method: str, path: str, headers: dict[str, str]) -> Answer | None:
        del path, headers
        trouble = self._trouble
        if trouble is None:
            return None
        if trouble.kind in SIGNALS:
            self._met += 1
            if self._met == trouble.at and self._process:
                with suppress(ProcessLookupError):
                    os.killpg(self._process, SIGNALS[trouble.kind])
        elif trouble.kind == "full" and method in {"PUT", "POST"}:
            self._met += 1
            if self._met >= trouble.at:
                return 403, "QuotaExceeded"
        return None

    def _fate(self, method: str, path: str) -> Fate:
        del method, path
        trouble = self._trouble
        if trouble is None or trouble.kind not in {"broken", "small files", "small disk"}:
            return "whole"
        self._answered += 1
        if self._answered != 1 + trouble.at % 200:
            return "whole"
        return "lost" if trouble.kind == "broken" else "cut"

    def names(self) -> list[str]:
        """Every object's name."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=_BUCKET, Prefix=_PREFIX
        )
        return [
            one["Key"].removeprefix(_PREFIX) for page in pages for one in page.get("Contents", [])
        ]

    def read(self, key: str) -> bytes:
        """An object."""
        told = self._client.get_object(Bucket=_BUCKET, Key=f"{_PREFIX}{key}")
        return bytes(told["Body"].read())

    def here(self) -> Path:
        """A copy: a store may be moved."""
        shutil.rmtree(self.root, ignore_errors=True)
        for key in self.names():
            path = self.root / key
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(self.read(key))
        return self.root


@contextmanager
def placed(kind: Kind, folder: Path) -> Iterator[Folder]:
    """A place for a course's store. Where nothing may be mounted a small disk is a folder.

    Args:
        kind: which.
        folder: of the course.
    """
    if kind == "s3":
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else a line for each request
        with s3_server() as endpoint, between(endpoint) as proxy:
            yield OnS3(folder, proxy, endpoint)
        return
    root = folder / "store"
    root.mkdir(mode=0o700)
    if kind == "folder" or not _mount(
        "-t", "tmpfs", "-o", f"mode=700,size={_LARGE}", "tmpfs", root
    ):
        yield Folder(folder)
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", root], check=False)


def _mount(*how: str | Path) -> bool:
    """Whether it is mounted: only root may, and not in each container."""
    try:
        told = subprocess.run(["mount", *how], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return told.returncode == 0
