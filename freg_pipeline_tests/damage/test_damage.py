"""Some fields of the table, the same ones each time; ``make damage`` tries all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from freg_pipeline_tests.damage.harm import HARMS, damage
from freg_pipeline_tests.damage.kinds import unknown
from freg_pipeline_tests.damage.prepared import Prepared, prepared
from freg_pipeline_tests.damage.table import Table, figures, sample

# Those that cost least: of the others a loop over the same fields is in `make damage`.
COMMANDS = ("release list", "release verify", "sql", "access-log", "erase --list", "dbt-sources",
            "retention --dry-run", "uttrekk status", "check", "unpin")  # fmt: skip
FIELDS = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with prepared(tmp_path_factory.mktemp("damage"), by_command=False) as made:
        yield made


def test_whatever_is_damaged_is_told_or_heals_or_is_not_needed(
    made: Prepared, tmp_path: Path
) -> None:
    table = Table(made, tmp_path, COMMANDS)
    cases = [*table.run(sample(table.fields(), FIELDS, seed=1))]
    told = figures(cases)
    assert told["wrong"] == []
    assert {one.came for one in cases} >= {"told", "harmless"}
    assert len(cases) > FIELDS // 2


def test_every_object_is_of_a_known_kind(made: Prepared) -> None:
    assert unknown(made.keys()) == []
    assert unknown(["store/bases/b/what.is.this", "store/new"]) == [
        "store/bases/b/what.is.this", "store/new",
    ]  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_damage_is_damage(harm: str, tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "0000.parquet", tmp_path / "b" / "0000.parquet"
    for number, path in enumerate((one, other)):
        path.parent.mkdir()
        path.write_bytes(bytes([number]) * 100)
    content = damage(one, harm)
    assert content != bytes(100)
    assert (one.read_bytes() if one.exists() else None) == content
    assert other.read_bytes() == b"\1" * 100
