"""Access: what every request carries so that the register knows whose it is."""

from __future__ import annotations

import asyncio
import time
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Protocol, TypeVar

import httpx
import msgspec
from pydantic import SecretStr

from freg_pipeline.client.environments import ENVIRONMENTS, base_url, granted
from freg_pipeline.client.maskinporten import Client, Maskinporten, shared
from freg_pipeline.client.syntetisk import LentClient
from freg_pipeline.errors import ConfigurationError, PassingError
from freg_pipeline.outside import keep_secret, showable
from freg_pipeline.readable import within_depth
from freg_pipeline.settings import Settings

T = TypeVar("T")


class Tokens(Protocol):
    """Where tokens come from. All but :meth:`held` may block, and raise what getting one raises."""

    def held(self) -> SecretStr | None:
        """A token at hand, good for a while; or None."""

    def get(self) -> SecretStr | None:
        """A token for a request; None: none is sent."""

    def renewed(self, refused: SecretStr | None) -> SecretStr | None:
        """A token in place of one that the register has just refused."""

    def describe(self) -> str:
        """Get a token, and say in a line what it is."""


class Bearer(httpx.Auth):
    """Puts a token on each request; on one that is answered by 401 a new one, once.

    Args:
        tokens: where they come from.
        headers: what else each request carries.
    """

    def __init__(self, tokens: Tokens, headers: Mapping[str, SecretStr] | None = None) -> None:
        self._tokens = tokens
        self._headers = dict(headers or {})

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Set the headers, and send a request that was refused once more."""
        for name, value in self._headers.items():
            request.headers[name] = value.get_secret_value()
            keep_secret(value.get_secret_value())
        token = self._tokens.held() or await _got(self._tokens.get)
        response = yield _with(request, token)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await response.aread()  # gives its connection back while a token is waited for
            yield _with(request, await _got(self._tokens.renewed, token))

    def describe(self) -> str:
        """Get a token, and say in a line what it is. Blocks.

        Raises:
            ConfigurationError, RefusedError, PassingError: there is none.
        """
        return self._tokens.describe()


async def _got(get: Callable[..., SecretStr | None], *arguments: Any) -> SecretStr | None:
    """A token, whose source has tried again itself: whoever waits for it needn't do so as well."""
    try:
        return await asyncio.to_thread(get, *arguments)
    except PassingError as error:
        error.is_tried_out = True
        raise


class ReadyToken(Bearer):
    """A token that was given to us ready, or none.

    After a 401 the request is sent once more, as the register's documentation advises; with a ready
    token that is the same one.
    """

    def __init__(
        self, token: SecretStr | None, headers: Mapping[str, SecretStr] | None = None
    ) -> None:
        super().__init__(_Ready(token), headers)


class _Ready:
    def __init__(self, token: SecretStr | None) -> None:
        self._token = token

    def held(self) -> SecretStr | None:
        return self._token

    def get(self) -> SecretStr | None:
        return self._token

    def renewed(self, refused: SecretStr | None) -> SecretStr | None:
        return refused

    def describe(self) -> str:
        if self._token is None:
            return "no token is set"
        return f"the token in FREG_TOKEN{_told_by(self._token.get_secret_value())}"


def _told_by(token: str) -> str:
    """What a token tells of itself, where it is a JWT. To verify it is the register's part."""
    try:
        content = token.split(".")[1]
        padded = content + "=" * (-len(content) % 4)
        claims = within_depth(msgspec.json.decode, urlsafe_b64decode(padded))
        left = float(claims["exp"]) - time.time()
        when = f"good for {left:.0f} s" if left > 0 else f"expired {-left:.0f} s ago"
        return f" for {showable(str(claims['scope']))}, {when}"
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return ""


def access(settings: Settings) -> Bearer:
    """What the settings give to be let in by: a ready token, Maskinporten, or the synthetic client.

    Raises:
        ConfigurationError: they give nothing, or half of something.
    """
    headers = _fiks_headers(settings)
    if settings.token is not None:
        return ReadyToken(settings.token, headers)
    if settings.maskinporten_client_id is not None or settings.maskinporten_key_file is not None:
        return Bearer(_maskinporten(settings), headers)
    if settings.environment == "syntetisk":
        lent = LentClient(base_url(settings), granted(settings).scope, settings.ca_file)
        return Bearer(lent, headers)
    if settings.base_url is not None:
        return ReadyToken(None, headers)  # someone's own gateway, which may put the token on
    raise ConfigurationError(
        f"no credentials are set for {settings.environment}",
        "Set FREG_MASKINPORTEN_CLIENT_ID, _KEY_FILE and _KID, or FREG_TOKEN",
    )


def _maskinporten(settings: Settings) -> Maskinporten:
    from freg_pipeline.client.signing_key import read_signer  # costs others 0.1 s

    client_id = _set("CLIENT_ID", settings.maskinporten_client_id)
    key_file = _set("KEY_FILE", settings.maskinporten_key_file)
    issuer = settings.maskinporten_issuer or ENVIRONMENTS[settings.environment].issuer
    issuer = _set("ISSUER", issuer)
    kid, cert_file = settings.maskinporten_kid, settings.maskinporten_cert_file
    endpoint, consumer = settings.maskinporten_token_endpoint, settings.maskinporten_consumer_org
    is_set = settings.maskinporten_issuer is not None or endpoint is not None

    def client() -> Client:
        signer = read_signer(key_file, kid, cert_file)
        return Client(client_id, signer, issuer, endpoint, consumer, is_set=is_set)

    client()  # a wrong file is told at once
    key = (client_id, key_file, issuer, kid, cert_file, endpoint, consumer)
    return shared(key, client, granted(settings).scope, settings.ca_file)


def _set(name: str, value: T | None) -> T:
    if value is None:
        raise ConfigurationError(
            "the Maskinporten settings are incomplete", f"Set FREG_MASKINPORTEN_{name} too"
        )
    return value


def _fiks_headers(settings: Settings) -> dict[str, SecretStr]:
    if not ENVIRONMENTS[settings.environment].is_fiks:
        return {}
    if settings.fiks_integrasjon_id is None or settings.fiks_integrasjon_passord is None:
        raise ConfigurationError(
            "Fiks requires an integration id and password with every request",
            "Set FREG_FIKS_INTEGRASJON_ID and FREG_FIKS_INTEGRASJON_PASSORD",
        )
    return {
        "IntegrasjonId": SecretStr(settings.fiks_integrasjon_id),
        "IntegrasjonPassord": settings.fiks_integrasjon_passord,
    }


def _with(request: httpx.Request, token: SecretStr | None) -> httpx.Request:
    if token is not None:
        keep_secret(token.get_secret_value())
        request.headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    return request
