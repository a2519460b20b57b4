"""A register that serves no contract: loads and syncs go on by the one that is kept, and say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freg_pipeline.errors import ConfigurationError, PassingError, RefusedError
from freg_pipeline.journal.releases import require_current
from freg_pipeline.settings import Settings
from freg_pipeline.store import open_store
from freg_pipeline.synthetic import xsd
from freg_pipeline_tests.conftest import RunFreg, StartRegister
from freg_pipeline_tests.loads import full_load, sync
from freg_pipeline_tests.registers import happen, tampered

XSD = "personer/xsd"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another contract, that fits all the same."""
    path = tmp_path_factory.mktemp("contract") / "person.xsd"
    path.write_bytes(xsd().replace(b"</xs:schema>", b"<!-- another --></xs:schema>"))
    return path


@pytest.mark.parametrize("status", [404, 410, 503])
def test_the_one_used_last_goes_on(
    status: int,
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
    freg: RunFreg,
) -> None:
    base_url = start_register(persons=60)
    with tampered(base_url, statuses={}) as url:
        first = full_load(make_settings(url))
    assert first.contract_from == "register"
    with tampered(base_url, statuses={XSD: status}) as url:
        settings = make_settings(url)
        happen(base_url, 5)
        assert sync(settings)
        again = require_current(open_store(settings))
        assert (again.contract, again.contract_from) == (first.contract, "store")
        assert full_load(settings).contract_from == "store"
        check = freg("check", FREG_BASE_URL=url)
        assert check.code == 0
        assert f"{first.contract}, " in check.stdout
        assert "the register served none" in check.stdout
    shown = freg("release", "show")
    assert "the register served none" in shown.stdout


def test_a_first_load_takes_a_file(
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
    changed: Path,
    freg: RunFreg,
) -> None:
    base_url = start_register(persons=60)
    with tampered(base_url, statuses={XSD: 404}) as url:
        with pytest.raises(RefusedError, match="FREG_CONTRACT_FILE"):
            full_load(make_settings(url))
        ended = freg("uttrekk", "komplett", FREG_BASE_URL=url)
        assert ended.code == 3
        assert "FREG_CONTRACT_FILE" in ended.stderr
        with pytest.raises(ConfigurationError, match=r"missing\.xsd can't be read"):
            full_load(make_settings(url, contract_file=changed.with_name("missing.xsd")))
        first = full_load(make_settings(url, contract_file=changed))
        assert (first.contract_from, first.persons) == ("file", 60)
        assert full_load(make_settings(url)).contract == first.contract  # which is kept by then


def test_what_the_register_serves_comes_first(
    start_register: StartRegister, make_settings: Callable[..., Settings], changed: Path
) -> None:
    manifest = full_load(make_settings(start_register(persons=60), contract_file=changed))
    assert manifest.contract_from == "register"


def test_a_register_that_is_away_is_not_taken_for_one_without_a_contract(
    start_register: StartRegister,
    make_settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("freg_pipeline.client.patience.LONGEST_WAIT", 0.05)
    with tampered(start_register(persons=60), statuses={XSD: 503}) as url:
        with pytest.raises(PassingError, match="503"):
            full_load(make_settings(url))
