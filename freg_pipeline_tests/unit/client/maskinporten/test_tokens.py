"""Tokens by signed assertions, against a token endpoint that verifies all of it."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc.jwk import RSAKey
from starlette.responses import Response

from freg_pipeline.client import Register, maskinporten
from freg_pipeline.client.access import access
from freg_pipeline.errors import ConfigurationError, RefusedError
from freg_pipeline.settings import load
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.lent import lend, settings_of
from freg_pipeline_tests.registers import serving
from freg_pipeline_tests.unit.client.maskinporten.asked import MED, Endpoint, ask, raw, settings_for

# -- the grant ---------------------------------------------------------------------------------


def test_a_newcomer_needs_nothing(guarded: str) -> None:
    assert raw(guarded).status_code == 401
    assert ask(base_url=guarded) > 0


def test_a_register_without_access_control_sees_no_token(small_register: str) -> None:
    assert ask(base_url=small_register) > 0
    assert access(load(base_url=small_register)).describe() == (
        "the synthetic register asks for none"
    )


@pytest.mark.parametrize("certified", [False, True], ids=["by kid", "by certificate"])
@pytest.mark.parametrize("discovered", [False, True], ids=["endpoint told", "by metadata"])
def test_a_key_of_ones_own(guarded: str, tmp_path: Path, certified: bool, discovered: bool) -> None:
    lent = lend(guarded, MED, certified=certified)
    settings = settings_of(lent, tmp_path)
    if not discovered:
        settings["maskinporten_token_endpoint"] = lent["token_endpoint"]
    assert ask(base_url=guarded, environment="konsumenttest", **settings) > 0


def test_each_form_of_key_file(guarded: str, tmp_path: Path) -> None:
    lent = lend(guarded, MED)
    settings = settings_of(lent, tmp_path)
    key = load_pem_private_key(lent["private_key"].encode(), None)
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert old.startswith(b"-----BEGIN RSA PRIVATE KEY")
    jwk = RSAKey.import_key(lent["private_key"]).as_dict(private=True) | {"kid": lent["kid"]}
    for name, content in {"pkcs1.pem": old, "key.jwk": json.dumps(jwk).encode()}.items():
        (tmp_path / name).write_bytes(content)
        settings["maskinporten_key_file"] = str(tmp_path / name)
        assert ask(base_url=guarded, **settings) > 0
    del settings["maskinporten_kid"]  # the JWK says it
    assert ask(base_url=guarded, **settings) > 0


def test_delegation_is_told_in_the_token(guarded: str, tmp_path: Path) -> None:
    lent = settings_of(lend(guarded, MED), tmp_path)
    settings = {"base_url": guarded, "maskinporten_consumer_org": "987654321", **lent}
    assert ask(**settings) > 0
    auth = access(load(**settings))
    token = auth._tokens.get()  # type: ignore[attr-defined]
    claims = json.loads(urlsafe_b64decode(token.get_secret_value().split(".")[1] + "=="))
    assert claims["consumer"]["ID"] == "0192:987654321"
    assert claims["scope"] == MED
    with pytest.raises(ConfigurationError, match="FREG_MASKINPORTEN_CONSUMER_ORG"):
        load(maskinporten_consumer_org="98765")


# -- shared, renewed, tried once more ------------------------------------------------------------


def test_one_token_for_all_tasks_and_threads_of_the_process(key_file: Path) -> None:
    async def many(settings: dict[str, Any]) -> list[int]:
        async with Register.from_settings(load(**settings)) as register:
            questions = (register.hendelser.siste_sekvensnummer() for _ in range(5))
            return await asyncio.gather(*questions)

    endpoint = Endpoint()
    with serving(endpoint.app()) as url, ThreadPoolExecutor(3) as pool:
        settings = settings_for(url, key_file)
        answers = list(pool.map(lambda _: asyncio.run(many(settings)), range(3)))
        assert asyncio.run(many(settings)) == [7] * 5
    assert answers == [[7] * 5] * 3
    assert endpoint.granted == 1


class Clock:
    """The machine's clock, which can be put ahead."""

    ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def test_a_token_is_renewed_before_it_expires(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(maskinporten, "time", clock)
    endpoint = Endpoint(seconds=10_000)  # renewed 30 s before
    with serving(endpoint.app()) as url:
        settings = settings_for(url, key_file)
        ask(**settings)
        clock.ahead = 5_000
        ask(**settings)
        assert endpoint.granted == 1
        clock.ahead = 9_980
        ask(**settings)
    assert endpoint.granted == 2
    assert endpoint.asked == 3  # no request was refused on the way


def test_after_401_one_new_token_and_one_more_try(key_file: Path) -> None:
    endpoint = Endpoint(takes="token-2")
    with serving(endpoint.app()) as url:
        assert ask(**settings_for(url, key_file)) == 7
    assert (endpoint.granted, endpoint.asked) == (2, 2)


def test_a_second_401_is_told(key_file: Path) -> None:
    endpoint = Endpoint(takes="none of them")
    with serving(endpoint.app()) as url, pytest.raises(RefusedError, match="401"):
        ask(**settings_for(url, key_file))
    assert (endpoint.granted, endpoint.asked) == (2, 2)


def test_a_fault_of_the_token_endpoint_passes(key_file: Path) -> None:
    endpoint = Endpoint(answers=[Response("", 503), Response("garbled")])
    with serving(endpoint.app()) as url:
        assert ask(**settings_for(url, key_file)) == 7


def test_a_real_token_expires_and_is_renewed(start_register: StartRegister) -> None:
    url = start_register(persons=20, auth=True, token_seconds=2)
    assert ask(base_url=url) > 0
    time.sleep(2.1)
    assert ask(base_url=url) > 0


def test_a_register_that_was_started_anew_has_another_client() -> None:
    with running(RegisterOptions(persons=20, auth=True)) as url:
        ask(base_url=url)
        port = int(url.split(":")[2].split("/")[0])
    with running(RegisterOptions(persons=20, auth=True), port=port) as again:
        assert again == url
        assert ask(base_url=url) > 0
