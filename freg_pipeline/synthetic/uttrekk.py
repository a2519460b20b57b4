"""uttrekk/komplett, uttrekk/tilpasset and their batches."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freg_pipeline.synthetic.answers import fields
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.jobs import JobGoneError, Jobs, TooManyJobsError
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.problems import ProblemError, kode
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
        identifiers = self._archive.valid_from(min(number, last))
        doubled = round(len(identifiers) * self._options.duplicates)
        identifiers += identifiers[:doubled]
        return self._order(request, "dokumentidentifikator", identifiers)

    async def _tilpasset(self, request: Request) -> Response:
        body = await body_of(request)
        try:
            matches = criteria(body)
        except CriteriaError as error:
            return kode(400, "FREG-002", str(error))
        numbers: list[str] = []
        for person in self._archive.selectable:
            if person is not None and matches(person):
                # Now and then a person is delivered under an earlier number as well.
                numbers += person.numbers
        return self._order(request, "foedselsEllerDNummer", numbers)

    def _order(self, request: Request, field: str, identifiers: list[str]) -> Response:
        try:
            job = self.jobs.order(field, identifiers)
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
            raise ProblemError(kode(410, "FREG-410", "Jobben finnes ikke lenger")) from None
        if batch is None:
            return kode(404, "FREG-404", "Batchen er ikke klar")
        return fields(request, "UttrekkDataResponse", batch)
