"""The way to an address: by which proxy, trusting whom; and what is said when the way is blocked.

Proxies come from the variables that other programs read (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY,
NO_PROXY). httpx reads them too, but passes over networks in NO_PROXY (10.0.0.0/8), fails on those
of IPv6, and sends what stays on this machine through a proxy.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import certifi
import httpx

from freg_pipeline.addresses import is_loopback
from freg_pipeline.errors import ConfigurationError

_HTTP, _SOCKS = ("http", "https"), ("socks5", "socks5h")


@dataclass(frozen=True, repr=False)
class Way:
    """A proxy, never shown: its address may hold a password.

    Attributes:
        address: where it is.
        variable: which variable names it.
    """

    address: str
    variable: str


def way_to(url: str, ca_file: Path | None) -> dict[str, Any]:
    """What an httpx client needs for an address.

    Args:
        url: the address.
        ca_file: certificates to trust beside the system's, as PEM.

    Raises:
        ConfigurationError: the proxy's variable or the file is wrong.
    """
    context = _context(ca_file, _changed(ca_file))
    way = proxy_of(url)
    if way is None:
        return {"trust_env": False, "verify": context}
    secured = context if way.address.startswith("https") else None
    try:
        proxy = httpx.Proxy(way.address, ssl_context=secured)
    except (httpx.InvalidURL, ValueError):
        raise _wrong_proxy(way.variable, "holds no address") from None
    return {"trust_env": False, "verify": context, "proxy": proxy}


def proxy_of(url: str) -> Way | None:
    """The proxy that the environment names for an address; None: the way is direct.

    Raises:
        ConfigurationError: the variable can't be used.
    """
    parts = urlsplit(url)
    told = getproxies()
    scheme = parts.scheme if told.get(parts.scheme) else "all"
    address = (told.get(scheme) or "").strip()
    host = parts.hostname or ""
    if not address or is_loopback(host) or _is_excepted(host, _port(url), told.get("no") or ""):
        return None
    variable = f"{scheme.upper()}_PROXY"
    address = address if "://" in address else f"http://{address}"
    kind = address.split("://")[0].lower()
    if kind in _SOCKS and find_spec("socksio") is None:
        raise _wrong_proxy(variable, f"names a proxy of the kind {kind}, and socksio is missing")
    if kind not in (*_HTTP, *_SOCKS):
        raise _wrong_proxy(variable, "names a proxy of a kind that can't be used")
    if not _has_host(address):
        raise _wrong_proxy(variable, "holds no address")
    return Way(address, variable)


def proxy_words(url: str) -> str:
    """ " by the proxy in HTTPS_PROXY", for errors; nothing where the way is direct."""
    way = proxy_of(url)
    return "" if way is None else f" by the proxy in {way.variable}"


def blocked_way(error: Exception, url: str) -> ConfigurationError | None:
    """What a failed connection means, where it won't pass: a certificate, or a proxy's no."""
    host = urlsplit(url).hostname
    certificate = _certificate_error(error)
    if certificate is not None:
        return ConfigurationError(
            f"the certificate of {host} isn't trusted: {certificate.verify_message.rstrip('.')}",
            "Set FREG_CA_FILE to a file with the certificates (PEM) of whoever issues them in your "
            "network; if it has expired or belongs to another host, check the address and "
            "the clock",
        )
    if isinstance(error, httpx.ProxyError):
        way, status = proxy_of(url), str(error)[:3]
        if way is not None and status.isdigit() and not status.startswith("5"):
            return ConfigurationError(
                f"the proxy in {way.variable} refuses connections to {host} ({status})",
                "Allow the host there, put the proxy's user name and password into the "
                "variable, or add the host to NO_PROXY",
            )
    return None


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


# -- proxies -----------------------------------------------------------------------------------


def _is_excepted(host: str, port: int | None, excepted: str) -> bool:
    """Whether NO_PROXY names a host: by name, domain, address, network, or ``*``."""
    return any(_names(entry, host, port) for entry in excepted.replace(",", " ").split())


def _names(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    try:
        network = ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        name, _, only = entry.rpartition(":")
        if name and only.isdigit():
            return int(only) == port and _names(name, host, port)
        domain = entry.lower().removeprefix("*").strip(".")
        return bool(domain) and f".{host.lower().rstrip('.')}".endswith(f".{domain}")
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False


def _port(url: str) -> int | None:
    parts = urlsplit(url)
    try:
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _wrong_proxy(variable: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the variable {variable} {why}",
        "Set it to http://host:port, or name the register's host in NO_PROXY (for SOCKS: "
        "pip install socksio)",
    )


# -- certificates ------------------------------------------------------------------------------


def _changed(ca_file: Path | None) -> float:
    if ca_file is None:
        return 0.0
    try:
        return ca_file.expanduser().stat().st_mtime
    except OSError as error:
        raise _wrong_ca_file(f"can't be read: {error.strerror}") from None


@lru_cache(maxsize=4)
def _context(ca_file: Path | None, changed: float) -> ssl.SSLContext:
    """Whom to trust: the system's, or what SSL_CERT_FILE names in their place, and the setting's.

    ``changed``: when the file was; reading certificates takes longer than a request.
    """
    del changed
    context = ssl.create_default_context()
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        context.load_verify_locations(certifi.where())  # a container may have none of its own
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(ca_file.expanduser())
    except OSError as error:  # ssl.SSLError is one
        why = "holds no certificates as PEM" if isinstance(error, ssl.SSLError) else "can't be read"
        raise _wrong_ca_file(why) from None
    # Authorities of one's own often lack what Python 3.13 asks of the world's.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _wrong_ca_file(why: str) -> ConfigurationError:
    return ConfigurationError(f"the file that FREG_CA_FILE names {why}", "Correct it")
