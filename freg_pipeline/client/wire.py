"""One try over HTTP: what was asked goes out, and an answer comes back, or one kind of error."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpcore
import httpx

from freg_pipeline import __version__
from freg_pipeline.client.answers import LATER, Answer, failure
from freg_pipeline.client.bounds import ACCEPTED, HOOKS, most_of_one, whole
from freg_pipeline.client.cookies import NoCookies
from freg_pipeline.client.density import require_substance
from freg_pipeline.client.gate import SLOW_SECONDS
from freg_pipeline.client.html import is_page
from freg_pipeline.client.network import blocked_way, proxy_words, way_to
from freg_pipeline.client.packages import Package
from freg_pipeline.errors import (
    ConfigurationError,
    FregError,
    PassingError,
    SilentError,
    UnreachableError,
)

logger = logging.getLogger(__name__)
# As much as the event loop reads at once: a look-up has 5 MB, and each piece its price.
httpcore.AsyncHTTP11Connection.READ_NUM_BYTES = 256 * 1024
# Their messages name whole URLs, and with them identity numbers; ours name services.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

TIMEOUT = httpx.Timeout(90.0, connect=4.0, pool=None)  # look-ups are expected under 10 s
# A connection idle for longer isn't used again: one that the other side is about to close may lose
# an order's answer. Servers wait for 5 s (Apache, uvicorn) to 75 s (nginx).
IDLE_SECONDS = 5.0
TRY_SECONDS = 180.0  # for one try from beginning to end, however slowly it trickles
USUAL_BYTES = 8 * 1024**2  # of what is read along; what has more is looked at before
LOOK_UPS = frozenset(
    {"personer/bulkoppslag", "personer/bulkoppslag/arkiv", "hendelser/bulkoppslag"}
)
LARGE = LOOK_UPS | {"uttrekk/batch"}  # whose answers hold as much as is asked for

Query = Sequence[tuple[str, str]]
Check = Callable[[bytes], object]
Read = Callable[[bytes, datetime], Awaitable[object]]


@dataclass(frozen=True)
class Request:
    """What is asked of the register, but for what makes it ours.

    Attributes:
        method: GET or POST.
        service: its name, for errors and logs: never with an identifier in it.
        path: below ``/v1/``.
        query: parameters, in order.
        headers: beside those of every request.
        content: the body; None: there is none.
        check: what the answer's body is checked by.
        read: what the body is read by, in place of that.
    """

    method: str
    service: str
    path: str
    query: Query
    headers: Mapping[str, str]
    content: bytes | None
    check: Check | None
    read: Read | None = None


@dataclass
class Met:
    """What is known of the address: whether anything answered there, and whether the register did.

    The register: it had what was asked for.
    """

    reached: bool = False
    answered: bool = False


class Wire:
    """Sends requests to one address.

    Args:
        base_url: everything before ``/v1``.
        auth: what makes a request ours.
        connections: connections open at once.
        package: of rights, for what a refusal means; None: not known.
        ca_file: certificates to trust beside the system's.
        known: whether anything of this register is known from before; asked only where nothing
            answers.
        most_bytes: of one answer, unpacked; a larger one is refused, and so is one of a service
            that gives few things, where it is larger than any (``bounds.most_of_one``).

    Attributes:
        met: what is known of the address by now.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth,
        connections: int,
        package: Package | None,
        ca_file: Path | None,
        known: Callable[[], bool],
        most_bytes: int,
    ) -> None:
        self.met = Met()
        self._base_url = base_url
        self._package = package
        self._known = known
        self._most_bytes = most_bytes
        self._client = httpx.AsyncClient(
            auth=auth,
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=IDLE_SECONDS),
            headers={
                "User-Agent": f"freg_pipeline/{__version__}",
                "Accept-Encoding": ACCEPTED,
            },
            cookies=NoCookies(),
            event_hooks=HOOKS,
            follow_redirects=False,
            **way_to(base_url, ca_file),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, request: Request) -> Answer:
        """Send a request once.

        Raises:
            RefusedError, PassingError: the register's answer, or none that could be read.
            UnreachableError, SilentError: nothing answers; by what is known of the address, that is
                a wrong setting, or an outage.
            ConfigurationError: the address is none, or the way there is blocked.
        """
        correlation_id = str(uuid.uuid4())
        started = time.monotonic()
        try:
            async with asyncio.timeout(TRY_SECONDS):
                response = await self._receive(request, correlation_id)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise ConfigurationError(
                f"{self._base_url} is not a valid URL", "Correct FREG_BASE_URL"
            ) from None
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            raise self._lost(request.service, correlation_id, error) from None
        except UnreachableError as error:  # whoever gives the tokens
            raise self._away(error) from None
        self.met.reached = True
        seconds = time.monotonic() - started
        logger.log(
            logging.INFO if seconds > SLOW_SECONDS else logging.DEBUG,
            "%s: %d, %d bytes, %.3f s, correlation id %s",
            request.service, response.status_code, len(response.content), seconds, correlation_id,
        )  # fmt: skip
        content_type = response.headers.get("content-type", "")
        if response.status_code != httpx.codes.OK or is_page(response):
            raise failure(response, request.service, correlation_id, self._package)
        if request.read is None or len(response.content) > USUAL_BYTES:
            require_substance(response.content, request.service)
        now, etag = datetime.now(UTC), response.headers.get("etag")
        return Answer(response.content, now, content_type, correlation_id, etag, seconds=seconds)

    async def _receive(self, request: Request, correlation_id: str) -> httpx.Response:
        async with self._client.stream(
            request.method,
            f"{self._base_url}/v1/{request.path}",
            params=list(request.query),
            headers={**request.headers, "X-Correlation-ID": correlation_id},
            content=request.content,
        ) as response:
            is_large = request.service in LARGE
            most = self._most_bytes if is_large else most_of_one(self._most_bytes)
            return await whole(response, most)

    def _lost(self, service: str, correlation_id: str, error: Exception) -> FregError:
        blocked = blocked_way(error, self._base_url)
        if blocked is not None:
            return blocked
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
            unreachable = UnreachableError(
                f"nothing answers at {self._base_url}{proxy_words(self._base_url)} "
                f"({type(error).__name__})",
                "Check FREG_BASE_URL and FREG_ENVIRONMENT, and that your network allows it",
            )
            return self._away(unreachable)
        return PassingError(
            f"the connection failed during {service} ({type(error).__name__}, "
            f"correlation id {correlation_id})",
            LATER,
        )

    def _away(self, error: UnreachableError) -> FregError:
        """Nothing answers: a wrong setting, unless something did so before."""
        if error.is_set or not self.is_known():
            return error
        return SilentError(error.what, LATER)

    def is_known(self) -> bool:
        """Whether anything ever answered at the address, now or before."""
        if not self.met.reached:
            self.met.reached = self._known()
        return self.met.reached
