"""Requests to the register: within the package, at the pace, through the gate, patiently."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import stamina

from freg_pipeline.client.answers import Answer
from freg_pipeline.client.gate import Gate
from freg_pipeline.client.meter import count_answer, count_retry
from freg_pipeline.client.pace import pace_of
from freg_pipeline.client.packages import Package
from freg_pipeline.client.patience import Outage, Patience
from freg_pipeline.client.retrying import told_by_us
from freg_pipeline.client.wire import LOOK_UPS, Check, Query, Read, Request, Wire
from freg_pipeline.errors import PassingError, ThrottledError

# Refused when ten of them are running, whatever else is asked: says nothing about the pace.
ORDERS = frozenset({"uttrekk/komplett", "uttrekk/tilpasset"})


class Transport:
    """Sends requests to one register. An async context manager.

    Args:
        base_url: everything before ``/v1``.
        auth: what makes a request ours.
        connections: connections open at once.
        requests_per_minute: upper limit for all requests together; None: no limit.
        package: what may be called; None: everything.
        ca_file: certificates to trust beside the system's.
        known: whether anything of this register is known from before, so that its silence is an
            outage and no wrong address; asked only where nothing answers.
        wait_hours: how long a register that is away is waited for.
        most_bytes: of one answer, unpacked; a larger one is refused.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth,
        connections: int,
        requests_per_minute: int | None,
        package: Package | None = None,
        ca_file: Path | None = None,
        known: Callable[[], bool] = lambda: False,
        wait_hours: float = 0.0,
        most_bytes: int = 256 * 1024**2,
    ) -> None:
        self.base_url = base_url
        self.package = package
        self._outage = Outage(wait_hours)
        self._pace = pace_of(base_url, requests_per_minute)
        self._gate = Gate(connections)
        self._wire = Wire(
            base_url,
            auth=auth,
            connections=connections,
            package=package,
            ca_file=ca_file,
            known=known,
            most_bytes=most_bytes,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    def impatient(self) -> Self:
        """The same, with the same connections, for those who don't wait for a register away."""
        twin = copy.copy(self)
        twin._outage = Outage()
        return twin

    def require(self, *services: str) -> None:
        """See that services are within the package. Raises RefusedError where one isn't."""
        if self.package is not None:
            for service in services:
                self.package.require(service)

    def may_call(self, service: str) -> bool:
        """Whether a service is within the package, or let through by a setting."""
        return self.package is None or self.package.has(service)

    def is_allowed(self, service: str) -> bool:
        """Whether a setting lets a service through whatever our table of rights says of it."""
        return self.package is None or service in self.package.allowed

    async def require_answering(self) -> None:
        """See that the register is at this address, where a 404 could also mean that it isn't.

        Asks for the last event's number, unless something was answered before.

        Raises:
            RefusedError, PassingError: it isn't, or doesn't let us in.
        """
        if not self._wire.met.answered:
            service = "hendelser/siste/sekvensnummer"
            await self.get(service, service)

    async def get(
        self,
        service: str,
        path: str,
        *,
        query: Query = (),
        accept: str = "application/json",
        etag: str | None = None,
        check: Check | None = None,
        patience: Patience | None = None,
    ) -> Answer:
        """GET ``/v1/<path>``.

        Args:
            service: its name, for errors and logs: never with an identifier in it.
            path: below ``/v1/``.
            query: parameters, in order; names may repeat.
            accept: the form wanted.
            etag: the version that is known already.
            check: called with the body; a ValueError means that it was damaged on its way, which is
                a passing fault.
            patience: what is tried again; by default within the usual bounds.

        Raises:
            RefusedError: the register said no (NotFoundError: 404, GoneError: 410), or the service
                is outside the package: then nothing was sent.
            PassingError: a fault outlasted the retries.
            UnreachableError: nothing ever answered at the address.
            NotModifiedError: the version that ``etag`` names is still the current one.
        """
        headers = {"Accept": accept, **({"If-None-Match": etag} if etag else {})}
        request = Request("GET", service, path, query, headers, None, check)
        return await self._persist(request, patience)

    async def post(
        self,
        service: str,
        path: str,
        content: bytes,
        *,
        query: Query = (),
        accept: str = "application/json",
        check: Check | None = None,
        read: Read | None = None,
        patience: Patience | None = None,
    ) -> Answer:
        """POST JSON to ``/v1/<path>``; arguments and errors as for :meth:`get`.

        Args:
            read: in place of ``check``, awaited with the body and when it was answered: for what
                takes long, and doesn't belong on the event loop.
        """
        # The register takes a body without a content type for XML.
        headers = {"Accept": accept, "Content-Type": "application/json"}
        request = Request("POST", service, path, query, headers, content, check, read)
        return await self._persist(request, patience)

    async def _persist(self, request: Request, patience: Patience | None) -> Answer:
        self.require(request.service)
        waits = (patience or Patience()).start(self._wire.is_known, self._outage)
        with told_by_us():
            async for attempt in stamina.retry_context(on=waits, attempts=None, timeout=None):
                with attempt:
                    if attempt.num > 1:
                        count_retry()
                    answer = await self._checked(request, await self._in_turn(request))
                    self._outage.ends()
                    return answer
        raise AssertionError  # stamina raises the last error itself

    async def _in_turn(self, request: Request) -> Answer:
        """One try, when the gate and the pace let it."""
        if request.service not in LOOK_UPS:
            return await self._send_at(await self._place(), request)
        async with self._gate.passage():
            sent = await self._place()
            try:
                answer = await self._send_at(sent, request)
            except PassingError as error:
                self._gate.tell(sent, error)
                raise
            self._gate.tell(sent, None)
            return answer

    async def _checked(self, request: Request, answer: Answer) -> Answer:
        """With what its check makes of it: that is no part of what the register takes."""
        checked = await _check(request, answer)
        self._wire.met.answered = True
        count_answer(answer.seconds, len(answer.body))
        return replace(answer, checked=checked)

    async def _place(self) -> float:
        """Wait for a place in the pace; returns when it has come."""
        return time.monotonic() if self._pace is None else await self._pace.wait()

    async def _send_at(self, sent: float, request: Request) -> Answer:
        try:
            return await self._wire.send(request)
        except ThrottledError as error:
            if self._pace is not None and request.service not in ORDERS:
                self._pace.refused(sent, time.monotonic(), error.retry_after)
            raise


async def _check(request: Request, answer: Answer) -> object:
    try:
        if request.read is not None:
            return await request.read(answer.body, answer.hentet)
        return None if request.check is None else request.check(answer.body)
    except ValueError as error:
        raise PassingError(
            f"{request.service}: {error} (correlation id {answer.correlation_id})",
            "Run the same command again later; if it persists, give the register's staff the id",
        ) from None
