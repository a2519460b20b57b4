"""What can be listed is listed; what can't is named, with the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from freg_pipeline.commands.root import cli
from freg_pipeline.errors import ConfigurationError, DamagedError
from freg_pipeline.journal.pins import pin
from freg_pipeline.journal.pointer import manifest_key
from freg_pipeline.journal.releases import read_manifest
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.purge import purge
from freg_pipeline.lake.release import build_release
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.unit.lake.delivered import deliver, deliver_events, document, navn, number

A, B = number(0), number(1)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Two releases on one base, and a third on another; the second is pinned."""
    store = LocalStore(tmp_path / "store")
    build_release(store, deliver(store, "one", [("d-a", document(A)), ("d-b", document(B))]))
    told = document(A, navn=[navn("Ada")])
    build_release(store, deliver_events(store, 100, 103, [(A, told)]))
    pin(store, "2", "mine")
    build_release(store, deliver(store, "two", [("d-a", told), ("d-b", document(B))]))
    return store


def flip(store: LocalStore, key: str) -> None:
    path = Path(store.location) / key
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def listed(store: LocalStore) -> tuple[list[str], Result]:
    arguments = ["release", "list", "--format", "json", "--store", store.location]
    result = CliRunner().invoke(cli, arguments)
    return [one["number"] for one in json.loads(result.stdout)], result


@pytest.mark.parametrize(
    ("key", "left", "way_out"),
    [
        (manifest_key("000001"), ["000002", "000003"], "freg release purge 000001"),
        (manifest_key("000003"), ["000001", "000002"], "makes the release before it current"),
        ("bases/one/_base.json", ["000003"], "Restore it"),
        ("deltas/hendelser-000000000100/one/_delta.json", ["000001", "000003"], "Restore it"),
        ("pins/mine.json", ["000001", "000002", "000003"], "freg release unpin mine"),
    ],
)
def test_what_is_damaged_is_named_and_the_others_are_listed(
    store: LocalStore, key: str, left: list[str], way_out: str
) -> None:
    flip(store, key)
    numbers, result = listed(store)
    assert numbers == left
    error = result.exception
    assert isinstance(error, DamagedError)
    assert error.key == key
    assert way_out in str(error)


def test_all_that_is_damaged_is_named(store: LocalStore, caplog: pytest.LogCaptureFixture) -> None:
    keys = [manifest_key("000001"), manifest_key("000002"), "pins/mine.json"]
    for key in keys:
        flip(store, key)
    numbers, result = listed(store)
    assert numbers == ["000003"]
    told = caplog.text + str(result.exception)
    assert [key for key in keys if told.count(key) != 1] == []


def test_what_was_asked_for_is_named_where_it_is_gone(store: LocalStore) -> None:
    key = "uttrekk/one/request.json"
    Path(store.path(key)).unlink()
    with pytest.raises(DamagedError, match=rf"{key} in .* is gone\. Restore it") as error:
        _ = Uttrekk(store, "one").request
    assert error.value.key == key
    with pytest.raises(ConfigurationError, match="there is no uttrekk none"):
        _ = Uttrekk(store, "none").request


def test_an_earlier_release_that_is_damaged_can_be_done_without(store: LocalStore) -> None:
    flip(store, manifest_key("000001"))
    with pytest.raises(DamagedError, match="freg release purge 000001"):
        read_manifest(store, "1")
    assert purge(store, "1") == ["000001"]
    assert listed(store)[0] == ["000002", "000003"]
    assert listed(store)[1].exit_code == 0
