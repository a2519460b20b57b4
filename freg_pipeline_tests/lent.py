"""Clients that a synthetic register with access control lends to tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx


def root_of(base_url: str) -> str:
    """Scheme and host."""
    address = urlsplit(base_url)
    return f"{address.scheme}://{address.netloc}"


def lend(base_url: str, *scopes: str, certified: bool = False) -> dict[str, Any]:
    """A client that may ask for these scopes; everybody's without."""
    query = [("scope", scope) for scope in scopes] + [("sertifikat", "1")] * certified
    answer = httpx.get(f"{root_of(base_url)}/_synthetic/maskinporten/klient", params=query)
    answer.raise_for_status()
    lent: dict[str, Any] = answer.json()
    return lent


def settings_of(lent: dict[str, Any], folder: Path) -> dict[str, str]:
    """The client as settings without their prefix, its files written to a folder."""
    key_file = folder / f"{lent['client_id']}.pem"
    key_file.write_text(lent["private_key"])
    key_file.chmod(0o600)
    settings = {
        "maskinporten_client_id": lent["client_id"],
        "maskinporten_key_file": str(key_file),
        "maskinporten_issuer": lent["issuer"],
    }
    if lent["certificate"] is None:
        return {**settings, "maskinporten_kid": lent["kid"]}
    cert_file = folder / f"{lent['client_id']}.crt"
    cert_file.write_text(lent["certificate"])
    return {**settings, "maskinporten_cert_file": str(cert_file)}


def as_environment(settings: dict[str, str]) -> dict[str, str]:
    """Settings as the command takes them."""
    return {f"FREG_{name.upper()}": value for name, value in settings.items()}
