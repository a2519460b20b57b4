"""Look-ups of persons and of archived documents, and the person document's contract."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freg_pipeline.contract import compile_contract
from freg_pipeline.synthetic.answers import json_answer, xml_answer
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.faults import Faults
from freg_pipeline.synthetic.forms import XML
from freg_pipeline.synthetic.gateway import came_by_fiks
from freg_pipeline.synthetic.lookups import LookUps
from freg_pipeline.synthetic.oddities import make_odd
from freg_pipeline.synthetic.options import RegisterOptions
from freg_pipeline.synthetic.packages import package_of
from freg_pipeline.synthetic.parts import Minimum, PartError, minimum, not_held
from freg_pipeline.synthetic.problems import ProblemError, feilkode, fiks
from freg_pipeline.synthetic.questions import form_of, identifiers_of, require_xml
from freg_pipeline.synthetic.xml import Entry, XmlWriter

_MISSING = "Fant ikke dokumentet"


class Personer:
    """The services that deliver person documents.

    Args:
        contract: the XSD to serve, and to write XML by.
        archive: the documents.
        faults: which of them are odd, or gone.
        options: which parts are refused, and the seed of the order of answers.
        lookups: is told who is looked up.
    """

    def __init__(
        self,
        contract: bytes,
        archive: Archive,
        faults: Faults,
        options: RegisterOptions,
        lookups: LookUps,
    ) -> None:
        self._contract = contract
        self._archive = archive
        self._faults = faults
        self._lookups = lookups
        self._random = Random(options.seed)
        self._refused = frozenset(options.refused_parts)
        self._fiks_refuses = options.fiks_refuses
        compiled = compile_contract(contract).contract
        self._known = frozenset(field.name for field in compiled.structure.fields)
        self._xml = XmlWriter(compiled)

    def routes(self) -> list[Route]:
        """The services by path; a route's name is the service's."""
        posts = {"personer/bulkoppslag": self._bulkoppslag,
                 "personer/bulkoppslag/arkiv": self._bulkoppslag_arkiv}  # fmt: skip
        gets = {
            "personer/xsd": self._xsd,
            "personer/arkiv/{dokumentidentifikator}": self._arkiv,
            "personer/{personidentifikator}": self._person,
        }
        return [
            *(Route(f"/{name}", handler, name=name, methods=["POST"])
              for name, handler in posts.items()),
            *(Route(f"/{name}", handler, name=name) for name, handler in gets.items()),
        ]  # fmt: skip

    async def _bulkoppslag(self, request: Request) -> Response:
        wanted = self._wanted(request)
        numbers = await identifiers_of(request, "foedselsEllerDNummer")
        self._lookups.note("personer/bulkoppslag", numbers)
        in_order = _som_bestilt(request)
        if not in_order:
            numbers = list(dict.fromkeys(numbers))
        found = [(number, self._archive.by_number(number)) for number in numbers]
        if not in_order:
            found = [(number, place) for number, place in found if place is not None]
        if not in_order or self._faults.answer("unordered", "personer/bulkoppslag"):
            self._random.shuffle(found)
        entries = [self._entry(*one, wanted) for one in found]
        return self._bulk(request, "foedselsEllerDNummer", entries)

    async def _bulkoppslag_arkiv(self, request: Request) -> Response:
        wanted = self._wanted(request)
        identifiers = await identifiers_of(request, "dokumentidentifikator")
        service = "personer/bulkoppslag/arkiv"
        self._lookups.note(service, identifiers)
        found = [(identifier, self._archive.by_id(identifier)) for identifier in identifiers]
        if self._faults.answer("arkivliste", service):
            given = [self._given(place, wanted) for _, place in found if place is not None]
            return self._bare(request, [document for document in given if document is not None])
        entries = [self._entry(*one, wanted) for one in found]
        if self._faults.answer("unordered", service):
            self._random.shuffle(entries)
        return self._bulk(request, "dokumentidentifikator", entries)

    async def _person(self, request: Request) -> Response:
        place = self._archive.by_number(request.path_params["personidentifikator"])
        return self.one(request, place)

    async def _arkiv(self, request: Request) -> Response:
        identifier = request.path_params["dokumentidentifikator"]
        self._lookups.note("personer/arkiv", [identifier])
        place = self._archive.by_id(identifier)
        if place is not None and self._is_gone(place):
            return feilkode(400, "FREG-400", "Dokumentet er slettet")
        return self.one(request, place)

    def one(self, request: Request, place: int | None) -> Response:
        """The answer with the document at a place; None: there is none."""
        wanted = self._wanted(request)
        document = None if place is None else self._given(place, wanted)
        if document is None:
            return feilkode(404, "FREG-404", "Fant ikke personen")
        if form_of(request) == XML:
            return xml_answer(self._xml.document(document))
        return json_answer(document)

    def _wanted(self, request: Request) -> Minimum:
        form_of(request)
        try:
            parts, package = request.query_params.getlist("part"), package_of(request)
            wanted = minimum(parts, self._known, package, self._refused)
            by_fiks = self._fiks_refuses and came_by_fiks(request)
            if by_fiks and not_held(parts, self._known, package):
                raise ProblemError(fiks(400, "Rollen har ikke tilgang til alle deler (part)"))
        except PartError as error:
            problem = feilkode(400, "FREG-003", str(error), parameter="part")
            raise ProblemError(problem) from None
        return wanted

    def _entry(self, asked: str, place: int | None, wanted: Minimum) -> Entry:
        document = None if place is None else self._given(place, wanted)
        return asked, document, None if document is not None else _MISSING

    def _bulk(self, request: Request, field: str, entries: Sequence[Entry]) -> Response:
        if form_of(request) == XML:
            return xml_answer(self._xml.bulk(field, entries))
        pieces = [piece for entry in entries for piece in _json_entry(field, *entry)]
        first, *others = pieces or [b""]
        return json_answer(b"".join((b'{"oppslag":[', first[1:], *others, b"]}")))

    def _bare(self, request: Request, documents: Sequence[bytes]) -> Response:
        """An archive's answer without wrapping, as the published description allows it."""
        if form_of(request) == XML:
            return xml_answer(self._xml.bare(documents))
        return json_answer(b"[" + b",".join(documents) + b"]")

    def _given(self, place: int, wanted: Minimum) -> bytes | None:
        """A document as this question gets it; None: it is gone."""
        if self._is_gone(place):
            return None
        document = self._archive.document(place)
        odd = self._odd(place)
        if not odd and self._archive.holds_only(place, wanted.whole):
            return document
        content: dict[str, Any] = msgspec.json.decode(document)
        content = wanted.of(content)
        make_odd(content, odd)
        return msgspec.json.encode(content)

    def _is_gone(self, place: int) -> bool:
        return self._archive.is_gone(place) or "gone" in self._odd(place)

    def _odd(self, place: int) -> set[str]:
        if not self._faults.any_documents:
            return set()
        return self._faults.odd(self._archive.identifier(place))

    async def _xsd(self, request: Request) -> Response:
        require_xml(request)
        return xml_answer(self._contract)


def _som_bestilt(request: Request) -> bool:
    text = request.query_params.get("somBestilt", "false").lower()
    if text not in {"true", "false"}:
        raise ProblemError(feilkode(400, "FREG-001", "somBestilt er ugyldig"))
    return text == "true"


def _json_entry(
    field: str, asked: str, document: bytes | None, reason: str | None
) -> tuple[bytes, ...]:
    """An entry in pieces, after a comma; a document is long, and put into the answer once."""
    head = b',{"%s":%s' % (field.encode(), msgspec.json.encode(asked))
    if document is None:
        return head, b',"feilmelding":%s}' % msgspec.json.encode({"feilmelding": reason})
    return head, b',"folkeregisterperson":', document, b"}"
