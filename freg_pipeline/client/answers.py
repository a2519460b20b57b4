"""What the register answers: a body with its circumstances, or an error that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import msgspec

from freg_pipeline.client.html import AWAY, Asked, is_page, page_failure
from freg_pipeline.client.packages import Package
from freg_pipeline.client.retry_after import retry_after
from freg_pipeline.envelope import is_xml
from freg_pipeline.envelope_xml import fields_of
from freg_pipeline.errors import (
    AwayError,
    FregError,
    GoneError,
    NotFoundError,
    PassingError,
    RefusedError,
    ThrottledError,
)
from freg_pipeline.outside import showable
from freg_pipeline.readable import read_json

_LONGEST_CODE = 60


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
        seconds: from sending the request to having all of the answer.
    """

    body: bytes
    hentet: datetime
    content_type: str
    correlation_id: str
    etag: str | None = None
    checked: Any = None
    seconds: float = 0.0

    def __repr__(self) -> str:
        return f"Answer({len(self.body)} bytes, {self.content_type}, {self.correlation_id})"


class NotModifiedError(FregError):
    """304: what was asked for is still the version that the question named."""


def failure(
    response: httpx.Response, service: str, correlation_id: str, package: Package | None = None
) -> FregError:
    """Return the error that an answer other than 200 means, or an HTML page under any status.

    Redirects are not followed: with a token nobody goes where an answer points to.

    Args:
        response: the answer, read in full.
        service: the service's name, such as ``personer/bulkoppslag``, without identifiers.
        correlation_id: of the request; the register's staff can find it in their logs.
        package: of rights, to be named where the register denies the service.
    """
    status = response.status_code
    if status == httpx.codes.NOT_MODIFIED and "if-none-match" in response.request.headers:
        return NotModifiedError(f"{service} has nothing new")
    wait = retry_after(response)
    if response.has_redirect_location:
        return _redirected(response, service, correlation_id)
    if is_page(response):
        return page_failure(response, Asked(service, correlation_id), LATER, wait)
    code, said = _said(response.content)
    what = f"{service} answered {status}{f' {code}' if code else ''}"
    what += f': "{said}"' if said else ""
    what += f" (correlation id {correlation_id})"
    if status == 429:
        return ThrottledError(what, LATER, retry_after=wait)
    if status in AWAY:
        return AwayError(what, LATER, retry_after=wait)
    if status >= 500 or status == 408:
        return PassingError(what, LATER, retry_after=wait)
    kind = {404: NotFoundError, 410: GoneError}.get(status, RefusedError)
    remedy = _denied(package) if status == 403 else _REMEDIES.get(status, _LOOK)
    if status == 404 and "{" not in service:  # the question names nothing that could be unknown
        remedy = _NO_SERVICE
    if status < 400:  # no word about the question, and no answer to it
        remedy = _ON_THE_WAY
    return kind(what, remedy, status=status, code=code, said=said)


LATER = "Run the same command again later: it resumes where it stopped"
_LOOK = "Correct what the register objects to"
_ON_THE_WAY = (
    "Correct FREG_BASE_URL, or look at what stands between here and the register (a proxy, a "
    "gateway, a sign-in page)"
)
_NO_SERVICE = (
    "Check FREG_BASE_URL, FREG_ENVIRONMENT and FREG_RETTIGHETSPAKKE: no such service is there; if "
    "they are right, tell the register's staff"
)
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


def _redirected(response: httpx.Response, service: str, correlation_id: str) -> RefusedError:
    """Where an answer points to, by scheme and host: the rest may hold what was asked for."""
    try:
        there = response.url.join(response.headers["location"])
        origin = showable(f"{there.scheme}://{there.netloc.decode()}")
    except (httpx.InvalidURL, ValueError):
        origin = "what is no address"
    here = f"{response.url.scheme}://{response.url.netloc.decode()}"
    leads = "elsewhere on the same host" if origin == here else f"to {origin}"
    return RefusedError(
        f"{service} was answered by {response.status_code}, which redirects {leads} "
        "(correlation id "
        f"{correlation_id}); it is not followed",
        _ON_THE_WAY,
        status=response.status_code,
    )


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
        _first(content, "melding", "feilmelding", "message", "error"),
        _beside(content.get("tilleggsinformasjon")),
        _first(content, "feilreferanse"),
    ]
    whole = showable(", ".join(text for text in said if text))
    return code and showable(code, _LONGEST_CODE), whole


def _beside(value: object) -> str:
    """What is told beside an error's text: an object, by the API description; or a text."""
    told = value if isinstance(value, dict) else {"": value}
    texts = {name: str(one) for name, one in told.items() if isinstance(one, str | int)}
    return ", ".join(f"{name}: {one}" if name else one for name, one in texts.items())


def _first(content: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = content.get(name)
        if isinstance(value, str | int) and str(value).strip():
            return str(value)
    return None
