"""What Maskinporten answers: metadata, a token, or an error that says what to do."""

from __future__ import annotations

import re
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from freg_pipeline.addresses import http_address, is_open_to_others
from freg_pipeline.client.answers import LATER
from freg_pipeline.client.retry_after import moment
from freg_pipeline.errors import ConfigurationError, PassingError, RefusedError
from freg_pipeline.outside import showable
from freg_pipeline.readable import read_json

CLOCK_SECONDS = 10.0  # a clock that is wrong by more may be why an assertion is refused
T = TypeVar("T")
# Begins where a word does, and gives nothing back: in a text without end nothing is read twice.
_JWT = re.compile(r"(?<![\w-])[\w-]{16,}+\.[\w-]{16,}+(\.[\w-]++)?")
_TOKEN = re.compile(r"[!-~]{1,16384}")  # no server takes a longer header
_LONGEST_SECONDS = 366 * 86_400.0
_fields = msgspec.json.Decoder(dict[str, Any])


class Metadata(msgspec.Struct):
    """Where tokens are asked for (RFC 8414)."""

    issuer: str
    token_endpoint: str


class Granted(msgspec.Struct):
    """A token; ``expires_in`` in seconds. One that is over, or that no header holds, is none."""

    access_token: str
    expires_in: float = 120.0
    scope: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError where it is none."""
        if not _TOKEN.fullmatch(self.access_token) or self.expires_in <= 0:
            msg = "no token"
            raise ValueError(msg)
        self.expires_in = min(self.expires_in, _LONGEST_SECONDS)

    def __repr__(self) -> str:
        return f"Granted({self.scope})"


def decode(response: httpx.Response, kind: type[T], what: str) -> T:
    """Read an answer with status 200.

    Raises:
        PassingError: it holds something else.
    """
    try:
        return read_json(msgspec.json.Decoder(kind).decode, response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise PassingError(f"Maskinporten's answer holds no {what}", LATER) from None


def refusal(response: httpx.Response, scope: str, now: float) -> RefusedError:
    """What Maskinporten's no means. It has no status: that would be one of the register's.

    Args:
        response: the answer.
        scope: that was asked for.
        now: by this machine's clock, in seconds, to be compared with the answer's date.
    """
    kind, said = _said(response)
    what = f"Maskinporten gave no token: {response.status_code} {kind}".rstrip()
    what += f' "{said}"' if said else ""
    ahead = _clock_ahead(response, now)
    if ahead is not None and abs(ahead) > CLOCK_SECONDS:
        off = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'}"
        return RefusedError(what, f"This machine's clock is {off} Maskinporten's: set it")
    return RefusedError(what, _remedy(kind, said, scope))


# Maskinporten's own codes (its documentation of errors), and what each of them takes.
_REMEDIES = {
    "MP-110": "The audience is wrong: set FREG_MASKINPORTEN_ISSUER to the issuer that its metadata "
    "names, such as https://maskinporten.no/, or to nothing",
    "MP-121": "The key's registration has run out: registered keys live one year at most. Post the "
    "key, or a new one, at Maskinporten again",
    "MP-250": "Your organisation has no access to {scope}: ask its owner for it (for "
    "folkeregister:… the register's staff, for ks:fiks KS)",
    "MP-251": "The access to {scope} isn't delegated to you: the organisation in "
    "FREG_MASKINPORTEN_CONSUMER_ORG delegates it in Altinn",
}
_CODE = re.compile(r"\bMP-\d{3}\b")


def _remedy(kind: str, said: str, scope: str) -> str:
    code = _CODE.search(said)
    if code is not None and code[0] in _REMEDIES:
        return _REMEDIES[code[0]].format(scope=scope)
    if kind == "invalid_scope":
        return (
            f"Check that FREG_MASKINPORTEN_CLIENT_ID may ask for {scope}, and that "
            "FREG_RETTIGHETSPAKKE names your package (FREG_MASKINPORTEN_SCOPE asks for others)"
        )
    return (
        "Check FREG_MASKINPORTEN_CLIENT_ID, and that the key in FREG_MASKINPORTEN_KEY_FILE is "
        "registered for it under FREG_MASKINPORTEN_KID (or FREG_MASKINPORTEN_CERT_FILE)"
    )


def is_wrong_audience(response: httpx.Response) -> bool:
    """Whether an assertion was refused for its audience."""
    _, said = _said(response)
    return response.status_code == 400 and ("MP-110" in said or "audience" in said.lower())


def no_metadata(issuer: str, why: str) -> ConfigurationError:
    """There is no Maskinporten at an address."""
    return ConfigurationError(
        f"the metadata of Maskinporten at {urlsplit(issuer).netloc} {why}",
        "Correct FREG_MASKINPORTEN_ISSUER, or set FREG_MASKINPORTEN_TOKEN_ENDPOINT",
    )


def require_encrypted(endpoint: str, source: str) -> None:
    """See that a token endpoint that an answer names can be asked as safely as the answer was.

    Args:
        endpoint: where it says that tokens are asked for.
        source: the address that answered.

    Raises:
        ConfigurationError: it is no address, or what is sent there could be read on the way.
    """
    try:
        if http_address(endpoint) is None:
            raise no_metadata(source, "names no token endpoint")
    except ValueError:
        raise no_metadata(source, "names a token endpoint that is no address") from None
    if is_open_to_others(endpoint) and not is_open_to_others(source):
        raise no_metadata(source, "names a token endpoint that isn't encrypted (http://)")


def _clock_ahead(response: httpx.Response, now: float) -> float | None:
    """Seconds that this machine's clock is ahead of the one that answered."""
    there = moment(response.headers.get("date", ""))
    return None if there is None else now - there


def _said(response: httpx.Response) -> tuple[str, str]:
    """The error's kind and text; nothing of it that looks like an assertion or a token."""
    try:
        content = read_json(_fields.decode, response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    kind, text = (str(content.get(name) or "") for name in ("error", "error_description"))
    return showable(_JWT.sub("***", kind)), showable(_JWT.sub("***", text))
