"""The services about events: the event list, event documents, and the contracts of both."""

from __future__ import annotations

from random import Random

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from freg_pipeline.contract import compile_contract
from freg_pipeline.synthetic.answers import json_answer, xml_answer
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.event_documents import EventDocuments, hendelse_xsd, read_xsd
from freg_pipeline.synthetic.faults import Faults
from freg_pipeline.synthetic.feed import ATOM, Feed
from freg_pipeline.synthetic.forms import JSON, XML
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.packages import package_of
from freg_pipeline.synthetic.problems import feilkode, kode
from freg_pipeline.synthetic.questions import form_of, identifiers_of, require_xml, whole_number
from freg_pipeline.synthetic.xml import XmlWriter

_DOCUMENT_TOO_OLD = "Hendelsesdokumentet er eldre enn 36 måneder"
_TOO_OLD = "Sekvensnummer kan ikke være mere enn 36 måneder gammelt"


class Hendelser:
    """Answers the questions about one archive's events.

    Args:
        archive: the events, and the documents that they point to.
        faults: which answers take another form.
        options: what becomes of a question for documents of which some are too old.
    """

    def __init__(self, archive: Archive, faults: Faults, options: RegisterOptions) -> None:
        self._archive = archive
        self._faults = faults
        self._random = Random(options.seed)
        self._refuses_old = options.old_hendelser == "400"
        self._feed = Feed(archive)
        self._documents = EventDocuments(archive)
        self._xml = XmlWriter(compile_contract(hendelse_xsd()).contract)

    def routes(self) -> list[Route]:
        """The services, by the names that packages know them by."""
        one = "hendelser/{hendelsesidentifikator}"
        return [
            Route("/hendelser/feed", self._page, name="hendelser/feed"),
            Route("/hendelser/siste/sekvensnummer", self._sekvensnummer,
                  name="hendelser/siste/sekvensnummer"),
            Route("/hendelser/bulkoppslag", self._bulkoppslag, methods=["POST"],
                  name="hendelser/bulkoppslag"),
            Route("/hendelser/xsd", self._xsd, name="hendelser/xsd"),
            Route("/hendelser/feedxsd", self._feedxsd, name="hendelser/feedxsd"),
            Route(f"/{one}", self._hendelse, name=one),
        ]  # fmt: skip

    async def _page(self, request: Request) -> Response:
        form = form_of(request, ATOM)
        number = whole_number(request.query_params.get("seq", ""), "seq")
        if number < self._archive.oldest_sequence_number:
            return kode(406, "FREG-406", _TOO_OLD)
        package = package_of(request)
        page = self._feed.page(number)
        last = page.events[-1].sequence_number if page.events else 0
        more = page.following is not None
        tag = f'"{number}-{last}-{int(more)}-{package.scope}-{form.rpartition("/")[2]}"'
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag})
        if form == JSON:
            body = self._feed.json(page, package)
        elif form == XML and self._faults.answer("feedliste", "hendelser/feed"):
            body = self._feed.xml(page, package)
        else:  # for application/xml too
            url = str(request.url.replace(query=""))
            body = self._feed.atom(page, url, number, package)
        return Response(body, media_type=form, headers={"ETag": tag})

    async def _sekvensnummer(self, request: Request) -> Response:
        form = form_of(request, "text/plain")
        number = str(self._archive.last_sequence_number)
        if form == JSON and self._faults.answer(
            "sekvensnummerobjekt", "hendelser/siste/sekvensnummer"
        ):
            return json_answer(b'{"sekvensnummer":%s}' % number.encode())
        if form == XML:
            return xml_answer(f"<sekvensnummer>{number}</sekvensnummer>".encode())
        return json_answer(number.encode()) if form == JSON else PlainTextResponse(number)

    async def _hendelse(self, request: Request) -> Response:
        form = form_of(request)
        identifier = request.path_params["hendelsesidentifikator"]
        if self._documents.is_too_old(identifier):
            return feilkode(400, "FREG-400", _DOCUMENT_TOO_OLD)
        document = self._documents.by_id(identifier)
        if document is None:
            return feilkode(404, "FREG-404", "Ukjent dokumentid")
        return json_answer(document) if form == JSON else xml_answer(self._xml.document(document))

    async def _bulkoppslag(self, request: Request) -> Response:
        """Those that there are, in the order asked for, as a bare array.

        The published description types the answer as one document, which it can't be. What it
        answers where some are older than 36 months, nobody has published.
        """
        form = form_of(request)
        asked = await identifiers_of(request, "dokumentidentifikator")
        if self._refuses_old and any(map(self._documents.is_too_old, asked)):
            return feilkode(400, "FREG-400", _DOCUMENT_TOO_OLD)
        found = [self._documents.by_id(identifier) for identifier in asked]
        documents = [document for document in found if document is not None]
        if self._faults.answer("unordered", "hendelser/bulkoppslag"):
            self._random.shuffle(documents)
        if form == XML:
            return xml_answer(self._xml.bare(documents))
        body = b"[" + b",".join(documents) + b"]"
        if self._faults.answer("hendelseobjekt", "hendelser/bulkoppslag"):
            body = b'{"hendelser":' + body + b"}"
        return json_answer(body)

    async def _xsd(self, request: Request) -> Response:
        require_xml(request)
        return xml_answer(hendelse_xsd())

    async def _feedxsd(self, request: Request) -> Response:
        require_xml(request)
        return xml_answer(read_xsd("hendelsesliste"))
