"""What tests and operators do to the register from outside, under ``/_synthetic``.

``POST /_synthetic/hendelser?antall=N&type=…`` lets things happen, ``…/stille?antall=N&type=…``
without any event, ``…/boelge?antall=N`` makes a wave, ``…/alder?sekvensnummer=N`` lets the history
before a number be gone, ``…/feil?faults=SPEC`` lets other things go wrong from now on than before.
Each answers the last event's sequence number. ``GET /_synthetic/oppslag`` tells what was looked up
since it was last asked, of a register that notes it.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from freg_pipeline.errors import ConfigurationError
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.faults import Faults, read_faults
from freg_pipeline.synthetic.living import KINDS, CannotHappenError, Living
from freg_pipeline.synthetic.lookups import LookUps
from freg_pipeline.synthetic.problems import ProblemError, kode

_MOST_EVENTS = 10_000_000
_LAST_NUMBER = 10**18


class Control:
    """Changes one register on demand."""

    def __init__(self, archive: Archive, living: Living, faults: Faults, lookups: LookUps) -> None:
        self._archive = archive
        self._living = living
        self._faults = faults
        self._lookups = lookups

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/_synthetic/hendelser", self._hendelser, methods=["POST"]),
            Route("/_synthetic/stille", self._stille, methods=["POST"]),
            Route("/_synthetic/boelge", self._boelge, methods=["POST"]),
            Route("/_synthetic/alder", self._alder, methods=["POST"]),
            Route("/_synthetic/feil", self._feil, methods=["POST"]),
            Route("/_synthetic/oppslag", self._oppslag),
        ]

    async def _hendelser(self, request: Request) -> Response:
        kind, events = _kind(request), _number(request, "antall", _MOST_EVENTS)
        return _made(lambda: self._living.happen(events, kind))

    async def _stille(self, request: Request) -> Response:
        kind, changes = _kind(request), _number(request, "antall", _MOST_EVENTS)
        return _made(lambda: self._living.silently(changes, kind))

    async def _boelge(self, request: Request) -> Response:
        events = _number(request, "antall", _MOST_EVENTS)
        return _made(lambda: self._living.wave(events))

    async def _alder(self, request: Request) -> Response:
        self._archive.oldest = _number(request, "sekvensnummer", _LAST_NUMBER)
        return _told(self._archive.last_sequence_number)

    async def _feil(self, request: Request) -> Response:
        try:
            self._faults.become(read_faults(request.query_params.get("faults", "")))
        except ConfigurationError as error:
            raise ProblemError(kode(400, "SYNTHETIC", str(error))) from None
        return _told(self._archive.last_sequence_number)

    async def _oppslag(self, request: Request) -> Response:
        del request
        return JSONResponse(self._lookups.taken())


class FollowingTheClock:
    """Lets happen what is due before a service is asked."""

    def __init__(self, app: ASGIApp, catch_up: Callable[[], None]) -> None:
        self._app = app
        self._catch_up = catch_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        self._catch_up()
        await self._app(scope, receive, send)


def _kind(request: Request) -> str | None:
    kind = request.query_params.get("type")
    if kind is not None and kind not in KINDS:
        text = f"type er ukjent; bruk en av {', '.join(sorted(KINDS))}"
        raise ProblemError(kode(400, "SYNTHETIC", text))
    return kind


def _number(request: Request, name: str, largest: int) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and int(text) <= largest):
        raise ProblemError(kode(400, "SYNTHETIC", f"{name} må være fra 0 til {largest}"))
    return int(text)


def _made(make: Callable[[], int]) -> Response:
    try:
        return _told(make())
    except CannotHappenError:
        return kode(409, "SYNTHETIC", "Det er ingen igjen som det kan skje med")


def _told(sequence_number: int) -> Response:
    return JSONResponse({"sekvensnummer": sequence_number})
