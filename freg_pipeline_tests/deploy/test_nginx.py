"""nginx before Dagster's page, as deploy/nginx/dagster.conf has it; others are stand-ins.

All of them listen on sockets in a folder: no port of the machine is taken.
"""

from __future__ import annotations

import shutil
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from freg_pipeline_tests.deploy import DEPLOY
from freg_pipeline_tests.waiting import started, wait_until

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
NAME = "dagster.example.no"
OURS = f"https://{NAME}"
SIGNED_IN = {"Cookie": "_oauth2_proxy=somebody"}
FOREIGN = "https://elsewhere.example"
# What Dagster takes for a command, whatever the method and whatever a form sends with it.
COMMAND = "/graphql?query=mutation"

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx (Debian: nginx-light)")


class _Page(BaseHTTPRequestHandler):
    """Dagster's page: answers everything."""

    def do_GET(self) -> None:
        self._answer(200, "the page")

    do_POST = do_GET  # noqa: N815  http.server's name

    def _answer(self, code: int, text: str) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with suppress(BrokenPipeError):  # nginx goes once it has what it asked for
            self.wfile.write(text.encode())

    def address_string(self) -> str:
        return ""  # a socket in a folder has no address to write down

    def log_message(self, *said: object) -> None:
        """Nothing."""


class _Proxy(_Page):
    """oauth2-proxy: knows who has its cookie, and shows everybody else where to sign in."""

    def do_GET(self) -> None:
        if self.path != "/oauth2/auth":
            self._answer(200, "sign in")
        elif self.headers.get("Cookie"):
            self._answer(202, "")
        else:
            self._answer(401, "")

    do_POST = do_GET  # noqa: N815


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def _serving(socket: Path, handler: type[BaseHTTPRequestHandler]) -> Iterator[None]:
    with _Server(str(socket), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def _certificate(folder: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "one.pem").write_bytes(made.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "one.key").write_bytes(private)


def _configured(folder: Path) -> Path:
    """nginx's settings round ours, of which addresses and files are other ones."""
    ours = (DEPLOY / "nginx/dagster.conf").read_text()
    for there, here in {
        "listen 443 ssl;": f"listen unix:{folder}/tls ssl;",
        "listen 80;": f"listen unix:{folder}/plain;",
        "/etc/ssl/dagster.example.no.pem": f"{folder}/one.pem",
        "/etc/ssl/private/dagster.example.no.key": f"{folder}/one.key",
        "http://127.0.0.1:4180": f"http://unix:{folder}/proxy",
        "http://127.0.0.1:3000": f"http://unix:{folder}/page",
    }.items():
        assert there in ours
        ours = ours.replace(there, here)
    (folder / "dagster.conf").write_text(ours)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{kind}_temp_path {folder}/tmp_{kind};\n" for kind in kinds)
    settings = folder / "nginx.conf"
    settings.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;\n"
        f"events {{}}\nhttp {{\naccess_log {folder}/log;\n{own}include {folder}/dagster.conf;\n}}\n"
    )
    return settings


@pytest.fixture(scope="module")
def browser() -> Iterator[httpx.Client]:
    """What asks nginx at its own address, signed in."""
    with tempfile.TemporaryDirectory() as name:  # a socket's path may have 107 characters
        folder = Path(name)
        _certificate(folder)
        command = [str(NGINX), "-e", f"{folder}/errors", "-c", str(_configured(folder))]
        subprocess.run([*command, "-t", "-q"], check=True)
        with (
            _serving(folder / "proxy", _Proxy),
            _serving(folder / "page", _Page),
            started(command) as nginx,
            httpx.Client(  # it asks a socket of ours: nobody has to trust its certificate
                transport=httpx.HTTPTransport(uds=f"{folder}/tls", verify=False),
                base_url=OURS,
                headers=SIGNED_IN,
                timeout=600,
            ) as client,
        ):
            wait_until((folder / "tls").exists, nginx)
            wait_until(lambda: _answers(client), nginx)
            yield client


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("path", ["/", "/graphql", "/report_asset_materialization/x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whoever_isnt_signed_in_is_shown_where_to(
    browser: httpx.Client, method: str, path: str
) -> None:
    answer = browser.request(method, path, headers={"Cookie": ""})
    assert (answer.status_code, answer.text) in {(401, "sign in"), (200, "sign in")}


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        pytest.param(
            "POST", "/graphql", {"Origin": OURS, "Sec-Fetch-Site": "same-origin"}, id="page"
        ),
        pytest.param("GET", "/graphql", {"Origin": OURS}, id="websocket"),
        pytest.param("POST", "/graphql", {}, id="no browser"),
        pytest.param(
            "GET",
            "/runs/1",
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
            id="link",
        ),
    ],
)
def test_the_page_itself_and_links_to_it_get_through(
    browser: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = browser.request(method, path, headers=headers)
    assert (answer.status_code, answer.text) == (200, "the page")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        pytest.param("POST", COMMAND, {"Origin": FOREIGN}, id="form"),
        pytest.param("POST", COMMAND, {"Origin": "null"}, id="form in a frame"),
        pytest.param(
            "POST",
            "/report_asset_materialization/x",
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
            id="form that doesn't say whose",
        ),
        pytest.param(
            "GET",
            COMMAND,
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
            id="picture",
        ),
        pytest.param(
            "GET",
            COMMAND,
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
            id="sibling",
        ),
        pytest.param(
            "GET", "/graphql", {"Origin": FOREIGN, "Upgrade": "websocket"}, id="websocket"
        ),
    ],
)
def test_another_site_starts_and_reads_nothing_by_a_browser_that_is_signed_in(
    browser: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    assert browser.request(method, path, headers=headers).status_code == 403
