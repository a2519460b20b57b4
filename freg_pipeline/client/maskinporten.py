"""Tokens from Maskinporten: OAuth 2 with a signed assertion (JWT grant).

Source: the register's documentation, Sikkerhet, and Maskinporten's own. A token is shared by all
tasks and threads of the process, and renewed before it expires. Nothing of it waits on an event
loop, as several of those come and go in one process: what blocks here is to be called in a thread.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import stamina
from pydantic import SecretStr

from freg_pipeline.client.answers import LATER
from freg_pipeline.client.bounds import ask_once
from freg_pipeline.client.html import AWAY
from freg_pipeline.client.network import blocked_way
from freg_pipeline.client.oauth import (
    Granted,
    Metadata,
    decode,
    is_wrong_audience,
    no_metadata,
    refusal,
    require_encrypted,
)
from freg_pipeline.client.retry_after import retry_after
from freg_pipeline.client.retrying import told_by_us
from freg_pipeline.errors import (
    AwayError,
    ConfigurationError,
    FregError,
    PassingError,
    UnreachableError,
)
from freg_pipeline.outside import keep_secret, showable

if TYPE_CHECKING:  # what signs is imported where something is signed
    from freg_pipeline.client.signing_key import Signer

logger = logging.getLogger(__name__)

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
METADATA = ".well-known/oauth-authorization-server"
ASSERTION_SECONDS = 110  # Maskinporten takes at most 120
RENEW_BEFORE_SECONDS = 30.0  # and never more than a fifth of a token's life
TRIES = 8  # about a quarter of a minute of waiting in all
TRIED_SECONDS = 60.0  # and no further try begins after so long


@dataclass(frozen=True, repr=False)
class Client:
    """Who asks.

    Attributes:
        client_id: the integration's id.
        signer: its key.
        issuer: whose tokens are asked for.
        token_endpoint: where; None: as the issuer's metadata says.
        consumer_org: the organisation that is acted for by delegation, nine digits.
        is_set: whether a setting says where Maskinporten is; else the environment does.
    """

    client_id: str
    signer: Signer
    issuer: str
    token_endpoint: str | None = None
    consumer_org: str | None = None
    is_set: bool = True


@dataclass(frozen=True, repr=False)
class _Token:
    """A token, never shown; ``expires`` and ``renew`` in seconds of the monotonic clock."""

    value: SecretStr
    scope: str
    expires: float
    renew: float


class Maskinporten:
    """The tokens of one client for one scope.

    Args:
        client: tells who asks; called for each token, so that a changed key file is noticed.
        scope: what is asked for.
        ca_file: certificates to trust beside the system's.
    """

    def __init__(
        self, client: Callable[[], Client], scope: str, ca_file: Path | None = None
    ) -> None:
        self._client = client
        self._ca_file = ca_file
        self._scope = scope
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._metadata: dict[str, Metadata] = {}

    @property
    def has_given(self) -> bool:
        """Whether a token was ever got."""
        return self._token is not None

    def held(self) -> SecretStr | None:
        """The token at hand, if it needs no renewing yet. Doesn't block."""
        token = self._token
        return token.value if token is not None and time.monotonic() < token.renew else None

    def get(self) -> SecretStr:
        """A token that is good for a while. Blocks.

        Raises:
            FregError: as :meth:`renewed`.
        """
        return self.renewed(None)

    def renewed(self, refused: SecretStr | None) -> SecretStr:
        """A token that is good for a while: the one at hand, or a new one. Blocks.

        Args:
            refused: a token that the register has just refused, which is not to be given again.

        Raises:
            ConfigurationError: a setting or a file is wrong (UnreachableError: nothing answers).
            RefusedError: Maskinporten said no.
            PassingError: Maskinporten has a fault that outlasted the retries.
        """
        with told_by_us(), self._lock:  # whoever comes meanwhile gets the same one
            held = self.held()
            if held is not None and held != refused:
                return held
            for attempt in stamina.retry_context(
                on=PassingError,
                attempts=TRIES,
                timeout=TRIED_SECONDS,
                wait_initial=0.2,
                wait_max=3.0,
            ):
                with attempt:
                    self._token = self._ask()
                    return self._token.value
        raise AssertionError  # stamina raises the last error itself

    def describe(self) -> str:
        """Get a token, and say in a line what it is. Raises as :meth:`renewed`."""
        self.get()
        token = self._token
        assert token is not None  # noqa: S101  it was just got
        left = token.expires - time.monotonic()
        return f"a token from Maskinporten for {token.scope}, good for {left:.0f} s"

    def _ask(self) -> _Token:
        client = self._client()
        asked = time.monotonic()
        endpoint, audience = self._where(client)
        response = self._grant(client, endpoint, audience)
        if is_wrong_audience(response):  # with its last slash, or without
            other = audience.rstrip("/") if audience.endswith("/") else f"{audience}/"
            response = self._grant(client, endpoint, other)
        if response.status_code != httpx.codes.OK:
            self._metadata.clear()  # the endpoint may have moved
            raise refusal(response, self._scope, _now())
        granted = decode(response, Granted, "token")
        keep_secret(granted.access_token)
        logger.debug(
            "Maskinporten: a token for %s, good for %.0f s", self._scope, granted.expires_in
        )
        margin = min(RENEW_BEFORE_SECONDS, granted.expires_in / 5)
        expires = asked + granted.expires_in
        scope = showable(granted.scope) or self._scope
        return _Token(SecretStr(granted.access_token), scope, expires, expires - margin)

    def _grant(self, client: Client, endpoint: str, audience: str) -> httpx.Response:
        assertion = client.signer.sign(self._claims(client, audience))
        form = {"grant_type": GRANT_TYPE, "assertion": assertion}
        return self._send("POST", endpoint, form, is_set=client.is_set)

    def _where(self, client: Client) -> tuple[str, str]:
        """The token endpoint, and the audience that the assertion must name."""
        if client.token_endpoint is not None:
            return client.token_endpoint, client.issuer
        if client.issuer not in self._metadata:
            url = f"{client.issuer.rstrip('/')}/{METADATA}"
            response = self._send("GET", url, is_set=client.is_set)
            if response.status_code != httpx.codes.OK:
                raise no_metadata(client.issuer, f"answered {response.status_code}")
            metadata = decode(response, Metadata, "metadata")
            if metadata.issuer.rstrip("/") != client.issuer.rstrip("/"):
                raise no_metadata(client.issuer, "names another issuer")
            require_encrypted(metadata.token_endpoint, client.issuer)
            self._metadata[client.issuer] = metadata
        metadata = self._metadata[client.issuer]
        return metadata.token_endpoint, metadata.issuer

    def _claims(self, client: Client, audience: str) -> dict[str, Any]:
        now = int(_now())
        claims = {
            "aud": audience,
            "iss": client.client_id,
            "scope": self._scope,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        if client.consumer_org is not None:
            claims["consumer_org"] = client.consumer_org
        return claims

    def _send(
        self, method: str, url: str, form: dict[str, str] | None = None, *, is_set: bool
    ) -> httpx.Response:
        try:
            response = ask_once(method, url, form, ca_file=self._ca_file)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise ConfigurationError(
                "Maskinporten's address is not a valid URL",
                "Correct FREG_MASKINPORTEN_ISSUER or FREG_MASKINPORTEN_TOKEN_ENDPOINT",
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._lost(url, error, is_set=is_set) from None
        if response.status_code >= 500 or response.status_code in {408, 429}:
            kind = AwayError if response.status_code in AWAY else PassingError
            what = f"Maskinporten ({urlsplit(url).netloc}) answered {response.status_code}"
            raise kind(what, LATER, retry_after=retry_after(response))
        return response

    def _lost(self, url: str, error: httpx.RequestError, *, is_set: bool) -> FregError:
        blocked = blocked_way(error, url)
        if blocked is not None:
            return blocked
        what = f"nothing answers at Maskinporten ({urlsplit(url).netloc}: {type(error).__name__})"
        if self._token is None and isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return UnreachableError(
                what,
                "Check FREG_ENVIRONMENT and FREG_MASKINPORTEN_ISSUER, and that your "
                "network allows it",
                is_set=is_set,
            )
        return AwayError(what, LATER)


_SHARED: dict[Hashable, Maskinporten] = {}
_SHARED_LOCK = threading.Lock()


def shared(
    key: Hashable, client: Callable[[], Client], scope: str, ca_file: Path | None = None
) -> Maskinporten:
    """The process's one source of these tokens.

    Args:
        key: what tells this client from others; no secret.
        client: as for :class:`Maskinporten`.
        scope: what is asked for.
        ca_file: as for :class:`Maskinporten`.
    """
    with _SHARED_LOCK:
        return _SHARED.setdefault((key, scope, ca_file), Maskinporten(client, scope, ca_file))


def _now() -> float:
    """The wall clock, which Maskinporten compares with its own."""
    return time.time()
