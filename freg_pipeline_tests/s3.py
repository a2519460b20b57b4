"""An S3 server for tests, and what stands between it and a client: faults, counts, TLS."""

from __future__ import annotations

import http.client
import os
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.server import ThreadedMotoServer

from freg_pipeline_tests.waiting import STUCK_SECONDS, started

# What stands between may answer in the server's place, or change the headers that go on.
Answer = tuple[int, str]
Instead = Callable[[str, str, dict[str, str]], Answer | None]
# What becomes of an answer on its way: lost, the connection ends; cut, it ends half way.
Fate = Literal["whole", "lost", "cut"]


@contextmanager
def s3_server() -> Iterator[str]:
    """An S3 server of the tests' own; gives its address. What it holds goes with it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        yield address
    finally:  # all servers of a process share what they hold: the next one would have it, too
        reset = f"{address}/moto-api/reset"
        httpx.post(reset, trust_env=False, timeout=STUCK_SECONDS).raise_for_status()
        server.stop()


@dataclass
class Between:
    """A proxy before an S3 server.

    Attributes:
        address: where it listens.
        requests: method and path of each request.
        sent: bytes of objects that went to clients, by path.
        instead: answers in the server's place (status and S3's error code), if it gives something.
        fate: what becomes of the server's answer to a request (method and path), which is done.
    """

    address: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    instead: Instead = lambda method, path, headers: None
    fate: Callable[[str, str], Fate] = lambda method, path: "whole"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    there: str  # host and port of the server
    proxy: Between

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the client has hung up
            self.close_connection = True

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name != "Expect"}
        self.proxy.requests.append((self.command, self.path))
        fault = self.proxy.instead(self.command, self.path, headers)
        if fault is not None:
            status, code = fault
            self.answer(status, {}, f"<Error><Code>{code}</Code></Error>".encode())
            return
        path = urlsplit(self.path)._replace(scheme="", netloc="").geturl()
        if path != self.path:  # asked as a proxy; else Host stays as it was signed
            headers["Host"] = self.there
        connection = http.client.HTTPConnection(self.there, timeout=60)
        connection.request(self.command, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.proxy.sent[path] = self.proxy.sent.get(path, 0) + len(content)
        fate = self.proxy.fate(self.command, path)
        if fate == "lost":
            self.close_connection = True
            return
        self.answer(answer.status, dict(answer.getheaders()), content, cut=fate == "cut")

    def answer(
        self, status: int, headers: dict[str, str], content: bytes, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        given = {name.lower(): value for name, value in headers.items()}
        length = given.pop("content-length", "0")
        for name, value in given.items():
            if name not in {"connection", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        self.send_header("Content-Length", length if is_head else str(len(content)))
        self.end_headers()
        if cut:
            self.close_connection = True
            content = content[: len(content) // 2]
        if not is_head:
            self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = forward  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def between(endpoint: str, *, certificate: Path | None = None) -> Iterator[Between]:
    """Put a proxy before a server; over TLS with a certificate and its key, as PEM."""
    proxy = Between()
    handler = type("Handler", (_Handler,), {"there": urlsplit(endpoint).netloc, "proxy": proxy})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "https" if certificate else "http"
    proxy.address = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield proxy
    server.shutdown()
    server.server_close()
    thread.join()


def killed(
    command: list[str], at: tuple[str, bool], folder: Path, endpoint: str, **environment: str
) -> None:
    """Run ``freg``, and kill it (-9) as it writes or removes an object, which is done or isn't."""
    name, done = at
    with between(endpoint) as proxy:
        with started(
            [sys.executable, "-m", "freg_pipeline.cli", *command],
            cwd=folder,
            env={**os.environ, **environment, "AWS_ENDPOINT_URL_S3": proxy.address},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:

            def is_it(method: str, path: str) -> bool:
                return method in {"PUT", "DELETE"} and re.search(name, path) is not None

            def before(method: str, path: str, headers: dict[str, str]) -> Answer | None:
                if is_it(method, path) and not done:
                    process.kill()
                    return 503, "SlowDown"
                return None

            def after(method: str, path: str) -> Fate:
                if is_it(method, path) and done:
                    process.kill()
                    return "lost"
                return "whole"

            proxy.instead, proxy.fate = before, after
            assert process.wait(STUCK_SECONDS) == -9


def private_certificates(folder: Path) -> tuple[Path, Path]:
    """An authority that nobody knows, and a server's certificate by it: both files, as PEM."""
    own, servers = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The tests' own authority")])
    authority = (
        _certificate(name, name, own)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .sign(own, hashes.SHA256())
    )
    here = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key())
    certificate = (
        _certificate(here, name, servers)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(issuer, critical=False)
        .sign(own, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key = servers.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    trusted, served = folder / "authority.pem", folder / "server.pem"
    trusted.write_bytes(authority.public_bytes(pem))
    served.write_bytes(key + certificate.public_bytes(pem))
    return trusted, served


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
