"""uttrekk/komplett, uttrekk/tilpasset and their batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freg_pipeline.synthetic.answers import fields
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.forms import JSON
from freg_pipeline.synthetic.jobs import JobGoneError, Jobs, TooManyJobsError
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.problems import kode
from freg_pipeline.synthetic.questions import body_of, form_of, whole_number
from freg_pipeline.synthetic.selection import CriteriaError, criteria


class Uttrekk:
    """The services that deliver identifiers in bulk."""

    def __init__(self, options: RegisterOptions, archive: Archive) -> None:
        self.jobs = Jobs(options)
        self._options = options
        self._archive = archive

    def routes(self) -> list[Route]:
        """The services by path; a route's name is the service's."""
        return [
            Route("/uttrekk/komplett", self._komplett, name="uttrekk/komplett"),
            Route("/uttrekk/tilpasset", self._tilpasset, name="uttrekk/tilpasset",
                  methods=["POST"]),
            Route("/uttrekk/{jobbid}/batch/{batchnr}", self._batch, name="uttrekk/batch"),
        ]  # fmt: skip

    async def _komplett(self, request: Request) -> Response:
        form_of(request)
        last = self._archive.last_sequence_number
        text = request.query_params.get("feedsekvensnr") or str(last)
        number = whole_number(text, "feedsekvensnr")
        places = self._archive.places_from(min(number, last))
        places += places[: round(len(places) * self._options.duplicates)]
        return self._order(request, "dokumentidentifikator", places, self._archive.identifier)

    async def _tilpasset(self, request: Request) -> Response:
        body = await body_of(request, (JSON,))  # of all POSTs the one that takes nothing else
        try:
            checks = criteria(body, strict=self._options.strict_criteria)
        except CriteriaError as error:
            return kode(400, "FREG-002", str(error))
        numbers: list[str] = []
        for of_one in self._archive.selected(checks):
            numbers += of_one  # now and then a person is delivered under an earlier one as well
        return self._order(request, "foedselsEllerDNummer", numbers)

    def _order(
        self, request: Request, field: str, what: Sequence[Any], told: Callable[[Any], str] = str
    ) -> Response:
        try:
            job = self.jobs.order(field, what, told)
        except TooManyJobsError as error:
            wait = {"Retry-After": str(max(1, round(error.seconds * 1000)))}  # milliseconds
            return kode(429, "FREG-429", "For mange uttrekksjobber kjører", wait)
        return fields(request, "UttrekkJobbResponse", {"jobbId": job})

    async def _batch(self, request: Request) -> Response:
        form_of(request)
        number = whole_number(request.path_params["batchnr"], "batchnr")
        try:
            batch = self.jobs.batch(request.path_params["jobbid"], number)
        except JobGoneError:
            return self._nothing(request, 410)
        return self._nothing(request, 404) if batch is None else _batch_of(request, batch)

    def _nothing(self, request: Request, status: int) -> Response:
        """404 and 410 have the body of a batch, as the API description says, with nothing in it."""
        answer = _batch_of(request, {})
        answer.status_code = status
        return answer


def _batch_of(request: Request, batch: dict[str, list[str]]) -> Response:
    return fields(request, "UttrekkDataResponse", batch)
