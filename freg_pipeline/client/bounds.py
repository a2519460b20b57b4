"""How much of an answer is read, and for how long: no more than anything real takes.

A server that sends gigabytes, or a few bytes that unpack to them, costs neither memory nor hours.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from freg_pipeline.client.cookies import NoCookies
from freg_pipeline.client.network import way_to
from freg_pipeline.errors import RefusedError

# What is read of an answer under another status than 200: packed, and as it is. httpx unpacks it, a
# thousandfold at the most.
PACKED_ERROR_BYTES, ERROR_BYTES = 16 * 1024, 1024**2
# An answer with one thing, or a page of them: a contract has 400 kB, a page of events 1 MB. Whoever
# sets FREG_MAX_ANSWER_MB higher than usual moves this bound, too.
ONE_BYTES, ONE_PART = 32 * 1024**2, 8
TOKEN_BYTES = 1024**2
TOKEN_SECONDS = 40.0  # for a question about access, from beginning to end
TIMEOUT = httpx.Timeout(20.0, connect=4.0)
# gzip unpacks a byte to 1,032 at most. Several packings in one another, and others, have no such
# bound; what we accept is asked for by name.
ACCEPTED = "gzip, deflate"
_OF_THE_WAY = {b"content-encoding", b"content-length", b"transfer-encoding"}
# How zlib is told of each packing; servers write deflate with its frame, and without.
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}


class TooLargeError(RefusedError):
    """An answer is larger than any that is expected."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the answer is larger than {most // 1024**2} MB, and was not read to its end",
            "See that FREG_BASE_URL leads to the register; if it does answer so much, set "
            "FREG_MAX_ANSWER_MB higher",
        )


def most_of_one(most: int) -> int:
    """Bytes of an answer with one thing or a page, where an answer may have ``most``."""
    return min(most, max(ONE_BYTES, most // ONE_PART))


class _Beginning(httpx.AsyncByteStream):
    """The beginning of a body: enough for an error's words."""

    def __init__(self, body: httpx.AsyncByteStream, most: int) -> None:
        self._body = body
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left, parts = self._most, aiter(self._body)
        try:
            async for part in parts:
                yield part[:left]
                left -= len(part)
                if left <= 0:
                    return
        finally:
            await _closed(parts)

    async def aclose(self) -> None:
        await self._body.aclose()


async def _closed(parts: AsyncIterator[bytes]) -> None:
    """Close what isn't read to its end; else the loop does, perhaps when it has ended itself."""
    if isinstance(parts, AsyncGenerator):
        await parts.aclose()


async def bound(response: httpx.Response) -> None:
    """See that what httpx reads by itself has a bound; to be its hook for responses.

    Raises:
        httpx.DecodingError: the body is packed in a way that has none.
    """
    packing = _packing(response)
    if packing not in {"", "identity", *_WINDOWS}:
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
        httpx.DecodingError: it can't be unpacked, or was cut short.
    """
    if response.status_code != httpx.codes.OK:
        await response.aread()
        return response
    unpacking = _Unpacking(response)
    parts, size, coming = [], 0, response.aiter_raw()
    try:
        async for packed in coming:
            part = unpacking.next(packed, most - size)
            parts.append(part)
            size += len(part)
            if size > most:
                raise TooLargeError(most)
    finally:
        await _closed(coming)
    unpacking.end()
    # As bytes: whoever is on the way writes them in letters of their own.
    headers = [one for one in response.headers.raw if one[0].lower() not in _OF_THE_WAY]
    body = b"".join(parts)
    return httpx.Response(200, headers=headers, content=body, request=response.request)


class _Unpacking:
    """Unpacks a body part by part, and of each part no more than may still come.

    httpx unpacks whole parts: 256 kB of gzip become as many MB before anybody can look.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._request = response.request
        self._windows = _WINDOWS.get(_packing(response), ())
        self._unpacker = zlib.decompressobj(self._windows[0]) if self._windows else None
        self._is_begun = False

    def next(self, part: bytes, most: int) -> bytes:
        """What a part unpacks to; where that is more than ``most``, a byte more."""
        if self._unpacker is None:
            return part
        try:
            unpacked = self._unpacker.decompress(part, most + 1)
        except zlib.error:
            if self._is_begun or len(self._windows) == 1:
                raise self._damaged() from None
            self._windows = self._windows[1:]
            self._unpacker = zlib.decompressobj(self._windows[0])
            return self.next(part, most)
        self._is_begun = True
        return unpacked

    def end(self) -> None:
        """See that it has come to its end."""
        if self._unpacker is not None and self._is_begun and not self._unpacker.eof:
            raise self._damaged()

    def _damaged(self) -> httpx.DecodingError:
        return httpx.DecodingError("damaged, or cut short", request=self._request)


def _packing(response: httpx.Response) -> str:
    packing: str = response.headers.get("content-encoding", "").strip().lower()
    return packing


def ask_once(
    method: str, url: str, form: dict[str, str] | None = None, *, ca_file: Path | None
) -> httpx.Response:
    """One request on a connection of its own, for what access takes. Blocks.

    Not to be called where an event loop runs.

    Raises:
        httpx.RequestError: as httpx raises it; ReadTimeout also for an answer that trickles.
        RefusedError: the answer is larger than any about access.
    """

    async def ask() -> httpx.Response:
        way = way_to(url, ca_file)
        own: dict[str, Any] = {"event_hooks": HOOKS, "cookies": NoCookies(), **way}
        async with httpx.AsyncClient(timeout=TIMEOUT, **own) as http:
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
    except TooLargeError:
        raise RefusedError(
            f"what answers at {urlsplit(url).netloc} gives no tokens: the answer is larger than "
            f"{TOKEN_BYTES // 1024**2} MB, and was not read to its end",
            "Check FREG_MASKINPORTEN_ISSUER and FREG_MASKINPORTEN_TOKEN_ENDPOINT",
        ) from None
