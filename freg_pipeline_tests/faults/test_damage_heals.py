"""Damage of what can be had again: the commands ask for it again, and their data are right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.errors import ConfigurationError, UncertainOrderError
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import query
from freg_pipeline.lake.verify import verify
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import carry_on
from freg_pipeline.orchestration.run_feed import syncing
from freg_pipeline.settings import Settings, load
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.faults.test_damage import Damage, empty, flip, truncate
from freg_pipeline_tests.loads import fetched, full_load, released
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.tables import difference

MakeFreg = Callable[..., Freg]


def hurt(freg: Freg, damage: Damage, *beginnings: str) -> None:
    """Damage the first object under each beginning of a key."""
    for beginning in beginnings:
        key = next(key for key in freg.store.list(beginning) if not key.endswith("done.json"))
        damage(Path(freg.store.path(key)))


def landed(make_freg: MakeFreg, url: str) -> Freg:
    """Everything of an uttrekk but its release."""
    freg = make_freg(url)
    uttrekk = fetched(freg.settings, name="one")
    manifest = released(freg.settings, uttrekk)
    for prefix in ("releases/", "bases/", "uttrekk/one/release.json"):
        for key in freg.store.list(prefix):
            freg.store.delete(key)
    freg.store.write(uttrekk.open_key, b"")
    assert manifest.persons
    return freg


@pytest.mark.parametrize("damage", [flip(1), truncate, Path.unlink], ids=["flip", "cut", "gone"])
def test_a_load_goes_on_over_damaged_answers_batches_and_staging(
    damage: Damage,
    small_register: str,
    make_freg: MakeFreg,
    make_settings: Callable[..., Settings],
    tmp_path: Path,
) -> None:
    freg = landed(make_freg, small_register)
    hurt(
        freg,
        damage,
        "uttrekk/one/tables/000000/",
        "uttrekk/one/batches/0",
        "uttrekk/one/answers/000001/",
    )
    hurt(freg, damage, "uttrekk/one/tables/000001/", "uttrekk/one/batches/end")
    manifest = carry_on(freg, Uttrekk(freg.store, "one"))
    assert manifest.accounting.unexplained == 0
    assert verify(freg.store) == []
    fresh = make_settings(small_register, store=str(tmp_path / "fresh"))
    full_load(fresh)
    assert difference(freg.store, Freg.from_settings(fresh).store) == {}


@pytest.mark.parametrize(
    ("beginning", "damage"),
    [
        ("feed/000000", flip(2)),
        ("feed/end", Path.unlink),
        ("request", truncate),
        ("batches/end", flip(3)),
        ("tables/hendelser/hendelse.parquet", flip(4)),
    ],
)
def test_a_sync_under_way_that_is_damaged_is_begun_anew(
    beginning: str,
    damage: Damage,
    start_register: StartRegister,
    make_freg: MakeFreg,
    tmp_path: Path,
) -> None:
    url = start_register(persons=150, batch_size=150)
    freg = make_freg(url)
    full_load(freg.settings)
    position = require_current(freg.store).sekvensnummer
    happen(url, 40)
    with syncing(freg) as syncs:
        first = syncs.once().manifest
        begun = f"uttrekk/hendelser-{position:012d}"
        for key in [*freg.store.list("releases/"), *freg.store.list("deltas/")]:
            if not key.startswith("releases/000001/"):
                freg.store.delete(key)
        freg.store.delete(f"{begun}/release.json")
        freg.store.write(Uttrekk(freg.store, first.uttrekk).open_key, b"")
        hurt(freg, damage, f"{begun}/{beginning}")
        assert syncs.once().manifest.sekvensnummer >= first.sekvensnummer
    assert verify(freg.store) == []
    fresh = load(base_url=url, store=str(tmp_path / "fresh"), poll_seconds=0.02)
    full_load(fresh)
    assert difference(freg.store, Freg.from_settings(fresh).store) == {}


def test_an_order_whose_answer_is_damaged_is_uncertain(
    small_register: str, make_freg: MakeFreg
) -> None:
    freg = make_freg(small_register)
    uttrekk = fetched(freg.settings, name="one")
    for key in freg.store.list("uttrekk/one/batches/"):
        freg.store.delete(key)
    hurt(freg, empty, "uttrekk/one/order/01-answer")
    with pytest.raises(UncertainOrderError, match="--order-again"):
        carry_on(freg, Uttrekk(freg.store, "one"))
    manifest = carry_on(freg, Uttrekk(freg.store, uttrekk.name), order_again=True)
    assert query(freg.store, "SELECT count(*) FROM person").fetchall() == [(manifest.persons,)]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("environment", "konsumenttest"), ("rettighetspakke", "offentlig-uten-hjemmel")],
)
def test_an_uttrekk_is_gone_on_with_at_its_own_register_only(
    setting: str, value: str, small_register: str, make_freg: MakeFreg
) -> None:
    fetched(make_freg(small_register).settings, name="one")
    other = make_freg(small_register, **{setting: value})
    with pytest.raises(ConfigurationError, match=f"FREG_{setting.upper()}"):
        carry_on(other, Uttrekk(other.store, "one"))
