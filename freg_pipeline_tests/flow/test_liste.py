"""A list of one's own, from a file to a release: the packages without an uttrekk have this way."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from freg_pipeline.cli import main
from freg_pipeline.journal.status import read_status
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.query import query
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.orchestration.run import carry_on, run_liste, run_uttrekk
from freg_pipeline.settings import load
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.registers import status_of

UNKNOWN = "41819077302"  # well formed, and nobody's


@pytest.fixture(scope="module")
def loaded(small_register: str, tmp_path_factory: pytest.TempPathFactory) -> Freg:
    """A store that holds the full load."""
    store = str(tmp_path_factory.mktemp("store"))
    freg = Freg.from_settings(load(base_url=small_register, store=store, poll_seconds=0.02))
    run_uttrekk(freg)
    return freg


@pytest.fixture(scope="module")
def numbers(loaded: Freg) -> list[str]:
    """Some persons' current numbers."""
    rows = query(loaded.store, "SELECT personidentifikator FROM person ORDER BY 1 LIMIT 40")
    return [number for (number,) in rows.fetchall()]


@pytest.fixture(scope="module")
def merged(loaded: Freg) -> tuple[str, str]:
    """An earlier number, and who has it now."""
    rows = query(loaded.store, "SELECT identifikator, personidentifikator FROM "
                 "tidligere_identifikator ORDER BY 1 LIMIT 1").fetchall()  # fmt: skip
    earlier, now = rows[0]
    return earlier, now


def test_every_number_of_a_list_is_accounted_for(
    small_register: str, tmp_path: Path, numbers: list[str], merged: tuple[str, str]
) -> None:
    earlier, now = merged
    whom = [number for number in numbers if number != now][:30]
    file = tmp_path / "list.txt"
    file.write_text("\n".join([*whom, whom[0], earlier, UNKNOWN, "12345678901", ""]))
    freg = Freg.from_settings(load(base_url=small_register, store=str(tmp_path / "store")))
    before = status_of(small_register)

    begun: list[dict[str, Any]] = []  # by then the parts have been probed
    manifest = run_liste(freg, file, opened=lambda _: begun.append(status_of(small_register)))

    account = manifest.accounting
    assert manifest.kind == "liste"
    assert (account.delivered, account.landed, account.duplicates, account.gone) == (33, 31, 1, 1)
    assert account.failed == account.unexplained == 0
    found = query(freg.store, "SELECT personidentifikator FROM person ORDER BY 1").fetchall()
    assert [number for (number,) in found] == sorted([*whom, now])
    after = status_of(small_register)
    assert after["jobs"] == before["jobs"], "nothing is ordered"
    assert after["requests"]["personer/bulkoppslag"] == (
        begun[0]["requests"].get("personer/bulkoppslag", 0) + 1
    )


@pytest.mark.parametrize("package", ["offentlig-uten-hjemmel", "privat-uten-hjemmel"])
def test_packages_without_a_komplett_uttrekk_get_tables_from_a_list(
    package: str, small_register: str, tmp_path: Path, numbers: list[str]
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("fnr;avdeling\n" + "".join(f"{number};7\n" for number in numbers))
    flags = ["--base-url", _of_package(small_register, package), "--rettighetspakke", package]
    assert _freg("uttrekk", "liste", str(file), *flags, "--store", str(tmp_path / "store")) == 0
    freg = Freg.from_settings(load(store=str(tmp_path / "store")))
    assert query(freg.store, "SELECT count(*) FROM person").fetchall() == [(len(numbers),)]


def _freg(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(str(ended.value.code))


def _of_package(url: str, package: str) -> str:
    from freg_pipeline.client.packages import PACKAGES

    return f"{url.split('/folkeregisteret/')[0]}/folkeregisteret/{PACKAGES[package].path}"


def test_malformed_numbers_are_told_by_line_and_never_shown(
    small_register: str,
    tmp_path: Path,
    numbers: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    lines = [numbers[0], "29020105729", "", "123456", numbers[1]]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\r\n".join(lines).encode())))
    store = str(tmp_path / "store")
    ended = _freg("uttrekk", "liste", "-", "--base-url", small_register, "--store", store)
    told = capfd.readouterr()
    assert ended == 0
    assert "line 2: its first six digits are no date; left out" in told.err
    assert "line 4: an identity number has 11 digits, this has 6 characters; left out" in told.err
    assert "2 persons" in told.out
    for written in [told.out, told.err, *_names_in(Path(store))]:
        assert not any(number in written for number in [*numbers, *filter(None, lines)])


def _names_in(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*")]


def test_the_same_list_under_way_is_gone_on_with(
    start_register: StartRegister, tmp_path: Path, numbers: list[str]
) -> None:
    """Killed after its batches were written in part: the next run completes them."""
    url = start_register(persons=1_000)
    store = tmp_path / "store"
    freg = Freg.from_settings(load(base_url=url, store=str(store)))
    file = tmp_path / "list.txt"
    file.write_text("\n".join(numbers))
    first = run_liste(freg, file, name="mine")
    folder = store / "uttrekk" / "mine"
    for gone in ("release.json", "batches/end.json", "batches/000000.json.zst"):
        (folder / gone).unlink()
    for gone in ("tables", "answers"):
        shutil.rmtree(folder / gone)

    uttrekk = Uttrekk(freg.store, "mine")
    freg.store.write(uttrekk.open_key, b"")  # as it was before the release
    assert read_status(uttrekk).stage == "requested"
    with pytest.raises(Exception, match="Run the command that started it again"):
        carry_on(freg, uttrekk)
    again = run_liste(freg, file)

    assert again.uttrekk == "mine"
    assert again.accounting == first.accounting
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_the_hits_of_a_search_as_tables(
    small_register: str, tmp_path: Path, loaded: Freg, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = query(
        loaded.store,
        "SELECT DISTINCT personidentifikator FROM person "
        "JOIN (FROM kjoenn WHERE er_gjeldende AND kjoenn = 'kvinne') USING (personidentifikator) "
        "JOIN (FROM foedsel WHERE er_gjeldende AND foedselsaar BETWEEN 1950 AND 1954) "
        "USING (personidentifikator) "
        "JOIN (FROM status WHERE er_gjeldende AND status <> 'doed') USING (personidentifikator) "
        "ORDER BY 1",
    ).fetchall()
    assert expected, "the population has nobody to find: the case shows nothing"
    criteria = ["--kjoenn", "kvinne", "--foedselsaar-fra-og-med", "1950"]
    criteria += ["--foedselsaar-til-og-med", "1954"]
    store = str(tmp_path / "store")
    flags = ["--base-url", _of_package(small_register, "finans"), "--rettighetspakke", "finans"]

    ended = _freg("soek", *criteria, "--uttrekk", "--name", "femti", *flags, "--store", store)

    assert ended == 0
    assert f"{len(expected)} persons" in capfd.readouterr().out
    freg = Freg.from_settings(load(store=store))
    found = query(freg.store, "SELECT personidentifikator FROM person ORDER BY 1").fetchall()
    assert found == expected
    uttrekk = Uttrekk(freg.store, "femti")
    assert read_status(uttrekk).kind == "soek"
    assert "kvinne" not in str(uttrekk.kind), "a search's values are a person's"


def test_a_list_without_any_number_begins_nothing(small_register: str, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("fnr\n12345678901\n")
    store = tmp_path / "store"
    flags = ("--base-url", small_register, "--store", str(store))
    assert _freg("uttrekk", "liste", str(file), *flags) == 2
    assert not list(store.rglob("request.json"))
