"""Access: what every request carries so that the register knows whose it is."""

from __future__ import annotations

from collections.abc import Generator

import httpx
from pydantic import SecretStr


class ReadyToken(httpx.Auth):
    """A token that was given to us ready, or none.

    After a 401 the request is sent once more, as the register's documentation advises; with a ready
    token that is the same one.
    """

    def __init__(self, token: SecretStr | None) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header, and try a refused request once more."""
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            yield request
