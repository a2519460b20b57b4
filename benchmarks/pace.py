"""Several machines behind one address: what of the register's limit they use, what is refused.

``python -m benchmarks.pace [COURSE…]``: it takes minutes, so it is no part of ``make bench``.

Each machine is a process with a pace of its own (a TMPDIR of its own). It asks for one person at a
time, by bulkoppslag, from CONCURRENCY tasks, for the minutes that its course names.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from tempfile import TemporaryDirectory

import httpx

from freg_pipeline.client.register import Register
from freg_pipeline.settings import Settings
from freg_pipeline.synthetic import RegisterOptions, running

LIMIT = 1_200
CONCURRENCY = 16
MINUTES = 6
# For each machine: from which minute to which it works, and the limit that it was told.
COURSES = {
    "two": [(0, 6, LIMIT), (0, 6, LIMIT)],
    "second joins": [(0, 6, LIMIT), (1, 6, LIMIT)],
    "one leaves": [(0, 6, LIMIT), (0, 3, LIMIT)],
    "one leaves, shares by setting": [(0, 6, LIMIT // 2), (0, 3, LIMIT // 2)],
    "four": [(0, 6, LIMIT)] * 4,
}


def main() -> None:
    if sys.argv[1:2] == ["machine"]:
        asyncio.run(_machine(*sys.argv[2:4], *map(float, sys.argv[4:6])))
        return
    for name in sys.argv[1:] or COURSES:
        _measure(name)


def _measure(name: str) -> None:
    options = RegisterOptions(persons=50, requests_per_minute=LIMIT, latency_ms=100)
    with ExitStack() as stack:
        base_url = stack.enter_context(running(options))
        homes = [stack.enter_context(TemporaryDirectory()) for _ in COURSES[name]]
        machines = [
            _started(base_url, home, *times)
            for home, times in zip(homes, COURSES[name], strict=True)
        ]
        for machine in machines:
            machine.wait()
        root = base_url.split("/folkeregisteret/")[0]
        minutes = httpx.get(f"{root}/_synthetic/status").json()["minutes"][:MINUTES]
    for number, minute in enumerate(minutes):
        accepted = minute["arrived"] - minute["refused"]
        print(f"{name}: minute {number}: {accepted} accepted, {minute['refused']} refused")


def _started(base_url: str, home: str, begin: int, end: int, limit: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.pace", "machine", base_url, str(limit)]
    command += [str(begin * 60), str(end * 60)]
    return subprocess.Popen(command, env={**os.environ, "TMPDIR": home})


async def _machine(base_url: str, limit: str, begin: float, end: float) -> None:
    started = time.monotonic()
    await asyncio.sleep(begin)
    settings = Settings(base_url=base_url, requests_per_minute=int(limit), concurrency=CONCURRENCY)
    async with Register.from_settings(settings) as register:
        tasks = [asyncio.create_task(_ask(register)) for _ in range(CONCURRENCY)]
        await asyncio.sleep(end - (time.monotonic() - started))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(register: Register) -> None:
    while True:
        await register.personer.bulkoppslag(["01010112345"], ["person-basis"])


if __name__ == "__main__":
    main()
