"""personer/soek and personer/entydigsoek: searches, evaluated on the documents in force."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from freg_pipeline.synthetic.answers import fields
from freg_pipeline.synthetic.archive import Archive
from freg_pipeline.synthetic.criteria import Search, SearchError
from freg_pipeline.synthetic.index import Index, Mask
from freg_pipeline.synthetic.packages import PACKAGES, package_of
from freg_pipeline.synthetic.problems import ProblemError, feilkode
from freg_pipeline.synthetic.questions import form_of

MOST_HITS = 10_000

_COUNTRY_AND_NUMBER = re.compile(r"[A-Z]{3}-\S.*")
_BY_COUNTRY = {"utenlandskpersonidentifikasjon": _COUNTRY_AND_NUMBER}
_LIMITED = frozenset[str]().union(*(package.criteria for package in PACKAGES))


class Soek:
    """The services that find persons by what is known of them.

    Args:
        archive: the documents.
        answer: what answers with one document; given its place, or None.
        no_hits: what to answer when nobody fits: ``404``, or ``empty``, a list.
    """

    def __init__(
        self,
        archive: Archive,
        answer: Callable[[Request, int | None], Response],
        no_hits: str = "404",
    ) -> None:
        self._archive = archive
        self._answer = answer
        self._no_hits = no_hits
        self._index = Index(archive)

    def routes(self) -> list[Route]:
        """The services by path; a route's name is the service's."""
        return [
            Route("/personer/soek", self._soek, name="personer/soek"),
            Route("/personer/entydigsoek", self._entydig, name="personer/entydigsoek"),
        ]

    async def _soek(self, request: Request) -> Response:
        form_of(request)
        try:
            search = self._search(request, exactly=False)
            most = _most(search.text("maksTreff"))
            search.name(first_and_last=False)
            search.born()
            search.sex()
            search.address(with_opphold=search.flag("inkluderOppholdsadresse"))
            if not search.flag("inkluderDoede"):
                search.narrow(self._index.documents["doed"] == 0)
            search.narrow(self._index.documents["opphoert"] == 0)
        except SearchError as error:
            raise _wrong(error) from None
        hits = search.found.nonzero()[0]
        # What fits everybody fits too many in the register, however few live in this one.
        if search.is_open or len(hits) > MOST_HITS:
            text = f"Søket gir flere enn {MOST_HITS} treff: legg til kriterier som avgrenser det"
            return feilkode(400, "FREG-006", text)
        if not len(hits) and self._no_hits == "404":  # the page on return codes
            return feilkode(404, "FREG-404", "Ingen treff")
        numbers = [self._index.numbers[row] for row in hits[:most]]
        return fields(request, "PersonsoekResponse", {"foedselsEllerDNummer": numbers})

    async def _entydig(self, request: Request) -> Response:
        form_of(request)
        try:
            search = self._search(request, exactly=True)
            _check_rights(request, search)
            _check_combination(search)
            search.name(first_and_last=True)
            search.born()
            search.address(with_opphold=False)
            for found in self._identified(search):
                search.narrow(found)
        except SearchError as error:
            raise _wrong(error) from None
        places = self._index.places(search.found)
        return self._answer(request, places[0] if len(places) == 1 else None)

    def _search(self, request: Request, *, exactly: bool) -> Search:
        self._index.follow()
        return Search(request.query_params, self._index, exactly=exactly)

    def _identified(self, search: Search) -> Iterator[Mask]:
        """Whom the numbers among the criteria name; the person's own may be an earlier one."""
        if search.has("identifikasjonsnummer"):
            number = search.text("identifikasjonsnummer")
            if not (number.isascii() and number.isdigit() and len(number) == 11):
                raise SearchError("identifikasjonsnummer må ha 11 siffer")
            yield self._index.at(self._archive.by_number(number))
        for kind in _LIMITED:
            if search.has(kind):
                yield self._index.identified(kind, _of_form(kind, search.text(kind)))


def _of_form(kind: str, text: str) -> str:
    if kind in _BY_COUNTRY and not _BY_COUNTRY[kind].fullmatch(text):
        raise SearchError(f"{kind} må være land og nummer, som ARG-8761234")
    return text


def _most(text: str) -> int:
    if not text:
        return MOST_HITS
    if re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= MOST_HITS:
        return int(text)
    raise SearchError(f"maksTreff må være fra 1 til {MOST_HITS}")


def _check_rights(request: Request, search: Search) -> None:
    package = package_of(request)
    for kind in sorted(_LIMITED - package.criteria):
        if search.has(kind):
            raise SearchError(f"Rettighetspakken {package.name} kan ikke søke på {kind}")


def _check_combination(search: Search) -> None:
    """See that the criteria are such as may point one person out.

    The documentation wants a name and one thing more; the API description lets a birth date stand
    for the name where a foreign number or document is given.
    """
    street = search.has("adressenavn") and (search.has("husnummer") or search.has("postnummer"))
    more = street or any(
        map(search.has, ("identifikasjonsnummer", "foedselsdato", "postnummer", *_LIMITED))
    )
    foreign = any(map(search.has, ("utenlandskpersonidentifikasjon", "legitimasjonsdokument")))
    if not (search.has("navn") and more) and not (search.has("foedselsdato") and foreign):
        raise SearchError("Kriteriene kan ikke peke ut én person: oppgi navn og noe mer")


def _wrong(error: SearchError) -> ProblemError:
    return ProblemError(feilkode(400, "FREG-001", str(error)))
