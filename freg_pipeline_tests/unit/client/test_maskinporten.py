"""Tokens by signed assertions, against a token endpoint that verifies all of it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from freg_pipeline.client import Register, bounds, maskinporten
from freg_pipeline.client.access import access
from freg_pipeline.client.signing_key import key_age, key_warning, read_signer
from freg_pipeline.errors import (
    ConfigurationError,
    FregError,
    PassingError,
    RefusedError,
    UnreachableError,
)
from freg_pipeline.settings import load
from freg_pipeline.synthetic import RegisterOptions, running
from freg_pipeline_tests.conftest import StartRegister
from freg_pipeline_tests.lent import lend, root_of, settings_of
from freg_pipeline_tests.registers import serving

MED = "folkeregister:deling/offentligmedhjemmel"
FINANS = "folkeregister:deling/finans"


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """A register that wants a token; its base URL."""
    with running(RegisterOptions(persons=20, auth=True)) as url:
        yield url


@pytest.fixture(autouse=True)
def _no_tokens_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maskinporten, "_SHARED", {})


def ask(**settings: Any) -> int:
    """The last sequence number, which every package may ask for."""

    async def run() -> int:
        async with Register.from_settings(load(**settings)) as register:
            return await register.hendelser.siste_sekvensnummer()

    return asyncio.run(run())


def raw(base_url: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{base_url}/v1/hendelser/siste/sekvensnummer", headers=headers)


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


@dataclass
class Endpoint:
    """A token endpoint and a service of a test's own."""

    answers: list[Response] = field(default_factory=list)  # in place of tokens, while they last
    takes: str = ""  # the tokens that the service takes; all when empty
    seconds: float = 100.0
    granted: int = 0
    asked: int = 0

    async def grant(self, request: Request) -> Response:
        await asyncio.sleep(0.05)
        if self.answers:
            return self.answers.pop(0)
        self.granted += 1
        token = f"token-{self.granted}"
        return JSONResponse({"access_token": token, "expires_in": self.seconds})

    async def number(self, request: Request) -> Response:
        self.asked += 1
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return Response("7", 200 if token and (not self.takes or token == self.takes) else 401)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/token", self.grant, methods=["POST"]),
                Route("/v1/hendelser/siste/sekvensnummer", self.number),
            ]
        )


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    path.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
    return path


def settings_for(url: str, key_file: Path) -> dict[str, Any]:
    return {
        "base_url": url,
        "maskinporten_issuer": f"{url}/",
        "maskinporten_token_endpoint": f"{url}/token",
        "maskinporten_client_id": "me",
        "maskinporten_key_file": str(key_file),
        "maskinporten_kid": "k",
    }


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


# -- what goes wrong, in one line ----------------------------------------------------------------


def told(kind: type[FregError], **settings: Any) -> str:
    with pytest.raises(kind) as error:
        ask(**settings)
    assert error.type is kind
    text = str(error.value)
    assert "\n" not in text
    assert "eyJ" not in text
    return text


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


# -- keys ----------------------------------------------------------------------------------------


def test_a_key_file_that_holds_something_else(tmp_path: Path, key_file: Path) -> None:
    key = RSAKey.import_key(key_file.read_bytes())
    contents = {
        b"nothing of the kind": "no RSA key",
        ECKey.generate_key("P-256").as_pem(private=True): "no RSA key",
        b'{"kty": "RSA", "n": "abc"}': "no RSA key",
        b'{"kty": ': "no RSA key",
        key.as_pem(private=False): "public key",
        key.as_pem(private=True, password="secret"): "encrypted",
    }
    path = tmp_path / "file"
    for content, said in contents.items():
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match=said) as wrong:
            read_signer(path, "k", None)
        assert "FREG_MASKINPORTEN_KEY_FILE" in str(wrong.value)
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_signer(tmp_path / "none", "k", None)
    with pytest.raises(ConfigurationError, match="FREG_MASKINPORTEN_KID"):
        read_signer(key_file, None, None)


DEEP = b'{"kty":"RSA","a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"


def test_a_key_file_made_to_hold_up_whoever_reads_it(tmp_path: Path, key_file: Path) -> None:
    jwk = RSAKey.import_key(key_file.read_bytes()).as_dict(private=True)
    contents = {
        DEEP: "no RSA key",
        json.dumps({**jwk, "n": "v" * 30_000}).encode(): "no RSA key",  # checked for hours
        b"-----BEGIN PRIVATE KEY-----\n" + b"v" * 30_000: "larger than any",
        bytes(100_000): "too large",
    }
    path = tmp_path / "file"
    for content, said in contents.items():
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match=said):
            read_signer(path, "k", None)


@pytest.mark.parametrize("told", [{"use": "enc"}, {"alg": "PS256"}, {"key_ops": ["verify"]}])
def test_a_jwk_that_is_for_something_else(
    told: dict[str, Any], tmp_path: Path, key_file: Path
) -> None:
    path = tmp_path / "key.jwk"
    jwk = RSAKey.import_key(key_file.read_bytes()).as_dict(private=True)
    path.write_text(json.dumps({**jwk, **told}))
    with pytest.raises(ConfigurationError, match="isn't meant for signing by RS256"):
        read_signer(path, "k", None).sign({"a": 1})


CLAIMS = [
    b'{"exp":' * 50_000, b'{"scope":"x","exp":%s}' % (b"9" * 400), b'{"scope":"x","exp":"nan"}',
    b'{"scope":"x","exp":1e999}', b'{"scope":"\\ud800","exp":1}', b"[1]", b"null", b"\xff",
]  # fmt: skip


@pytest.mark.parametrize("claims", CLAIMS)
def test_a_ready_token_may_hold_anything(claims: bytes) -> None:
    token = f"a.{urlsafe_b64encode(claims).decode()}.c"
    settings = load(base_url="http://127.0.0.1:9", token=token)
    assert "token in FREG_TOKEN" in access(settings).describe()


def test_a_certificate_that_is_not_the_keys(guarded: str, tmp_path: Path, key_file: Path) -> None:
    lent = settings_of(lend(guarded, certified=True), tmp_path)
    cert_file = Path(lent["maskinporten_cert_file"])
    with pytest.raises(ConfigurationError, match="another key"):
        read_signer(key_file, None, cert_file)
    with pytest.raises(ConfigurationError, match="no certificates"):
        read_signer(key_file, None, key_file)


def test_a_key_is_never_shown(key_file: Path) -> None:
    signer = read_signer(key_file, "k", None)
    client = maskinporten.Client("me", signer, "i")
    source = maskinporten.Maskinporten(lambda: client, "s")
    for text in (repr(signer), repr(client), repr(source), str(vars(source))):
        assert "PRIVATE" not in text
        assert "RSAPrivate" not in text


def test_no_log_or_error_tells_an_assertion_or_a_token(
    guarded: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"base_url": guarded, **settings_of(lend(guarded, MED), tmp_path)}
    key = Path(settings["maskinporten_key_file"]).read_text().splitlines()[1]
    with caplog.at_level(logging.DEBUG):
        ask(**settings)
        told(RefusedError, **{**settings, "maskinporten_kid": "other"})
    assert "Maskinporten" in caplog.text
    assert "eyJ" not in caplog.text
    assert key not in caplog.text


def test_an_assertion_that_the_endpoint_quotes_is_left_out(key_file: Path) -> None:
    async def quote(request: Request) -> Response:
        body = (await request.body()).decode()
        assertion = body.split("assertion=")[1].split("&")[0]
        said = {"error": "invalid_grant", "error_description": f"Bad assertion: {assertion} !"}
        return JSONResponse(said, 400)

    with serving(Starlette(routes=[Route("/token", quote, methods=["POST"])])) as url:
        text = told(RefusedError, **settings_for(url, key_file))
    assert "Bad assertion: *** !" in text


# -- the gateway of the municipalities -----------------------------------------------------------


def fiks(url: str, lent: dict[str, Any], folder: Path, role: str = "r-1") -> dict[str, Any]:
    return {
        "environment": "fiks-test",
        "base_url": f"{root_of(url)}/folkeregister/api/v1/{role}",
        "fiks_integrasjon_id": lent["fiks"]["IntegrasjonId"],
        "fiks_integrasjon_passord": lent["fiks"]["IntegrasjonPassord"],
        **settings_of(lent, folder),
    }


def test_fiks(guarded: str, tmp_path: Path) -> None:
    settings = fiks(guarded, lend(guarded, "ks:fiks"), tmp_path)
    assert ask(**settings) > 0
    wrong = told(RefusedError, **{**settings, "fiks_integrasjon_passord": "wrong-secret"})
    assert "401" in wrong
    assert "wrong-secret" not in wrong


def test_a_token_of_the_register_is_none_for_fiks(guarded: str, tmp_path: Path) -> None:
    lent = lend(guarded, MED)
    assert "ks:fiks" in told(RefusedError, **fiks(guarded, lent, tmp_path))


def test_at_fiks_the_role_decides_the_package(guarded: str, tmp_path: Path) -> None:
    settings = fiks(guarded, lend(guarded, "ks:fiks"), tmp_path, role="privat")

    async def order() -> None:
        async with Register.from_settings(load(**settings)) as register:
            await register.uttrekk.bestill_komplett(1)

    assert ask(**settings) > 0
    with pytest.raises(RefusedError, match=r"403.*ks:fiks"):
        asyncio.run(order())


@pytest.mark.parametrize("name", ["fiks_integrasjon_id", "fiks_integrasjon_passord"])
def test_fiks_without_its_headers(guarded: str, tmp_path: Path, name: str) -> None:
    settings = fiks(guarded, lend(guarded, "ks:fiks"), tmp_path)
    del settings[name]
    assert "FREG_FIKS_INTEGRASJON_PASSORD" in told(ConfigurationError, **settings)
