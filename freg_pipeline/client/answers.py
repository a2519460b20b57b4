"""What the register answers: a body with its circumstances, or an error that says what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import msgspec

from freg_pipeline.client.packages import Package
from freg_pipeline.envelope import is_xml
from freg_pipeline.envelope_xml import fields_of
from freg_pipeline.errors import FregError, GoneError, NotFoundError, PassingError, RefusedError
from freg_pipeline.outside import showable
from freg_pipeline.readable import read_json

_LONGEST_CODE = 60
_SUPPORT_ID = re.compile(r"support[\s-]*id(?:\s+is)?\W{0,10}([0-9a-z-]{6,40})", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, repr=False)
class Answer:
    """A complete answer with status 200.

    Attributes:
        body: as it came, decompressed.
        hentet: when it was answered (UTC).
        content_type: as the register said it.
        correlation_id: of the request.
        etag: which version of the resource this is, where the register tells it.
        checked: what the request's check made of the body, so that it is read once.
    """

    body: bytes
    hentet: datetime
    content_type: str
    correlation_id: str
    etag: str | None = None
    checked: Any = None

    def __repr__(self) -> str:
        return f"Answer({len(self.body)} bytes, {self.content_type}, {self.correlation_id})"


class NotModifiedError(FregError):
    """304: what was asked for is still the version that the question named."""


class ThrottledError(PassingError):
    """429: too many requests, or too many running jobs; waits ``retry_after`` seconds at least."""


class FirewallError(RefusedError):
    """The firewall in front of the register answered, with a page for people."""


def failure(
    response: httpx.Response, service: str, correlation_id: str, package: Package | None = None
) -> FregError:
    """Return the error that an answer other than 200 means, or an HTML page under any status.

    Args:
        response: the answer, read in full.
        service: the service's name, such as ``personer/bulkoppslag``, without identifiers.
        correlation_id: of the request; the register's staff can find it in their logs.
        package: of rights, to be named where the register denies the service.
    """
    status = response.status_code
    if status == httpx.codes.NOT_MODIFIED:
        return NotModifiedError(f"{service} has nothing new")
    if "html" in response.headers.get("content-type", "").lower():
        return _firewall(response, service, correlation_id)
    code, said = _said(response.content)
    what = f"{service} answered {status}{f' {code}' if code else ''}"
    what += f': "{said}"' if said else ""
    what += f" (correlation id {correlation_id})"
    if status == 429:
        return ThrottledError(what, _LATER, retry_after=_retry_after(response))
    if status >= 500 or status == 408:
        return PassingError(what, _LATER, retry_after=_retry_after(response))
    kind = {404: NotFoundError, 410: GoneError}.get(status, RefusedError)
    remedy = _denied(package) if status == 403 else _REMEDIES.get(status, _LOOK)
    return kind(what, remedy, status=status, code=code, said=said)


_LATER = "Run the same command again later: it goes on from where it stands"
_LOOK = "Correct what the register objects to"
_REMEDIES = {
    401: "Renew FREG_TOKEN or check the access settings (freg check)",
    404: "Check the identifier and FREG_BASE_URL",
    410: "The register keeps jobs for a limited time: order a new uttrekk under another name",
}


def _denied(package: Package | None) -> str:
    if package is None:
        return "Check that your organisation has this service in its package of rights"
    return (
        f"Check that your organisation has the package of rights {package.name} "
        f"(FREG_RETTIGHETSPAKKE), its token the scope {package.scope}, and FREG_BASE_URL, where "
        "set, the package's address"
    )


def _firewall(response: httpx.Response, service: str, correlation_id: str) -> FirewallError:
    found = _SUPPORT_ID.search(_TAG.sub(" ", response.text))
    support = f"support id {showable(found.group(1))}" if found else "no support id"
    return FirewallError(
        f"a firewall in front of the register stopped {service} with an HTML page under status "
        f"{response.status_code} ({support}, correlation id {correlation_id})",
        "Check that your IP address is open towards the register, and give its staff these ids",
        status=response.status_code,
    )


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait. The header is in milliseconds, as the register's documentation says."""
    text = response.headers.get("retry-after", "").strip()
    return int(text) / 1000 if text.isdigit() else None


def _said(body: bytes) -> tuple[str | None, str]:
    """The error's code and text, from any of the forms that the register uses."""
    try:
        content: Any = fields_of(body) if is_xml(body) else read_json(msgspec.json.decode, body)
    except ValueError:  # damaged, or of a form that nobody has seen
        return None, ""
    if isinstance(content, list) and content:
        content = content[0]
    if isinstance(content, dict) and isinstance(content.get("feilmelding"), dict):
        content = content["feilmelding"]
    if not isinstance(content, dict):
        return None, ""
    code = _first(content, "kode", "feilkode", "code")
    said = [
        _first(content, "melding", "feilmelding", "message"),
        _first(content, "tilleggsinformasjon"),
        _first(content, "feilreferanse"),
    ]
    whole = showable(", ".join(text for text in said if text))
    return code and showable(code, _LONGEST_CODE), whole


def _first(content: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = content.get(name)
        if isinstance(value, str | int) and str(value).strip():
            return str(value)
    return None
