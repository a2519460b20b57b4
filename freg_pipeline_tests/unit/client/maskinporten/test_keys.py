"""Keys, certificates and tokens that are something else, and that none of them is shown."""

from __future__ import annotations

import json
import logging
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import maskinporten
from freg_pipeline.client.access import access
from freg_pipeline.client.signing_key import read_signer
from freg_pipeline.errors import ConfigurationError, RefusedError
from freg_pipeline.settings import load
from freg_pipeline_tests.lent import lend, settings_of
from freg_pipeline_tests.registers import serving
from freg_pipeline_tests.unit.client.maskinporten.asked import MED, ask, settings_for, told


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
