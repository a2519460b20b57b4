"""The way to the register: proxies, certificates, and what is said when it is blocked."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import Register
from freg_pipeline.client.network import proxy_of
from freg_pipeline.errors import ConfigurationError, FregError, UnreachableError
from freg_pipeline.settings import load
from freg_pipeline_tests.registers import serving

PRODUCTION = "https://folkeregisteret.api.skatteetaten.no/x"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def ask(**settings: Any) -> int:
    async def run() -> int:
        async with Register.from_settings(load(**settings)) as register:
            return await register.hendelser.siste_sekvensnummer()

    return asyncio.run(run())


# -- proxies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("excepted", "url", "is_direct"),
    [
        ("", PRODUCTION, False),
        ("*", PRODUCTION, True),
        ("skatteetaten.no", PRODUCTION, True),
        (".skatteetaten.no", PRODUCTION, True),
        ("*.SKATTEETATEN.no", PRODUCTION, True),
        ("etaten.no", PRODUCTION, False),
        ("skatteetaten.no:443", PRODUCTION, True),
        ("skatteetaten.no:8443", PRODUCTION, False),
        ("ks.no, skatteetaten.no", PRODUCTION, True),
        ("10.0.0.0/8", "https://10.20.30.40/x", True),
        ("10.0.0.0/8", "https://11.20.30.40/x", False),
        ("10.20.30.40", "https://10.20.30.40/x", True),
        ("10.20.30.40:443", "https://10.20.30.40/x", True),
        ("fd00::/8", "https://[fd12::1]:8443/x", True),
        ("[fd12::1]", "https://[fd12::1]/x", True),
        ("fd12::1,::1", "https://[fd12::1]/x", True),
        ("fe80::/10", PRODUCTION, False),
        ("10.0.0.0/8 fe80::/10 [::1] ::/0", PRODUCTION, False),
    ],
)
def test_whom_no_proxy_names(
    excepted: str, url: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert (proxy_of(url) is None) is is_direct
    # Whatever it holds, a connection can be made ready.
    load_and_close(base_url=url, token="t")


def load_and_close(**settings: Any) -> None:
    async def run() -> None:
        async with Register.from_settings(load(**settings)):
            pass

    asyncio.run(run())


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.8.8", "[::1]"])
def test_what_stays_on_this_machine_never_goes_through_a_proxy(
    variable: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable.lower(), "http://127.0.0.1:9")
    assert proxy_of(f"http://{host}:8765/x") is None
    assert proxy_of("http://elsewhere.example/x") is not None


def test_an_embedded_register_is_asked_although_a_proxy_is_set(
    small_register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(base_url=small_register) > 0


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ALL_PROXY", "socks5://u:hemmelig@proxy.example:1080", "names a proxy of the kind socks5"),
        ("HTTPS_PROXY", "ftp://hemmelig", "HTTPS_PROXY names a proxy of a kind"),
        ("HTTPS_PROXY", "http://:hemmelig@", "HTTPS_PROXY holds no address"),
        ("HTTPS_PROXY", "http://hemmelig:port", "HTTPS_PROXY holds no address"),
        ("HTTPS_PROXY", "http://[hemmelig", "HTTPS_PROXY holds no address"),
    ],
)  # fmt: skip
def test_a_proxy_that_cannot_be_used_is_one_line(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as told:
        load_and_close(base_url=PRODUCTION, token="t")
    assert said in str(told.value)
    assert "hemmelig" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_proxy_that_says_no_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(app()) as no_proxy:  # it answers CONNECT by 400
        monkeypatch.setenv("HTTPS_PROXY", no_proxy)
        with pytest.raises(ConfigurationError) as told:
            ask(base_url="https://register.example/x", token="t")
    said = "the proxy in HTTPS_PROXY refuses connections to register.example (400)"
    assert said in str(told.value)
    with pytest.raises(UnreachableError, match="by the proxy in HTTPS_PROXY"):
        ask(base_url="https://register.example/x", token="t")


# -- certificates ------------------------------------------------------------------------------


class Authority:
    """An authority of a test's own, and the certificates that it gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Egen utsteder")])
        own = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.ca_file = folder / "ca.pem"
        signed = own.sign(self._key, SHA256())
        self.ca_file.write_bytes(signed.public_bytes(Encoding.PEM))

    def _builder(self, subject: x509.Name, key: Any, days: int = 5) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
        )

    def certify(self, host: str = "127.0.0.1", days: int = 5) -> tuple[str, str]:
        """Files of a key and its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "register")])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        builder = self._builder(name, key.public_key(), days).add_extension(
            alternative, critical=False
        )
        certificate = builder.sign(self._key, SHA256())
        paths = self._folder / "key.pem", self._folder / "cert.pem"
        form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        paths[0].write_bytes(key.private_bytes(*form))
        paths[1].write_bytes(certificate.public_bytes(Encoding.PEM))
        return str(paths[0]), str(paths[1])


def server_context(files: tuple[str, str]) -> ssl.SSLContext:
    """For a server with this key and certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[1], files[0])
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def secured(app: Starlette, files: tuple[str, str]) -> Iterator[str]:
    config = uvicorn.Config(
        app, port=0, log_config=None, log_level="critical", lifespan="off",
        ws="none", ssl_keyfile=files[0], ssl_certfile=files[1],
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def app() -> Starlette:
    async def number(request: Request) -> Response:
        del request
        return Response("7")

    async def token(request: Request) -> Response:
        del request
        return JSONResponse({"access_token": "t", "expires_in": 100})

    return Starlette(
        routes=[
            Route("/v1/hendelser/siste/sekvensnummer", number),
            Route("/token", token, methods=["POST"]),
        ]
    )


def told(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        ask(**settings)
    assert not isinstance(error.value, UnreachableError)
    return str(error.value)


def test_an_authority_of_ones_own(authority: Authority) -> None:
    for url in secured(app(), authority.certify()):
        text = told(base_url=url, token="t")
        assert "the certificate of 127.0.0.1 isn't trusted" in text
        assert "FREG_CA_FILE" in text
        assert ask(base_url=url, token="t", ca_file=authority.ca_file) == 7


def test_it_is_trusted_for_maskinporten_too(authority: Authority, tmp_path: Path) -> None:
    from joserfc.jwk import RSAKey

    key_file = tmp_path / "signing.pem"
    key_file.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
    access = {
        "environment": "konsumenttest", "maskinporten_client_id": "me",
        "maskinporten_key_file": key_file, "maskinporten_kid": "k",
    }  # fmt: skip
    with serving(app()) as register:
        for url in secured(app(), authority.certify()):
            where = {"base_url": register, "maskinporten_token_endpoint": f"{url}/token"}
            assert "isn't trusted" in told(**where, **access)
            assert ask(**where, **access, ca_file=authority.ca_file) == 7


@pytest.mark.parametrize(
    ("given", "said"),
    [({"days": -1}, "certificate has expired"), ({"host": "127.0.0.9"}, "mismatch")],
)
def test_what_is_wrong_with_it_is_said(
    authority: Authority, given: dict[str, Any], said: str
) -> None:
    for url in secured(app(), authority.certify(**given)):
        assert said in told(base_url=url, token="t", ca_file=authority.ca_file)


def test_a_file_of_certificates_that_holds_none(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing of the kind")
    for path, said in ((empty, "holds no certificates"), (tmp_path / "none", "can't be read")):
        with pytest.raises(FregError, match=f"FREG_CA_FILE names {said}"):
            ask(base_url=PRODUCTION, token="t", ca_file=path)


def test_the_system_stays_trusted_beside_it(authority: Authority) -> None:
    from freg_pipeline.client.network import way_to

    context = way_to(PRODUCTION, authority.ca_file)["verify"]
    assert isinstance(context, ssl.SSLContext)
    names = {str(one["subject"]) for one in context.get_ca_certs()}
    assert any("Egen utsteder" in name for name in names)
    assert len(names) > 20
