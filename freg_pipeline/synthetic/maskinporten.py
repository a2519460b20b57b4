"""A token endpoint like Maskinporten's, with clients to try it by.

Everything it knows it made when it started: its own key, and the clients that it lends out under
``/_synthetic/maskinporten/klient``. Nothing of it is of any worth elsewhere.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 120
LEEWAY_SECONDS = 10
_RS256 = ["RS256"]


class TokenError(Exception):
    """A bearer token that isn't good; its text says why."""


class _RefusedError(Exception):
    """A grant that is refused: OAuth's error code, and what is said of it."""


@dataclass(frozen=True, repr=False)
class _Client:
    client_id: str
    kid: str
    key: RSAKey
    scopes: frozenset[str]
    certificate: x509.Certificate | None


class Maskinporten:
    """Grants tokens, and tells later what they are good for.

    Args:
        scopes: all that there are.
        token_seconds: how long a token is good for.
        fiks: the integration's headers, lent out with each client.
    """

    def __init__(self, scopes: frozenset[str], token_seconds: int, fiks: Mapping[str, str]) -> None:
        self._scopes = scopes
        self._seconds = token_seconds
        self._fiks = dict(fiks)
        self._key = RSAKey.generate_key(2048)
        self._clients: dict[str, _Client] = {}
        self._used: dict[str, float] = {}  # jti -> when its assertion expires
        self._everyones = self._new_client(scopes, certified=False)
        self.app = Starlette(
            routes=[
                Route("/maskinporten/.well-known/oauth-authorization-server", self._metadata),
                Route("/maskinporten/token", self._token, methods=["POST"]),
                Route("/_synthetic/maskinporten/klient", self._lend),
            ]
        )

    def granted(self, token: str) -> frozenset[str]:
        """The scopes that a bearer token is good for.

        Raises:
            TokenError: it is no token of ours, or has expired.
        """
        try:
            claims = jwt.decode(token, self._key, algorithms=_RS256).claims
        except (JoseError, ValueError):
            raise TokenError("Token er ugyldig") from None
        if claims["exp"] <= time.time():
            raise TokenError("Token er utløpt")
        if "aud" in claims:  # the register wants it unspecified
            raise TokenError("Token er avgrenset til en annen tjeneste")
        return frozenset(str(claims["scope"]).split())

    # -- clients ---------------------------------------------------------------------------

    def _new_client(self, scopes: frozenset[str], *, certified: bool) -> _Client:
        key = RSAKey.generate_key(2048)
        certificate = _certificate(key) if certified else None
        client = _Client(str(uuid.uuid4()), str(uuid.uuid4()), key, scopes, certificate)
        self._clients[client.client_id] = client
        return client

    async def _lend(self, request: Request) -> Response:
        """A client: everybody's, or a new one by ``scope`` (repeated) and ``sertifikat``."""
        asked = frozenset(request.query_params.getlist("scope"))
        certified = "sertifikat" in request.query_params
        client = self._everyones
        if asked or certified:
            client = self._new_client(asked or self._scopes, certified=certified)
        pem = client.certificate.public_bytes(Encoding.PEM).decode() if client.certificate else None
        issuer = _issuer(request)
        return JSONResponse(
            {
                "client_id": client.client_id,
                "kid": client.kid,
                "private_key": client.key.as_pem(private=True).decode(),
                "certificate": pem,
                "scopes": sorted(client.scopes),
                "issuer": issuer,
                "token_endpoint": f"{issuer}token",
                "fiks": self._fiks,
            }
        )

    # -- the grant -------------------------------------------------------------------------

    async def _metadata(self, request: Request) -> Response:
        issuer = _issuer(request)
        return JSONResponse(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}token",
                "grant_types_supported": [GRANT_TYPE],
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": _RS256,
                "scopes_supported": sorted(self._scopes),
            }
        )

    async def _token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        try:
            claims = self._verified(form, _issuer(request))
        except _RefusedError as error:
            kind, text = error.args
            said = f"{text} (trace_id: {uuid.uuid4().hex})"
            return JSONResponse({"error": kind, "error_description": said}, 400)
        token = self._sign(claims, _issuer(request))
        return JSONResponse(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": self._seconds,
                "scope": claims["scope"],
            }
        )

    def _sign(self, claims: Mapping[str, Any], issuer: str) -> str:
        now = time.time()
        content = {
            "iss": issuer,
            "client_id": claims["iss"],
            "scope": claims["scope"],
            "iat": int(now),
            "exp": now + self._seconds,
            "jti": str(uuid.uuid4()),
        }
        if "resource" in claims:
            content["aud"] = claims["resource"]
        if "consumer_org" in claims:
            content["consumer"] = {
                "authority": "iso6523-actorid-upis", "ID": f"0192:{claims['consumer_org']}"
            }  # fmt: skip
        return jwt.encode({"alg": "RS256"}, content, self._key, algorithms=_RS256)

    def _verified(self, form: Mapping[str, list[str]], issuer: str) -> dict[str, Any]:
        if form.get("grant_type") != [GRANT_TYPE]:
            raise _RefusedError("unsupported_grant_type", "Unsupported grant_type")
        assertion = (form.get("assertion") or [""])[0]
        client = self._who(assertion)
        try:
            claims = jwt.decode(assertion, client.key, algorithms=_RS256, registry=_LONG).claims
        except JoseError:
            raise _invalid("Client authentication failed. Invalid JWT signature") from None
        self._check(claims, issuer)
        self._check_scope(claims, client)
        return claims

    def _who(self, assertion: str) -> _Client:
        """The client that an assertion says it is from, and whose key it names."""
        try:
            unverified = jws.extract_compact(assertion.encode(), registry=_LONG)
            header, claims = unverified.headers(), msgspec.json.decode(unverified.payload)
            client = self._clients.get(claims["iss"])
        except (JoseError, ValueError, KeyError, TypeError, msgspec.DecodeError):
            raise _invalid("The assertion is no JWT with an issuer") from None
        if client is None:
            raise _RefusedError("invalid_client", "Client not found")
        if client.certificate is not None:
            if _leaf(header.get("x5c")) != client.certificate.public_bytes(Encoding.DER):
                raise _invalid("The header's x5c is not the client's certificate")
        elif header.get("kid") != client.kid:
            raise _invalid("Client authentication failed. Unknown kid")
        return client

    def _check(self, claims: Mapping[str, Any], issuer: str) -> None:
        """See that an assertion is for us, of this moment, and has not been seen before."""
        now = time.time()
        issued, expires, jti = (claims.get(name) for name in ("iat", "exp", "jti"))
        if claims.get("aud") != issuer:
            raise _invalid("Invalid audience")
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            raise _invalid("iat and exp are required")
        if issued > now + LEEWAY_SECONDS:
            raise _invalid("iat is in the future")
        if expires <= now - LEEWAY_SECONDS:
            raise _invalid("The assertion has expired")
        if expires - issued > ASSERTION_SECONDS:
            raise _invalid(f"exp is more than {ASSERTION_SECONDS} seconds after iat")
        self._used = {used: until for used, until in self._used.items() if until > now}
        if not isinstance(jti, str) or not jti or jti in self._used:
            raise _invalid("jti is missing, or was used before")
        self._used[jti] = expires + LEEWAY_SECONDS

    def _check_scope(self, claims: Mapping[str, Any], client: _Client) -> None:
        scope = claims.get("scope")
        asked = frozenset(scope.split(" ")) if isinstance(scope, str) else frozenset()
        if not asked or not asked <= self._scopes:
            raise _RefusedError("invalid_scope", "Unknown scope")
        if not asked <= client.scopes:
            raise _RefusedError("invalid_scope", f"The client may not ask for {scope}")
        consumer = claims.get("consumer_org")
        if consumer is not None and not (isinstance(consumer, str) and len(consumer) == 9):
            raise _RefusedError("invalid_grant", "consumer_org is no organisation number")


class _LongHeaders(JWSRegistry):
    """Takes headers with a chain of certificates in them."""

    max_header_length = 16_384


_LONG = _LongHeaders()


def _invalid(why: str) -> _RefusedError:
    return _RefusedError("invalid_grant", f"Invalid assertion. {why}.")


def _leaf(chain: object) -> bytes:
    """The first certificate of an x5c: its base64 may hold line ends, and counts without them."""
    first = chain[0] if isinstance(chain, list) and chain else None
    if not isinstance(first, str):
        return b""
    try:
        return base64.b64decode("".join(first.split()), validate=True)
    except ValueError:
        return b""


def _issuer(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/maskinporten/"


def _certificate(key: RSAKey) -> x509.Certificate:
    """An enterprise certificate for tests, signed by itself."""
    assert key.private_key is not None  # noqa: S101  it was made here
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Syntetisk virksomhet")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key.private_key, SHA256())
    )
