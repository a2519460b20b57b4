"""The register's services over HTTP.

Built from the register's published documentation: paths, forms of answers, statuses and their
error bodies. Under ``/_synthetic/status`` it tells what it was asked, for tests.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from random import Random
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from freg_pipeline.contract import compile_contract
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.faults import Faults, read_faults
from freg_pipeline.synthetic.jobs import JobGoneError, Jobs, TooManyJobsError
from freg_pipeline.synthetic.oddities import make_odd
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.parts import Minimum, PartError, minimum
from freg_pipeline.synthetic.problems import feilkode, gateway, kode
from freg_pipeline.synthetic.selection import CriteriaError, criteria
from freg_pipeline.synthetic.transport import FaultyTransport
from freg_pipeline.synthetic.xml import Entry, XmlWriter

PACKAGE_PATHS = {"offentlig-med-hjemmel": "offentlig-med-hjemmel/api"}
LIMIT = 1_000

_MISSING = "Fant ikke dokumentet"


def xsd() -> bytes:
    """The contract of the person document that this register serves."""
    return files("freg_pipeline.synthetic").joinpath("persondokument.xsd").read_bytes()


class SyntheticRegister:
    """A register: a population and the services over it.

    Attributes:
        archive: the documents.
        app: the services as an ASGI application.
    """

    def __init__(self, options: RegisterOptions) -> None:
        self.options = options
        self.archive = Archive(options)
        self._contract = options.contract or xsd()
        contract = compile_contract(self._contract).contract
        self._known = frozenset(field.name for field in contract.structure.fields)
        self._xml = XmlWriter(contract)
        self._faults = Faults(read_faults(options.faults), options.seed)
        self._jobs = Jobs(options)
        self._random = Random(options.seed)
        self._requests: Counter[str] = Counter()
        self._orders = {"uttrekk/komplett": 0, "uttrekk/tilpasset": 0}
        self.app = self._application()

    def _application(self) -> FaultyTransport:
        services = [
            Route("/uttrekk/komplett", self._komplett),
            Route("/uttrekk/tilpasset", self._tilpasset, methods=["POST"]),
            Route("/uttrekk/{jobbid}/batch/{batchnr}", self._batch),
            Route("/personer/bulkoppslag", self._bulkoppslag, methods=["POST"]),
            Route("/personer/bulkoppslag/arkiv", self._bulkoppslag_arkiv, methods=["POST"]),
            Route("/personer/xsd", self._xsd),
            Route("/personer/arkiv/{dokumentidentifikator}", self._arkiv),
            Route("/personer/{personidentifikator}", self._person),
            Route("/hendelser/siste/sekvensnummer", self._sekvensnummer),
        ]
        routes = [Mount(f"/folkeregisteret/{path}/v1", routes=services)
                  for path in PACKAGE_PATHS.values()]  # fmt: skip
        app = Starlette(routes=[*routes, Route("/_synthetic/status", self._status)])
        return FaultyTransport(app, self._faults, self._requests, self.options.latency_ms)

    def close(self) -> None:
        """Give back what the documents take."""
        self.archive.close()

    # -- uttrekk ---------------------------------------------------------------------------

    async def _komplett(self, request: Request) -> Response:
        text = request.query_params.get("feedsekvensnr", "")
        if not text.isdigit():
            return kode(400, "FREG-001", "feedsekvensnr mangler eller er ugyldig")
        identifiers = self.archive.valid_from(int(text))
        doubled = round(len(identifiers) * self.options.duplicates)
        identifiers += identifiers[:doubled]
        return self._order("dokumentidentifikator", identifiers)

    async def _tilpasset(self, request: Request) -> Response:
        body = await _json(request)
        if isinstance(body, Response):
            return body
        try:
            matches = criteria(body)
        except CriteriaError as error:
            return kode(400, "FREG-002", str(error))
        numbers: list[str] = []
        for person in self.archive.selectable:
            if person is not None and matches(person):
                # Now and then a person is delivered under an earlier number as well.
                numbers += person.numbers
        return self._order("foedselsEllerDNummer", numbers)

    def _order(self, field: str, identifiers: list[str]) -> Response:
        try:
            return JSONResponse({"jobbId": self._jobs.order(field, identifiers)})
        except TooManyJobsError as error:
            wait = {"Retry-After": str(max(1, round(error.seconds * 1000)))}  # milliseconds
            return kode(429, "FREG-429", "For mange uttrekksjobber kjører", wait)

    async def _batch(self, request: Request) -> Response:
        number = request.path_params["batchnr"]
        if not number.isdigit():
            return gateway(400, "BAD_REQUEST", "batchnr er ikke et tall")
        try:
            batch = self._jobs.batch(request.path_params["jobbid"], int(number))
        except JobGoneError:
            return kode(410, "FREG-410", "Jobben finnes ikke lenger")
        if batch is None:
            return kode(404, "FREG-404", "Batchen er ikke klar")
        return JSONResponse(batch)

    # -- personer --------------------------------------------------------------------------

    async def _bulkoppslag(self, request: Request) -> Response:
        asked = await self._asked(request, "foedselsEllerDNummer")
        if isinstance(asked, Response):
            return asked
        numbers, wanted = asked
        in_order = request.query_params.get("somBestilt", "false").lower() == "true"
        found = [(number, self.archive.by_number(number)) for number in numbers]
        if not in_order:
            found = [(number, place) for number, place in found if place is not None]
            self._random.shuffle(found)
        entries = [self._entry(*one, wanted) for one in found]
        return self._bulk(request, "foedselsEllerDNummer", entries)

    async def _bulkoppslag_arkiv(self, request: Request) -> Response:
        asked = await self._asked(request, "dokumentidentifikator")
        if isinstance(asked, Response):
            return asked
        identifiers, wanted = asked
        service = "personer/bulkoppslag/arkiv"
        found = [(identifier, self.archive.by_id(identifier)) for identifier in identifiers]
        if self._faults.answer("arkivliste", service):
            given = [self._given(place, wanted) for _, place in found if place is not None]
            return self._bare(request, [document for document in given if document is not None])
        entries = [self._entry(*one, wanted) for one in found]
        if self._faults.answer("unordered", service):
            self._random.shuffle(entries)
        return self._bulk(request, "dokumentidentifikator", entries)

    async def _person(self, request: Request) -> Response:
        return self._one(
            request, self.archive.by_number(request.path_params["personidentifikator"])
        )

    async def _arkiv(self, request: Request) -> Response:
        identifier = request.path_params["dokumentidentifikator"]
        place = self.archive.by_id(identifier)
        if place is not None and "gone" in self._faults.odd(identifier):
            return feilkode(400, "FREG-400", "Dokumentet er slettet")
        return self._one(request, place)

    def _one(self, request: Request, place: int | None) -> Response:
        problem = _not_acceptable(request)
        if problem is not None:
            return problem
        try:
            wanted = minimum(request.query_params.getlist("part"), self._known)
        except PartError as error:
            return feilkode(400, "FREG-003", str(error))
        document = None if place is None else self._given(place, wanted)
        if document is None:
            return feilkode(404, "FREG-404", "Fant ikke personen")
        return _xml(self._xml.document(document)) if _wants_xml(request) else _json_bytes(document)

    async def _asked(self, request: Request, field: str) -> tuple[list[str], Minimum] | Response:
        body = await _json(request)
        if isinstance(body, Response):
            return body
        identifiers = body.get(field) if isinstance(body, dict) else None
        if not isinstance(identifiers, list) or not all(isinstance(i, str) for i in identifiers):
            return feilkode(400, "FREG-001", f"{field} mangler")
        if len(identifiers) > LIMIT:
            return feilkode(400, "FREG-004", f"Høyst {LIMIT} i ett oppslag")
        try:
            wanted = minimum(request.query_params.getlist("part"), self._known)
        except PartError as error:
            return feilkode(400, "FREG-003", str(error))
        await asyncio.sleep(0)
        return identifiers, wanted

    def _entry(self, asked: str, place: int | None, wanted: Minimum) -> Entry:
        document = None if place is None else self._given(place, wanted)
        return asked, document, None if document is not None else _MISSING

    def _bulk(self, request: Request, field: str, entries: Sequence[Entry]) -> Response:
        if _wants_xml(request):
            return _xml(self._xml.bulk(field, entries))
        texts = [_json_entry(field, *entry) for entry in entries]
        return _json_bytes(b'{"oppslag":[' + b",".join(texts) + b"]}")

    def _bare(self, request: Request, documents: Sequence[bytes]) -> Response:
        """An archive's answer without wrapping, as the published description allows it."""
        if _wants_xml(request):
            return _xml(self._xml.bare(documents))
        return _json_bytes(b"[" + b",".join(documents) + b"]")

    def _given(self, place: int, wanted: Minimum) -> bytes | None:
        """A document as this question gets it; None: it is gone."""
        document = self.archive.document(place)
        odd = self._faults.odd(self.archive.ids[place]) if self._faults.any_documents else set()
        if "gone" in odd:
            return None
        if wanted.is_everything and not odd:
            return document
        content: dict[str, Any] = msgspec.json.decode(document)
        content = wanted.of(content)
        make_odd(content, odd)
        return msgspec.json.encode(content)

    async def _xsd(self, request: Request) -> Response:
        del request
        return Response(self._contract, media_type="application/xml")

    # -- hendelser -------------------------------------------------------------------------

    async def _sekvensnummer(self, request: Request) -> Response:
        number = str(self.archive.last_sequence_number)
        accept = request.headers.get("accept", "")
        if "xml" in accept:
            text = f"<sekvensnummer>{number}</sekvensnummer>"
            return Response(text, media_type="application/xml")
        if "text/plain" in accept:
            return PlainTextResponse(number)
        return _json_bytes(number.encode())

    # -- for tests -------------------------------------------------------------------------

    async def _status(self, request: Request) -> Response:
        del request
        return JSONResponse(
            {
                "requests": dict(self._requests),
                "jobs": {"ordered": self._jobs.ordered, "running": self._jobs.running},
                "faults": dict(self._faults.injected),
                "oddities": self._faults.odd_documents,
                "registrations": len(self.archive.people),
                "merged": sum(p.merged_into is not None for p in self.archive.people),
                "documents": len(self.archive.ids),
                "sekvensnummer": self.archive.last_sequence_number,
            }
        )


async def _json(request: Request) -> Any:
    """The body of a POST; a response where it can't be taken.

    The register takes a body without a content type for XML.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    problem = _not_acceptable(request)
    if problem is not None:
        return problem
    if kind in {"", "application/xml", "text/xml"}:
        return kode(400, "FREG-005", "Innholdet er ikke gyldig XML")
    if kind != "application/json":
        return gateway(415, "UNSUPPORTED_MEDIA_TYPE", "Bruk application/json eller application/xml")
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return kode(400, "FREG-005", "Innholdet er ikke gyldig JSON")


def _not_acceptable(request: Request) -> Response | None:
    accepted = request.headers.get("accept", "*/*")
    if _wants_xml(request) or any(kind in accepted for kind in ("*/*", "application/*", "json")):
        return None
    return gateway(406, "NOT_ACCEPTABLE", "Bruk application/json eller application/xml")


def _wants_xml(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/xml" in accepted and "json" not in accepted


def _json_entry(field: str, asked: str, document: bytes | None, reason: str | None) -> bytes:
    head = b'{"%s":%s' % (field.encode(), msgspec.json.encode(asked))
    if document is None:
        return head + b',"feilmelding":%s}' % msgspec.json.encode({"feilmelding": reason})
    return head + b',"folkeregisterperson":' + document + b"}"


def _xml(body: bytes) -> Response:
    return Response(body, media_type="application/xml")


def _json_bytes(body: bytes) -> Response:
    return Response(body, media_type="application/json")
