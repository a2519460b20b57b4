"""An event list made by hand, served over HTTP, and a sync that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.journal.kinds import Hendelser
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.settings import load
from freg_pipeline.store import Store
from freg_pipeline.store.local import LocalStore
from freg_pipeline_tests.registers import serving

ETTER = 100


def event(number: int, person: str | None = None, **others: Any) -> dict[str, Any]:
    """An event as the register's list tells it; fields that are None are left out."""
    told = {"folkeregisteridentifikator": person, "hendelsetype": "endringINavn", **others}
    return {
        "sekvensnummer": number,
        "hendelse": {name: value for name, value in told.items() if value is not None},
    }


def entry(number: int, person: str | None = None, **others: Any) -> FeedEntry:
    return FeedEntry(number, person, **{"hendelsetype": "endringINavn", **others})


class EventList:
    """Serves events in pages of a size of its own, and counts what it was asked for."""

    def __init__(self, events: Sequence[dict[str, Any]], page: int = 1_000) -> None:
        self.events = list(events)
        self.page = page
        self.ignores_seq = False
        self.lasts: list[int] = []  # told as the last number, one after the other; or the events'
        self.asked: list[int] = []
        self.after_page: Callable[[int], None] = lambda seq: None
        self.documents: dict[str, Any] = {}
        self.refused: set[str] = set()  # documents for whose sake a whole look-up is refused
        self.looked_up: list[list[str]] = []

    @contextmanager
    def served(self) -> Iterator[str]:
        routes = [
            Route("/v1/hendelser/feed", self._feed),
            Route("/v1/hendelser/siste/sekvensnummer", self._last),
            Route("/v1/hendelser/bulkoppslag", self._documents, methods=["POST"]),
            Route("/v1/hendelser/{document}", self._document),
        ]
        with serving(Starlette(routes=routes)) as url:
            yield url

    async def _feed(self, request: HttpRequest) -> Response:
        seq = int(request.query_params["seq"])
        self.asked.append(seq)
        found = [one for one in self.events if self.ignores_seq or one["sekvensnummer"] >= seq]
        self.after_page(seq)
        return JSONResponse(found[: self.page])

    async def _last(self, request: HttpRequest) -> Response:
        if self.lasts:
            return JSONResponse(self.lasts.pop(0) if len(self.lasts) > 1 else self.lasts[0])
        return JSONResponse(max((one["sekvensnummer"] for one in self.events), default=0))

    async def _documents(self, request: HttpRequest) -> Response:
        asked = (await request.json())["dokumentidentifikator"]
        self.looked_up.append(asked)
        if self.refused & set(asked):
            return JSONResponse(_TOO_OLD, 400)
        return JSONResponse([self.documents[one] for one in asked if one in self.documents])

    async def _document(self, request: HttpRequest) -> Response:
        name = request.path_params["document"]
        self.looked_up.append([name])
        if name not in self.documents:
            return JSONResponse(_TOO_OLD, 400)
        return JSONResponse(self.documents[name])


_TOO_OLD = {"kode": "FREG-400", "melding": "Dokument eldre enn 36 måneder"}


def register(url: str) -> Register:
    return Register.from_settings(load(base_url=url))


def store_in(folder: Path) -> LocalStore:
    folder.mkdir(exist_ok=True)
    return LocalStore(folder / "store")


def begun(store: Store, etter: int = ETTER, contract: str = "none") -> Uttrekk:
    """A sync that has been recorded, and nothing more."""
    uttrekk = Uttrekk(store, f"hendelser-{etter:012d}")
    request = Request(
        name=uttrekk.name,
        question=Question(
            kind=Hendelser(etter, "one"),
            environment="syntetisk",
            base_url="http://127.0.0.1",
            rettighetspakke="offentlig-med-hjemmel",
            parts=(),
        ),
        parts=("person-basis",),
        contract=contract,
        sekvensnummer=etter,
        created=datetime(2026, 6, 1, tzinfo=UTC),
    )
    Uttrekk.begin(store, request)
    return uttrekk
