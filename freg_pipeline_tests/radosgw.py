"""Ceph's S3 service on this machine's loopback, for tests that are about a real one.

A monitor, one storage daemon that keeps everything in memory, and radosgw, each in a process of
its own; all that they write lies in a folder that is given. Up in a few seconds. As a test::

    def test_something(radosgw: Radosgw) -> None:         # the fixture of conftest.py
        bucket = radosgw.bucket()                         # made, and empty
        freg("uttrekk", ..., FREG_STORE=f"s3://{bucket}/prefix", **radosgw.environment())

or without pytest, one for any number of processes::

    if not missing():
        with running(folder) as radosgw: ...

One serves a whole session (a session and worker of pytest has its own); tests keep apart by their
buckets. ``environment`` is what AWS's libraries read; it may be put before a proxy by giving its
address. radosgw checks signatures and rights, honours If-None-Match, and takes any region.
All is stopped with the thread that started it, however its process ends.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import shutil
import socket
import string
import struct
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from freg_pipeline_tests.waiting import started, wait_until

PACKAGES = {  # of Debian's and Ubuntu's, by the program that is needed of each
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "ceph": "ceph-common",
    "radosgw": "radosgw",
    "radosgw-admin": "radosgw",
}
REGION = "us-east-1"
_ATTEMPTS = 5  # ports that are free now may be another's in a moment
_COMMAND_SECONDS = 120
# One copy of everything in one placement group a pool; changes of the cluster's map are agreed on
# at once, not gathered for a second, since there is nobody to agree with.
_CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = {folder}/keyring
run dir = {folder}
admin socket =
pid file =
log file =
mon cluster log file =
mon data = {folder}/mon
mon data avail crit = 0
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.02
paxos min wait = 0.01
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw run sync thread = false
"""
_KEYRING = """\
[mon.]
key = {key}
caps mon = "allow *"
[client.admin]
key = {key}
caps mon = "allow *"
caps osd = "allow *"
[osd.0]
key = {key}
caps mon = "allow profile osd"
caps osd = "allow *"
"""


@dataclass(frozen=True)
class Keys:
    """What a user of S3 signs by."""

    access: str = field(default_factory=lambda: secrets.token_hex(10).upper())
    secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)


@dataclass(frozen=True)
class Radosgw:
    """A running service.

    Attributes:
        endpoint: its address.
        keys: of the user to whom the buckets belong.
        folder: all of its files.
    """

    endpoint: str
    keys: Keys
    folder: Path

    def environment(self, keys: Keys | None = None, endpoint: str | None = None) -> dict[str, str]:
        """What AWS's libraries read, and nothing of the user's own files.

        Args:
            keys: of another user.
            endpoint: of something that stands before the service.
        """
        keys = keys or self.keys
        return {
            "AWS_ACCESS_KEY_ID": keys.access,
            "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": endpoint or self.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, keys: Keys | None = None) -> Any:
        """boto3's client, to look at what lies there and to set policies."""
        keys = keys or self.keys
        return boto3.session.Session(
            aws_access_key_id=keys.access,
            aws_secret_access_key=keys.secret,
            region_name=REGION,
        ).client(
            "s3",
            endpoint_url=self.endpoint,
            config=Config(
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def bucket(self) -> str:
        """Make a bucket; returns its name."""
        name = _unused("bucket")
        self.client().create_bucket(Bucket=name)
        return name

    def stranger(self) -> Keys:
        """Make another user, who may do nothing with others' buckets."""
        return _make_user(self.folder, _unused("stranger"))

    def user(self, name: str) -> Keys:
        """Make another user, who may do what a policy tells of the name."""
        return _make_user(self.folder, name)


def missing() -> list[str]:
    """The Debian packages that would have to be installed."""
    return sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Radosgw]:
    """Start the service, and stop it in the end.

    Args:
        folder: an empty one, for all that it writes.
    """
    with contextlib.ExitStack() as stack:
        yield _started(folder, stack)


class _EndedError(Exception):
    """Something of Ceph's ended as it started: its port had been taken by another process."""


def _started(folder: Path, stack: contextlib.ExitStack) -> Radosgw:
    trouble = ""
    for attempt in range(_ATTEMPTS):
        own = folder / str(attempt)
        own.mkdir(parents=True)
        with contextlib.ExitStack() as tried:
            try:
                service = _start(own, tried)
            except _EndedError as error:
                trouble = str(error)
                continue
            stack.enter_context(tried.pop_all())
            return service
    raise AssertionError(f"Ceph doesn't start, see {folder}: {trouble}")


def _start(folder: Path, stack: contextlib.ExitStack) -> Radosgw:
    monitor, gateway = _free_ports(2)
    fsid = str(uuid.uuid4())
    values = {"fsid": fsid, "folder": folder, "monitor": monitor, "gateway": gateway}
    (folder / "ceph.conf").write_text(_CONFIGURATION.format(**values))
    (folder / "keyring").touch(mode=0o600)
    (folder / "keyring").write_text(_KEYRING.format(key=_key()))
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    at = f"[v2:127.0.0.1:{monitor}]"
    monmap = str(folder / "monmap")
    _run(folder, "monmaptool", "--create", "--addv", "a", at, "--fsid", fsid, monmap)
    _run(folder, "ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
    _daemon(folder, stack, "ceph-mon", "-i", "a")
    osd = str(uuid.uuid4())
    _run(folder, "ceph", "--connect-timeout", "20", "osd", "new", osd, "0")
    _run(folder, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
    _daemon(folder, stack, "ceph-osd", "-i", "0")
    serving = _daemon(folder, stack, "radosgw", "-n", "client.admin")
    _wait_for(serving, gateway)
    return Radosgw(f"http://127.0.0.1:{gateway}", _make_user(folder, "owner"), folder)


def _unused(kind: str) -> str:
    """A name that nobody has. Of letters: eleven digits would be masked in what we print."""
    return f"{kind}-{''.join(secrets.choice(string.ascii_lowercase) for _ in range(20))}"


def _make_user(folder: Path, name: str) -> Keys:
    keys = Keys()
    signs = ("--access-key", keys.access, "--secret-key", keys.secret)
    _run(folder, "radosgw-admin", "user", "create", "--uid", name, "--display-name", name, *signs)
    return keys


def _key() -> str:
    """A key as Ceph writes it: its kind, when it was made, its length, itself."""
    return base64.b64encode(
        struct.pack("<hiih", 1, int(time.time()), 0, 16) + secrets.token_bytes(16)
    ).decode()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CEPH_")}


def _run(folder: Path, program: str, *arguments: str) -> None:
    """Run a program of Ceph's to its end. Raises _EndedError: it failed."""
    ran = subprocess.run(
        [program, "-c", str(folder / "ceph.conf"), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    if ran.returncode:
        raise _EndedError(f"{program}: {ran.stdout.decode(errors='replace').strip()[-500:]}")


def _daemon(
    folder: Path, stack: contextlib.ExitStack, program: str, *arguments: str
) -> subprocess.Popen[Any]:
    """Start one that lives no longer than this thread, even if its process is killed."""
    said = stack.enter_context((folder / f"{program}.log").open("wb"))
    with_us = ("setpriv", "--pdeathsig", "KILL")
    command = [*with_us, program, "-c", str(folder / "ceph.conf"), *arguments, "-f"]
    return stack.enter_context(
        started(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=_environment())
    )


def _wait_for(process: subprocess.Popen[Any], port: int) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise _EndedError("radosgw ended; its log tells why")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_until(answers, pause=0.05)
