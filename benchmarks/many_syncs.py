"""What a sensor's tick and a sync cost after very many syncs, to what they cost after few.

The many are made by copying: objects of a finished sync under other names, and manifests of earlier
releases. Whoever looks for work must not look at them.
"""

from __future__ import annotations

import re
import shutil
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec

from benchmarks.keeping_current import happen, loaded, publish_slice
from benchmarks.results import Figure, say
from freg_pipeline.journal.pointer import POINTER, current_number, manifest_key
from freg_pipeline.journal.releases import list_releases, require_current
from freg_pipeline.journal.stored_manifests import write_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.settings import load
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.store.record import replace_record
from freg_pipeline_tests.sensed import sensed

PERSONS = 2_000
FEW, MANY = 10, 50_000
EVENTS = 20
ROUNDS = 5


class Counting:
    """A store that counts what is asked of it: each call, and each key that a listing gives."""

    def __init__(self, inner: Store) -> None:
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
    """Ticks and syncs on two copies of one store: one with few syncs behind it, one with many."""
    with tempfile.TemporaryDirectory() as name, loaded(Path(name), PERSONS) as (base_url, few):
        for _ in range(FEW):
            happen(base_url, EVENTS)
            publish_slice(base_url, few)
        many = LocalStore(shutil.copytree(few.location, Path(name) / "many"))
        say(f"making {MANY:,} finished syncs")
        _copy_syncs(many)
        costs = _measured(base_url, few, many)
        began = time.process_time()
        list_releases(many)
        listing = time.process_time() - began
    title = f"after {MANY:,} syncs, to {FEW}"
    return [
        *(
            Figure(title, what, round(after_many / after_few, 2), "times", ROUNDS)
            for what, (after_few, after_many) in costs.items()
        ),
        Figure(title, "freg release list, with none of them purged", round(listing, 1), "CPU s", 1),
    ]


def _measured(base_url: str, few: Store, many: Store) -> dict[str, tuple[float, float]]:
    """Both take over the same events, in turn: their medians."""
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    _tick(base_url, few)  # the first one in a process imports
    for number in range(ROUNDS):
        happen(base_url, EVENTS)
        both = [(0, few), (1, many)]
        for which, store in both if number % 2 else reversed(both):
            for what, work in (("sync", publish_slice), ("tick", _tick)):
                counting = Counting(store)
                began = time.process_time()
                work(base_url, counting)
                seconds = time.process_time() - began
                found[f"{what}: CPU time"][which].append(seconds)
                found[f"{what}: objects"][which].append(sum(counting.counts.values()))
    return {
        what: (statistics.median(of_few), statistics.median(of_many))
        for what, (of_few, of_many) in found.items()
    }


def _tick(base_url: str, store: Any) -> None:
    """Both sensors, with nothing new at the register."""
    freg = Freg.from_settings(load(base_url=base_url, store=store.location))
    freg.store = store
    with dg.DagsterInstance.ephemeral() as instance:
        for sensor in ("uttrekk_sensor", "hendelser_sensor"):
            sensed(sensor, freg, instance)


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
