"""Addresses that settings give: whether they can be asked, and who else could read along."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def http_address(text: str) -> str | None:
    """An address as it is used; None: none is given.

    Raises:
        ValueError: it is none; says nothing of what it holds.
    """
    address = text.strip()
    if not address:
        return None
    if not address.startswith(("http://", "https://")):
        msg = "must begin with http:// or https://"
        raise ValueError(msg)
    parts = urlsplit(address)  # which raises for a malformed one
    if not parts.hostname:
        msg = "must name a host"
        raise ValueError(msg)
    if "@" in parts.netloc:  # it is shown in errors
        msg = "must hold no user name or password"
        raise ValueError(msg)
    return address


def is_open_to_others(address: str) -> bool:
    """Whether what is sent there leaves this machine unencrypted."""
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
