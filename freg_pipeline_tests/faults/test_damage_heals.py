"""Damage of what can be had again: the commands ask for it again, and their data are right."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from freg_pipeline.store import Store, open_store
from freg_pipeline.store.local import LocalStore
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.faults.test_damage import Damage, empty, flip, truncate
from freg_pipeline_tests.loads import fetched, full_load, released, sync
from freg_pipeline_tests.registers import happen
from freg_pipeline_tests.tables import difference

MakeFreg = Callable[..., Freg]


def hurt(freg: Freg, damage: Damage, *beginnings: str) -> None:
    """Damage the first object under each beginning of a key."""
    for beginning in beginnings:
        key = next(key for key in freg.store.list(beginning) if not key.endswith("done.json"))
        damage(Path(freg.store.path(key)))


def of(url: str, folder: Path) -> Settings:
    return load(base_url=url, store=str(folder), poll_seconds=0.02)


def copied(folder: Path, tmp_path: Path) -> None:
    """Begin with a copy of a store, where a test's own settings have theirs."""
    shutil.copytree(folder, tmp_path / "store")


@pytest.fixture(scope="module")
def fresh(small_register: str, tmp_path_factory: pytest.TempPathFactory) -> Store:
    settings = of(small_register, tmp_path_factory.mktemp("fresh"))
    full_load(settings)
    return open_store(settings)


@pytest.fixture(scope="module")
def landed(small_register: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything of an uttrekk but its release; copy it."""
    folder = tmp_path_factory.mktemp("landed")
    settings, store = of(small_register, folder), LocalStore(folder)
    uttrekk = fetched(settings, name="one")
    manifest = released(settings, uttrekk)
    for prefix in ("releases/", "bases/", "uttrekk/one/release.json"):
        for key in store.list(prefix):
            store.delete(key)
    store.write(uttrekk.open_key, b"")
    assert manifest.persons
    return folder


@pytest.mark.parametrize("damage", [flip(1), truncate, Path.unlink], ids=["flip", "cut", "gone"])
def test_a_load_goes_on_over_damaged_answers_batches_and_staging(
    damage: Damage,
    landed: Path,
    fresh: Store,
    small_register: str,
    make_freg: MakeFreg,
    tmp_path: Path,
) -> None:
    copied(landed, tmp_path)
    freg = make_freg(small_register)
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
    assert difference(freg.store, fresh) == {}


@dataclass(frozen=True)
class UnderWay:
    """A sync that has landed and isn't released.

    Attributes:
        url: of the register.
        folder: the store; copy it.
        name: of its uttrekk.
        sekvensnummer: up to where it goes.
        fresh: a store with a full load of the register as it is now.
    """

    url: str
    folder: Path
    name: str
    sekvensnummer: int
    fresh: Store


@pytest.fixture(scope="module")
def under_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnderWay]:
    folder = tmp_path_factory.mktemp("under-way")
    options = RegisterOptions(persons=150, batch_size=150, ready_after_seconds=0.05)
    with running(options) as url:
        settings, store = of(url, folder), LocalStore(folder)
        position = full_load(settings).sekvensnummer
        happen(url, 40)
        (first,) = sync(settings)
        assert first.uttrekk.name == f"hendelser-{position:012d}"
        reached = require_current(store).sekvensnummer
        for key in [*store.list("releases/"), *store.list("deltas/")]:
            if not key.startswith("releases/000001/"):
                store.delete(key)
        store.delete(f"uttrekk/{first.uttrekk.name}/release.json")
        store.write(first.uttrekk.open_key, b"")
        anew = of(url, tmp_path_factory.mktemp("fresh"))
        full_load(anew)
        yield UnderWay(url, folder, first.uttrekk.name, reached, open_store(anew))


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
    beginning: str, damage: Damage, under_way: UnderWay, make_freg: MakeFreg, tmp_path: Path
) -> None:
    copied(under_way.folder, tmp_path)
    freg = make_freg(under_way.url)
    hurt(freg, damage, f"uttrekk/{under_way.name}/{beginning}")
    with syncing(freg) as syncs:
        assert syncs.once().manifest.sekvensnummer >= under_way.sekvensnummer
    assert verify(freg.store) == []
    assert difference(freg.store, under_way.fresh) == {}


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
