"""How long an answer asks us to wait: ``Retry-After``, in each meaning that it comes with.

The register means milliseconds by it, as its documentation says of 429. Gateways, proxies and
maintenance pages in front of it mean what HTTP does (RFC 9110): seconds, or a date.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime

import httpx

LONGEST_SECONDS = 3_600.0  # what asks for more is asked again after this
# Nobody who is out of order asks for a wait of less than this: so few are seconds. A 429 may well:
# "room for you in 37 ms".
FEWEST_MILLISECONDS = 100
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")  # str.isdigit also takes ²


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that an answer asks us to wait, at most LONGEST_SECONDS; None: it says nothing."""
    text = response.headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(text):
        number = float(text)  # however many digits: infinite at the most
        is_throttled = response.status_code == httpx.codes.TOO_MANY_REQUESTS
        in_seconds = number < FEWEST_MILLISECONDS and not is_throttled
        seconds = number if in_seconds else number / 1000
    else:
        until = moment(text)
        if until is None:
            return None
        # By the clock of whoever wrote both dates; by ours where there is only one.
        now = moment(response.headers.get("date", ""))
        seconds = until - (time.time() if now is None else now)
    return min(max(0.0, seconds), LONGEST_SECONDS)


def moment(text: str) -> float | None:
    """A date of HTTP in seconds since 1970; None: it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
