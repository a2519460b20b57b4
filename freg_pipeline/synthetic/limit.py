"""The limit on requests: so many in any 60 seconds from one address, the rest are told to wait.

How the register counts a minute isn't published. This is the strictest way that lets the limit
through: no 60 seconds whatsoever see more. ``Retry-After`` tells, in milliseconds, when there is
room.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from freg_pipeline.synthetic.problems import kode

MINUTE = 60.0


class Limit:
    """Wraps the services: counts what arrives, and refuses what is too much.

    Args:
        app: what is wrapped.
        per_minute: requests from one address; 0: any number.
        clock: seconds.

    Attributes:
        arrived: requests by minute, from the first one on.
        refused: of these.
    """

    def __init__(
        self, app: ASGIApp, per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._per_minute = per_minute
        self._clock = clock
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)
        self._first: float | None = None
        self.arrived: Counter[int] = Counter()
        self.refused: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        wait = 0.0
        if self._per_minute and scope["type"] == "http" and "/v1/" in scope["path"]:
            client = scope.get("client")
            wait = self._wait(client[0] if client else "")
        if not wait:
            await self._app(scope, receive, send)
            return
        after = {"Retry-After": str(int(wait * 1000) + 1)}
        await kode(429, "FREG-429", "For mange kall", after)(scope, receive, send)

    def by_minute(self) -> list[dict[str, int]]:
        """What has arrived, and how much of it was refused."""
        last = max(self.arrived, default=-1)
        return [
            {"arrived": self.arrived[minute], "refused": self.refused[minute]}
            for minute in range(last + 1)
        ]

    def _wait(self, address: str) -> float:
        """Count one more; seconds until there would be room for it, 0 if there is."""
        now = self._clock()
        if self._first is None:
            self._first = now
        minute = int((now - self._first) // MINUTE)
        self.arrived[minute] += 1
        taken = self._taken[address]
        while taken and taken[0] <= now - MINUTE:
            taken.popleft()
        if len(taken) < self._per_minute:
            taken.append(now)
            return 0.0
        self.refused[minute] += 1
        return taken[0] + MINUTE - now
