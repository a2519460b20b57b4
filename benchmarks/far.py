"""A store far away, against a local one: each request to S3 takes 20 ms more than it does.

A full load, a sync of 60 events and a compaction by the commands, each a process of its own whose
CPU time is that of nobody else; the register, the S3 server and what delays it are beside it. What
the server itself takes is in the seconds: with many requests at once it is not quick.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import boto3

from benchmarks.large.stages import happen, register, run
from benchmarks.results import PERSONS, Figure
from freg_pipeline_tests.s3 import between, s3_server

DELAY = 0.02  # seconds
EVENTS = 60
BUCKET = "far"
_KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_COMMANDS = {
    "freg uttrekk komplett": ["uttrekk", "komplett"],
    "freg hendelser sync": ["hendelser", "sync"],
    "freg compact": ["compact", "--force"],
}
_Took = dict[str, tuple[float, float]]  # by command: seconds, and CPU seconds


def figures() -> list[Figure]:
    """Each command on both stores, and how many times as long the one far away takes."""
    os.environ.update(_KEYS)
    with (
        tempfile.TemporaryDirectory() as folder,
        s3_server() as server,
        between(server) as proxy,
    ):
        boto3.client("s3", endpoint_url=server).create_bucket(Bucket=BUCKET)
        proxy.instead = _late
        requests: dict[str, int] = {}
        local = _take({"FREG_STORE": str(Path(folder, "store"))}, [], {})
        s3 = {"FREG_STORE": f"s3://{BUCKET}/freg", "FREG_S3_ENDPOINT": proxy.address}
        far = _take(s3, proxy.requests, requests)
    found = []
    for command in _COMMANDS:
        subject = f"{command}, {DELAY * 1000:.0f} ms a request"
        ratios = (there / here for there, here in zip(far[command], local[command], strict=True))
        for ratio, unit in zip(ratios, ("times the local s", "times the local CPU s"), strict=True):
            found.append(Figure("a store far away", subject, round(ratio, 2), unit, 1))
        found.append(Figure("a store far away", subject, requests[command], "requests", 1))
        found.append(Figure("a store far away", subject, round(far[command][0], 1), "s", 1))
    return found


def _late(method: str, path: str, headers: dict[str, str]) -> None:
    """Let a request go on, later."""
    del method, path, headers
    time.sleep(DELAY)


def _take(store: Mapping[str, str], sent: list[tuple[str, str]], requests: dict[str, int]) -> _Took:
    """What each command takes on a store, one after the other, with a register of its own."""
    took = {}
    with register(PERSONS) as (_, base_url):
        settings = {"FREG_BASE_URL": base_url, "FREG_POLL_SECONDS": "0.1", **store}
        for name, command in _COMMANDS.items():
            if "sync" in command:
                happen(base_url, EVENTS)
            sent.clear()
            use = run(command, settings)
            took[name] = use.seconds, use.cpu[-1]
            requests[name] = len(sent)
    return took


if __name__ == "__main__":
    from benchmarks.results import table

    print(table(figures()))
