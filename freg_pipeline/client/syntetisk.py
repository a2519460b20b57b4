"""The client that the synthetic register lends to everybody, so that a newcomer needs no key.

It is a real client with a real key, which that register made when it started and which is worth
nothing elsewhere: the grant is the same as in production.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
from pydantic import SecretStr

from freg_pipeline.client.answers import LATER
from freg_pipeline.client.bounds import ask_once
from freg_pipeline.client.maskinporten import Client, shared
from freg_pipeline.client.network import blocked_way
from freg_pipeline.client.oauth import require_encrypted
from freg_pipeline.errors import AwayError, FregError, UnreachableError
from freg_pipeline.readable import within_depth

CLIENT = "_synthetic/maskinporten/klient"


class _NothingLentError(FregError):
    """The register lends no client: it asks for no token, or is none of ours."""


class _Lent(msgspec.Struct):
    client_id: str
    kid: str
    private_key: str
    issuer: str
    token_endpoint: str


_lent = msgspec.json.Decoder(_Lent)


class LentClient:
    """Tokens for the synthetic register.

    Nothing is asked for until it refuses a request: one that wants no tokens never sees one.

    Args:
        base_url: of the register.
        scope: what is asked for.
        ca_file: certificates to trust beside the system's.
    """

    def __init__(self, base_url: str, scope: str, ca_file: Path | None = None) -> None:
        address = urlsplit(base_url)
        root = f"{address.scheme}://{address.netloc}"
        self._maskinporten = shared(root, lambda: self._borrow(root), scope, ca_file)
        self._ca_file = ca_file

    def held(self) -> SecretStr | None:
        """A token at hand."""
        return self._maskinporten.held()

    def get(self) -> SecretStr | None:
        """A token, if the register has asked for one before."""
        return self.renewed(None) if self._maskinporten.has_given else None

    def renewed(self, refused: SecretStr | None) -> SecretStr | None:
        """A token, if the register lends a client."""
        try:
            return self._maskinporten.renewed(refused)
        except _NothingLentError:
            return None

    def describe(self) -> str:
        """Whether the register asks for a token, and which it gave."""
        try:
            return f"{self._maskinporten.describe()}, by the synthetic register's own client"
        except _NothingLentError:
            return "the synthetic register asks for none"

    def _borrow(self, root: str) -> Client:
        """The client that the register lends now; another one after each start."""
        try:
            response = ask_once("GET", f"{root}/{CLIENT}", ca_file=self._ca_file)
        except httpx.HTTPError as error:
            raise self._lost(root, error) from None
        try:
            lent = within_depth(_lent.decode, response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _NothingLentError("the register lends no client") from None

        require_encrypted(lent.token_endpoint, root)

        from freg_pipeline.client.signing_key import signer_of  # costs others 0.1 s

        signer = signer_of(lent.private_key, lent.kid)
        return Client(lent.client_id, signer, lent.issuer, lent.token_endpoint)

    def _lost(self, root: str, error: httpx.HTTPError) -> FregError:
        blocked = blocked_way(error, root)
        if blocked is not None:
            return blocked
        what = f"nothing answers at {root} ({type(error).__name__})"
        if self._maskinporten.has_given:  # it was there a while ago
            return AwayError(what, LATER)
        return UnreachableError(
            what, "Start it: freg synthetic serve; or set FREG_ENVIRONMENT and FREG_BASE_URL"
        )
