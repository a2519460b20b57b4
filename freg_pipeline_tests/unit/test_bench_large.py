"""The benchmark of a million persons: what it watches, shares out, and reckons from its figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.large import floor, page, sizing
from benchmarks.large.stages import AFTER, LOAD, PARTS, REGISTER, STAGES, Measured, Stage
from benchmarks.large.watch import Use, Watch

_BURNS = """
import subprocess, sys, time
def burn(seconds):
    while time.process_time() < seconds:
        pass
child = subprocess.Popen([sys.executable, "-c", "import time\\nheld = bytearray(200_000_000)\\n"
                          "while time.process_time() < 1: pass"])
burn(1)
child.wait()
time.sleep(0.5)
"""


def registers(persons: int, per_million: float, memory: float) -> Measured:
    share = persons / 1_000_000
    stages = {name: Stage(per_million * share, memory, 1.0) for name in (*STAGES, *AFTER, REGISTER)}
    disk = {"answers": persons * 600, "tables": persons * 500, "bases": persons * 400, "other": 1}
    return Measured(persons, stages, dict.fromkeys(PARTS, 10.0 * share), disk, persons * 5_000)


SMALL, LARGE = registers(100_000, 50.0, 500.0), registers(1_000_000, 50.0, 590.0)


def test_a_process_and_what_it_begins_are_watched() -> None:
    process = subprocess.Popen([sys.executable, "-c", _BURNS])
    watch = Watch(process.pid)
    assert process.wait() == 0
    use = watch.stop()
    assert 1.6 < use.cpu[-1] < 4, "two processes of a second each"
    assert use.cpu == sorted(use.cpu)
    assert 190 < max(use.memory) < 350, "the larger of the two, not their sum"


def test_what_was_used_is_shared_out_by_what_was_under_way() -> None:
    use = Use(
        times=[100.2, 100.4, 100.6, 100.8],
        cpu=[0.1, 0.3, 0.7, 0.8],
        memory=[10.0, 20.0, 40.0, 30.0],
    )
    shared = use.shared_out([("a", 100.2, 100.6), ("b", 100.4, 100.6), ("c", 0.0, 50.0)])
    assert {name: (round(cpu, 6), most) for name, (cpu, most) in shared.items()} == {
        "": (0.2, 30.0),
        "a": (0.4, 40.0),
        "b": (0.2, 40.0),
    }


def test_a_file_of_the_floor_has_the_form_of_the_one_it_stands_for(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "key": list(range(1_000)),
            "code": ["a", "b"] * 500,
            "text": [f"{n}" for n in range(1_000)],
        }
    )
    form = {
        "compression": {"key": "none", "code": "zstd", "text": "zstd"},
        "use_dictionary": ["code"],
        "column_encoding": {"key": "DELTA_BINARY_PACKED"},
    }
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    pq.write_table(rows, first, **form)
    pq.write_table(pq.read_table(first), second, **floor.form_of(pq.ParquetFile(first)))
    columns = [
        [pq.ParquetFile(path).metadata.row_group(0).column(number) for number in range(3)]
        for path in (first, second)
    ]
    for one, other in zip(*columns, strict=True):
        assert (one.compression, one.encodings) == (other.compression, other.encodings)
        assert one.total_compressed_size == other.total_compressed_size


def test_needs_lie_on_the_line_through_what_was_measured() -> None:
    for measured in (SMALL, LARGE):
        found = sizing.needs(measured.persons, SMALL, LARGE)
        assert found.cpu == pytest.approx(measured.stages[LOAD].cpu)
        assert found.memory == pytest.approx(measured.stages[LOAD].memory)
    ten = sizing.needs(10_000_000, SMALL, LARGE)
    assert ten.cpu == pytest.approx(500)
    assert ten.memory == pytest.approx(500 + 99 * 90 / 9)
    assert (ten.answers, ten.base, ten.kept) == pytest.approx((6.0, 4.0, 14.0))
    assert sizing.needs(10_000, SMALL, LARGE).memory == 500, "no less than was ever seen"


def test_the_register_s_time_follows_from_its_limits_and_its_answers() -> None:
    one = sizing.needs(10_000_000, SMALL, LARGE)
    assert one.look_ups == 10_000
    assert one.at_limit["konsumenttest"] == pytest.approx(10_000 / 1_200)
    assert one.slow == pytest.approx(10_000 * 10 / 4 / 3600)
    four = sizing.needs(10_000_000, SMALL, LARGE, sizing.Machines(4, 4, 16))
    assert four.slow == pytest.approx(one.slow / 16)
    assert four.minutes == pytest.approx(one.minutes / 8)
    assert four.requests == one.requests > 10_000


def test_both_pages_say_it_for_each_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(page, "HERE", tmp_path)
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(sizing, "PAGE", tmp_path / "sizing.md")
    (tmp_path / "sizing.md").write_text(
        f"# By hand\n\n{sizing.BEGIN}\nold\n{sizing.END}\n\nAfter\n"
    )
    page.keep(SMALL, LARGE)
    assert page.kept() == (SMALL, LARGE)
    results = (tmp_path / "RESULTS-large.md").read_text()
    assert "| whole load | 50.0 | 1.25 | 5.0 | 10.0 | 590 | 1.0 |" in results
    assert "50 CPU seconds a million; 1.25 times the floor" in results
    written = (tmp_path / "sizing.md").read_text()
    assert written.startswith("# By hand")
    assert written.endswith("After\n")
    assert "old" not in written
    for persons in sizing.SIZES:
        assert written.count(f"\n| {persons:,} |") == 2


def test_the_documents_say_what_was_measured_last() -> None:
    if page.RESULTS.exists():
        assert sizing.text(*page.kept()) in sizing.PAGE.read_text()
