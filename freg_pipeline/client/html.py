"""HTML where the register's JSON or XML was asked for: whose page it is, and what that means.

The firewall in front of the register answers with a page that has a support id, under any status.
Every other page is somebody else's: a gateway that can't reach what is behind it, a proxy or a
sign-in page on the way, or a web server where FREG_BASE_URL names the wrong one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx

from freg_pipeline.errors import AwayError, FregError, PassingError, RefusedError, ThrottledError
from freg_pipeline.outside import showable

_SUPPORT_ID = re.compile(r"support[\s-]*id(?:\s+is)?\W{0,10}([0-9a-z-]{6,40})", re.IGNORECASE)
_REJECTED = re.compile(r"request rejected|requested url was rejected", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*+>")
_LOOKED_AT = 100_000  # bytes of a page
_PRODUCT = re.compile(r"[A-Za-z][\w.+-]{0,30}")


class PageError(RefusedError):
    """Somebody answered with a page for people: it is no word of the register's."""


class FirewallError(PageError):
    """The firewall in front of the register answered, with a page for people."""


@dataclass(frozen=True)
class Asked:
    """What an answer answers.

    Attributes:
        service: its name, without identifiers.
        correlation_id: of the request.
    """

    service: str
    correlation_id: str


def is_page(response: httpx.Response) -> bool:
    """Whether an answer says that it is HTML."""
    return "html" in response.headers.get("content-type", "").lower()


def page_failure(
    response: httpx.Response, asked: Asked, later: str, retry_after: float | None
) -> FregError:
    """The error that an HTML page means.

    Args:
        response: the answer, read in full.
        asked: the question.
        later: what to do where it may pass.
        retry_after: seconds that it asks us to wait.
    """
    status, text = response.status_code, _TAG.sub(" ", _text_of(response))
    support = _SUPPORT_ID.search(text)
    if support or _REJECTED.search(text):
        return _firewall(status, asked, support[1] if support else None)
    what = (
        f"{asked.service} was answered by an HTML page under status {status}{_whose(response)} "
        f"(correlation id {asked.correlation_id})"
    )
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ThrottledError(what, later, retry_after=retry_after)
    if status in AWAY:
        return AwayError(what, later, retry_after=retry_after)
    if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
        return PassingError(what, later, retry_after=retry_after)
    return PageError(
        what,
        "It is neither the register's nor its firewall's: check FREG_BASE_URL, and what stands "
        "between here and there (a proxy: HTTPS_PROXY, NO_PROXY; a gateway; a sign-in page)",
        status=status,
    )


def _text_of(response: httpx.Response) -> str:
    """A page's beginning, whatever signs it claims to be written in: what is sought is ASCII."""
    return response.content[:_LOOKED_AT].decode("ascii", "replace")


AWAY = frozenset({502, 503, 504})  # a gateway, or the register, says that nobody is at home


def _firewall(status: int, asked: Asked, found: str | None) -> FirewallError:
    support = f"support id {showable(found)}" if found else "no support id"
    return FirewallError(
        f"a firewall in front of the register stopped {asked.service} with an HTML page under "
        f"status {status} ({support}, correlation id {asked.correlation_id})",
        "Check that your IP address is open towards the register, and give its staff these ids",
        status=status,
    )


def _whose(response: httpx.Response) -> str:
    """The software that made the page, by its own name."""
    product = _PRODUCT.match(response.headers.get("server", ""))
    return f" from {product[0]}" if product else ""
