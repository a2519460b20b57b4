"""What a sensor's tick and a sync cost after very many syncs, to what they cost after few.

The many are made by copying: objects of a finished sync under other names, and manifests of earlier
releases. Whoever looks for work must not look at them.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import msgspec

from benchmarks.keeping_current import loaded, publish_slice
from benchmarks.results import Figure, say
from freg_pipeline.journal.releases import (
    POINTER,
    current_number,
    manifest_key,
    require_current,
    write_manifest,
)
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.feed_sensor import hendelser_sensor
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.sensors import uttrekk_sensor
from freg_pipeline.settings import load
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.record import replace_record

PERSONS = 2_000
FEW, MANY = 10, 50_000
EVENTS = 20
ROUNDS = 5


class Counting:
    """A store that counts what is asked of it: each call, and each key that a listing gives."""

    def __init__(self, inner: LocalStore) -> None:
        self._inner = inner
        self.counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in {"exists", "read", "write", "put_file", "replace", "list", "delete"}:
            return found

        def counted(*arguments: Any) -> Any:
            answer = found(*arguments)
            self.counts[name] += 1
            if name == "list":
                self.counts["listed"] += len(answer)
            return answer

        return counted


def figures() -> list[Figure]:
    """A tick and a sync after few syncs, then after many."""
    with tempfile.TemporaryDirectory() as name, loaded(Path(name), PERSONS) as (base_url, store):
        for _ in range(FEW):
            _sync(base_url, store)
        _tick(base_url, store)  # the first one in a process imports
        few = _measured(base_url, store)
        say(f"making {MANY:,} finished syncs")
        _copy_syncs(store)
        many = _measured(base_url, store)
    title = f"after {MANY:,} syncs, to {FEW}"
    return [Figure(title, what, round(many[what] / few[what], 2), "times", ROUNDS) for what in few]


def _measured(base_url: str, store: LocalStore) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for what, work in (("tick", _tick), ("sync", _sync)):
            counting = Counting(store)
            began = time.process_time()
            work(base_url, counting)
            found.setdefault(f"{what}: CPU time", []).append(time.process_time() - began)
            found.setdefault(f"{what}: objects", []).append(sum(counting.counts.values()))
    return {what: statistics.median(values) for what, values in found.items()}


def _tick(base_url: str, store: Any) -> None:
    """Both sensors, with nothing new at the register."""
    freg = Freg.from_settings(load(base_url=base_url, store=store.location))
    freg.store = store
    with dg.DagsterInstance.ephemeral() as instance:
        for sensor in (uttrekk_sensor, hendelser_sensor):
            with dg.build_sensor_context(instance, resources={"freg": freg}) as context:
                sensor(context)


def _sync(base_url: str, store: Any) -> None:
    address = f"{base_url.split('/folkeregisteret')[0]}/_synthetic/hendelser"
    httpx.post(address, params={"antall": EVENTS}, timeout=60).raise_for_status()
    publish_slice(base_url, store)


def _copy_syncs(store: LocalStore) -> None:
    """Finished syncs and their releases, before the current one."""
    current = require_current(store)
    done = Uttrekk(store, current.uttrekk)
    records = {key: store.read(key) for key in (done.key("request.json"), done.release_key)}
    manifest = store.read(manifest_key(current.number))
    newest = f"{int(current.number) + MANY:06d}"
    for number in range(int(current.number) + 1, int(newest)):
        for key, content in records.items():
            _put(store, re.sub(r"hendelser-\d+", f"hendelser-9{number:011d}", key), content)
        _put(store, manifest_key(f"{number:06d}"), manifest)
    write_manifest(store, msgspec.structs.replace(current, number=newest))
    replace_record(store, POINTER, {"release": newest})
    assert current_number(store) == newest


def _put(store: LocalStore, key: str, content: bytes) -> None:
    """Without waiting for the disk, as 150,000 objects would."""
    path = Path(store.path(key))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
