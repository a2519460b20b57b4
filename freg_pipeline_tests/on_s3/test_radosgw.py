"""The S3 service of these tests: it is there for whoever starts it, and gone with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from freg_pipeline_tests.radosgw import Keys, Radosgw
from freg_pipeline_tests.waiting import STUCK_SECONDS, started, wait_until

_STARTS_ONE = """
import sys
from pathlib import Path
from freg_pipeline_tests.radosgw import running
with running(Path(sys.argv[1])) as service:
    service.bucket()
    print(service.endpoint, flush=True)
    sys.stdin.read()
"""


def test_it_keeps_what_is_there_and_knows_who_asks(radosgw: Radosgw) -> None:
    bucket = radosgw.bucket()
    client = radosgw.client()
    client.put_object(Bucket=bucket, Key="a", Body=b"first", IfNoneMatch="*")
    for keys, code in (
        (radosgw.keys, "PreconditionFailed"),
        (Keys(radosgw.keys.access), "SignatureDoesNotMatch"),
        (radosgw.stranger(), "AccessDenied"),
    ):
        with pytest.raises(ClientError) as caught:
            radosgw.client(keys).put_object(Bucket=bucket, Key="a", Body=b"x", IfNoneMatch="*")
        assert caught.value.response["Error"]["Code"] == code
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"first"


def test_a_second_one_of_another_user_dies_with_who_started_it(
    radosgw: Radosgw, tmp_path: Path
) -> None:
    """Beside the first: by a user without rights, if this one may become another."""
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    folder = tmp_path / "other"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        for above in [one for one in folder.parents if not one.stat().st_mode & 0o001]:
            above.chmod(above.stat().st_mode | 0o001)
    command = [*(other if os.geteuid() == 0 else []), sys.executable, "-c", _STARTS_ONE]
    environment = {**os.environ, "HOME": str(folder)}
    with started(
        [*command, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        endpoint = process.stdout.readline().decode().strip()
        assert endpoint.startswith("http://127.0.0.1:")
        assert endpoint != radosgw.endpoint
        daemons = _daemons_in(folder)
        assert len(daemons) == 3
        process.send_signal(signal.SIGKILL)
        process.wait(STUCK_SECONDS)
    wait_until(lambda: not _daemons_in(folder), pause=0.05)


def _daemons_in(folder: Path) -> list[int]:
    """The processes whose command line names a folder, and that aren't Python."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"python" not in words[0] and any(str(folder).encode() in word for word in words):
            found.append(int(process.name))
    return found
