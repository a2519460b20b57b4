"""How much of an answer is read, and for how long: no more than anything real takes.

A server that sends gigabytes, or a few bytes that unpack to them, costs neither memory nor hours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from freg_pipeline.client.network import way_to
from freg_pipeline.errors import RefusedError

# What is read of an answer under another status than 200: packed, and as it is.
PACKED_ERROR_BYTES, ERROR_BYTES = 64 * 1024, 1024**2
TOKEN_BYTES = 1024**2
TOKEN_SECONDS = 40.0  # for a question about access, from beginning to end
TIMEOUT = httpx.Timeout(20.0, connect=4.0)
# gzip unpacks a byte to 1,032 at most. Several packings in one another, and others, have no such
# bound; what we accept is asked for by name.
ACCEPTED = "gzip, deflate"
_PACKINGS = {"", "identity", "gzip", "x-gzip", "deflate"}
_OF_THE_WAY = {"content-encoding", "content-length", "transfer-encoding"}


class TooLargeError(RefusedError):
    """An answer is larger than any that is expected."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the answer is larger than {most // 1024**2} MB, and was not read to its end",
            "See that FREG_BASE_URL leads to the register; if it does answer so much, set "
            "FREG_MAX_ANSWER_MB higher",
        )


class _Beginning(httpx.AsyncByteStream):
    """The beginning of a body: enough for an error's words."""

    def __init__(self, body: httpx.AsyncByteStream, most: int) -> None:
        self._body = body
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for part in self._body:
            yield part[:left]
            left -= len(part)
            if left <= 0:
                return

    async def aclose(self) -> None:
        await self._body.aclose()


async def bound(response: httpx.Response) -> None:
    """See that what httpx reads by itself has a bound; to be its hook for responses.

    Raises:
        httpx.DecodingError: the body is packed in a way that has none.
    """
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in _PACKINGS:
        msg = "packed in a way that wasn't asked for"
        raise httpx.DecodingError(msg, request=response.request)
    if response.status_code != httpx.codes.OK and isinstance(
        response.stream, httpx.AsyncByteStream
    ):
        most = PACKED_ERROR_BYTES if packing else ERROR_BYTES
        response.stream = _Beginning(response.stream, most)


HOOKS: dict[str, list[Any]] = {"response": [bound]}


async def whole(response: httpx.Response, most: int) -> httpx.Response:
    """An answer with its body, unpacked.

    Args:
        response: streamed, and bound by :func:`bound`.
        most: bytes that the body of an answer with status 200 may have.

    Raises:
        TooLargeError: it has more.
    """
    if response.status_code != httpx.codes.OK:
        await response.aread()
        return response
    parts, size = [], 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLargeError(most)
    headers = [one for one in response.headers.multi_items() if one[0] not in _OF_THE_WAY]
    body = b"".join(parts)
    return httpx.Response(200, headers=headers, content=body, request=response.request)


def ask_once(
    method: str, url: str, form: dict[str, str] | None = None, *, ca_file: Path | None
) -> httpx.Response:
    """One request on a connection of its own, for what access takes. Blocks.

    Not to be called where an event loop runs.

    Raises:
        httpx.RequestError: as httpx raises it; ReadTimeout also for an answer that trickles.
        TooLargeError: the answer is larger than a token can be.
    """

    async def ask() -> httpx.Response:
        way = way_to(url, ca_file)
        async with httpx.AsyncClient(timeout=TIMEOUT, event_hooks=HOOKS, **way) as http:
            headers = {"Accept-Encoding": ACCEPTED}
            async with http.stream(method, url, data=form, headers=headers) as response:
                return await whole(response, TOKEN_BYTES)

    async def in_time() -> httpx.Response:
        async with asyncio.timeout(TOKEN_SECONDS):
            return await ask()

    try:
        return asyncio.run(in_time())
    except TimeoutError:
        raise httpx.ReadTimeout("") from None
