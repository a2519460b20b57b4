"""What goes wrong with a token, in one line."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, Response, StreamingResponse

from freg_pipeline.client import bounds, maskinporten
from freg_pipeline.client.access import access
from freg_pipeline.client.signing_key import key_age, key_warning
from freg_pipeline.errors import (
    ConfigurationError,
    FregError,
    PassingError,
    RefusedError,
    UnreachableError,
)
from freg_pipeline.settings import load
from freg_pipeline_tests.lent import lend, root_of, settings_of
from freg_pipeline_tests.registers import serving
from freg_pipeline_tests.unit.client.maskinporten.asked import (
    FINANS,
    MED,
    Endpoint,
    ask,
    settings_for,
    told,
)


def test_a_wrong_key(guarded: str, tmp_path: Path, key_file: Path) -> None:
    settings = settings_of(lend(guarded, MED), tmp_path)
    settings["maskinporten_key_file"] = str(key_file)
    text = told(RefusedError, base_url=guarded, **settings)
    assert "invalid_grant" in text
    assert "signature" in text
    assert "FREG_MASKINPORTEN_KEY_FILE" in text


def test_a_wrong_kid_or_client(guarded: str, tmp_path: Path) -> None:
    settings = settings_of(lend(guarded, MED), tmp_path)
    text = told(RefusedError, base_url=guarded, **{**settings, "maskinporten_kid": "other"})
    assert "FREG_MASKINPORTEN_KID" in text
    text = told(RefusedError, base_url=guarded, **{**settings, "maskinporten_client_id": "other"})
    assert "invalid_client" in text
    assert "FREG_MASKINPORTEN_CLIENT_ID" in text


def test_a_scope_that_the_client_may_not_ask_for(guarded: str, tmp_path: Path) -> None:
    settings = settings_of(lend(guarded, FINANS), tmp_path)
    text = told(RefusedError, base_url=guarded, **settings)
    assert "invalid_scope" in text
    assert MED in text
    assert "FREG_RETTIGHETSPAKKE" in text


def test_several_scopes_in_one_token(guarded: str, tmp_path: Path) -> None:
    settings = settings_of(lend(guarded, MED, FINANS), tmp_path)
    both = f"{FINANS} {MED}"
    assert ask(base_url=guarded, maskinporten_scope=both, **settings) > 0
    source = access(load(base_url=guarded, maskinporten_scope=both, **settings))
    assert f"for {both}, good for" in source.describe()
    text = told(RefusedError, base_url=guarded, maskinporten_scope=f"{MED} mer", **settings)
    assert "invalid_scope" in text
    assert "mer" in text


ADVICE = {
    "MP-121": "Post the key, or a new one, at Maskinporten again",
    "MP-110": "FREG_MASKINPORTEN_ISSUER",
    "MP-250": f"no access to {MED}",
    "MP-251": "delegates it in Altinn",
}


@pytest.mark.parametrize("code", ADVICE)
def test_each_of_maskinportens_codes_has_its_own_advice(code: str, key_file: Path) -> None:
    said = {"error": "invalid_grant", "error_description": f"No. {code}: (trace_id: 7)"}
    endpoint = Endpoint(answers=[JSONResponse(said, 400)] * 2)
    with serving(endpoint.app()) as url:
        text = told(RefusedError, **settings_for(url, key_file))
    assert code in text
    assert ADVICE[code] in text


@pytest.mark.parametrize("told_endpoint", [True, False])
def test_the_issuer_with_and_without_its_last_slash(
    guarded: str, tmp_path: Path, told_endpoint: bool
) -> None:
    lent = lend(guarded, MED)
    settings = settings_of(lent, tmp_path)
    if told_endpoint:
        settings["maskinporten_token_endpoint"] = lent["token_endpoint"]
    for issuer in (lent["issuer"].rstrip("/"), lent["issuer"].rstrip("/") + "/"):
        assert ask(base_url=guarded, **{**settings, "maskinporten_issuer": issuer}) > 0


def test_a_new_jwk_in_the_file_needs_no_restart(guarded: str, tmp_path: Path) -> None:
    first, second = lend(guarded, MED), lend(guarded, MED)
    settings = settings_of(first, tmp_path) | {"maskinporten_client_id": second["client_id"]}
    path = Path(settings["maskinporten_key_file"])
    settings["maskinporten_kid"] = "of yesterday"  # the file says it itself

    def write(lent: dict[str, Any]) -> None:
        jwk = RSAKey.import_key(lent["private_key"]).as_dict(private=True)
        path.write_text(json.dumps(jwk | {"kid": lent["kid"]}))

    write(first)  # a key that isn't registered for the client
    source = access(load(base_url=guarded, **settings))
    with pytest.raises(RefusedError):
        source.describe()
    write(second)
    assert "a token from Maskinporten" in source.describe()


def test_what_can_be_known_of_a_keys_age(guarded: str, tmp_path: Path, key_file: Path) -> None:
    today = datetime.now(UTC).date()
    os.utime(key_file, (time.time() - 100 * 86_400,) * 2)
    assert "(100 days ago); registered keys live one year" in key_age(key_file, None, today)
    os.utime(key_file, (time.time() - 340 * 86_400,) * 2)
    assert "see to its registration" in key_age(key_file, None, today)
    lent = settings_of(lend(guarded, certified=True), tmp_path)
    cert_file = Path(lent["maskinporten_cert_file"])
    assert "by certificate, valid until" in key_age(key_file, cert_file, today)


@pytest.mark.parametrize(
    ("mode", "warned"),
    [(0o600, False), (0o400, False), (0o640, False), (0o644, True), (0o660, True)],
)
def test_a_key_that_others_may_read_is_warned_of(
    key_file: Path, mode: int, *, warned: bool
) -> None:
    key_file.chmod(mode)
    assert (key_warning(key_file) is not None) is warned


def test_a_token_for_another_package(guarded: str, tmp_path: Path) -> None:
    settings = settings_of(lend(guarded, FINANS), tmp_path)
    text = told(RefusedError, base_url=guarded, rettighetspakke="finans", **settings)
    assert "403" in text
    assert FINANS in text  # what the token has, while the address is another package's
    assert "finans" in text


@pytest.mark.parametrize(("off", "said"), [(300, "300 s ahead"), (-300, "300 s behind")])
def test_a_wrong_clock(
    guarded: str, tmp_path: Path, off: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maskinporten, "_now", lambda: time.time() + off)
    text = told(RefusedError, base_url=guarded, **settings_of(lend(guarded, MED), tmp_path))
    assert "clock is" in text
    assert abs(int(text.split("clock is ")[1].split(" s ")[0]) - 300) <= 3
    assert said.split()[2] in text


def test_no_maskinporten_there(guarded: str, tmp_path: Path) -> None:
    settings = {"base_url": guarded, **settings_of(lend(guarded, MED), tmp_path)}
    nobody = {**settings, "maskinporten_issuer": "http://127.0.0.1:9/"}
    assert "FREG_MASKINPORTEN_ISSUER" in told(UnreachableError, **nobody)
    elsewhere = {**settings, "maskinporten_issuer": f"{root_of(guarded)}/elsewhere/"}
    assert "metadata" in told(ConfigurationError, **elsewhere)
    no_address = {**settings, "maskinporten_token_endpoint": "http://[x/"}
    assert "FREG_MASKINPORTEN_TOKEN_ENDPOINT" in told(ConfigurationError, **no_address)
    no_host = {**settings, "maskinporten_issuer": "https:///maskinporten"}
    assert "FREG_MASKINPORTEN_ISSUER" in told(ConfigurationError, **no_host)


@pytest.fixture
def few_tries(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(maskinporten, "TRIES", 2)
    return 2


def test_a_token_is_asked_for_by_one_row_of_tries_whoever_waits_for_it(
    key_file: Path, few_tries: int
) -> None:
    endpoint = Endpoint(answers=[Response("", 500)] * 50)
    with serving(endpoint.app()) as url, pytest.raises(PassingError, match=r"Maskinporten.*500"):
        ask(**settings_for(url, key_file))
    assert len(endpoint.answers) == 50 - few_tries


async def _drops() -> AsyncIterator[bytes]:
    for _ in range(1_000):
        yield b" "
        await asyncio.sleep(0.05)


async def _zeros() -> AsyncIterator[bytes]:
    for _ in range(30_000):
        yield bytes(64 * 1024)
        await asyncio.sleep(0)


def test_a_token_that_trickles_is_given_up(
    key_file: Path, few_tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "TOKEN_SECONDS", 0.5)
    endpoint = Endpoint(answers=[StreamingResponse(_drops()) for _ in range(few_tries)])
    with serving(endpoint.app()) as url, pytest.raises(PassingError, match="ReadTimeout"):
        ask(**settings_for(url, key_file))


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_token_without_end_is_not_read_to_its_end(
    status: int, key_file: Path, few_tries: int
) -> None:
    answers: list[Response] = [StreamingResponse(_zeros(), status) for _ in range(few_tries)]
    with serving(Endpoint(answers=answers).app()) as url, pytest.raises(FregError):
        ask(**settings_for(url, key_file))


def test_an_outage_of_the_token_endpoint_is_told_as_one(key_file: Path, few_tries: int) -> None:
    endpoint = Endpoint(answers=[Response("", 503)] * 50)
    with serving(endpoint.app()) as url, pytest.raises(PassingError, match="Maskinporten"):
        access(load(**settings_for(url, key_file))).describe()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "FREG_MASKINPORTEN_CLIENT_ID"),
        ({"maskinporten_client_id": "me"}, "FREG_MASKINPORTEN_KEY_FILE"),
        ({"maskinporten_key_file": "key.pem"}, "FREG_MASKINPORTEN_CLIENT_ID"),
    ],
)
def test_access_that_is_set_by_half(given: dict[str, Any], missing: str) -> None:
    with pytest.raises(ConfigurationError, match=missing):
        access(load(environment="produksjon", **given))


def test_a_ready_token_wins(guarded: str, tmp_path: Path) -> None:
    settings = settings_of(lend(guarded, MED), tmp_path)
    text = told(RefusedError, base_url=guarded, token="expired", **settings)
    assert "401" in text
    assert "FREG_TOKEN" in text
    assert "expired" not in text
