"""No cookies: the register has no sessions, and knows us by a token.

Whoever kept them would send back whatever any answer has set, more with each: until the requests
are too large for every server.
"""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import Any


class NoCookies(CookieJar):
    """Takes none from answers, and so has none for requests."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Leave them where they are: what they say isn't even read."""
