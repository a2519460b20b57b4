"""The services that deliver person documents, their contract, and the searches.

The list of services also names ``online/oppslag``: a web page for people to sign in to, which no
program can call.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote as url_quote

import msgspec

from freg_pipeline.client.answers import Answer
from freg_pipeline.client.arguments import check_markup, parts_query, within_limit
from freg_pipeline.client.patience import Patience
from freg_pipeline.client.transport import Transport
from freg_pipeline.client.treff import Treff, no_hits, parse_treff
from freg_pipeline.client.wire import Read
from freg_pipeline.criteria.entydig import EntydigKriterier
from freg_pipeline.criteria.soek import SoekKriterier
from freg_pipeline.envelope import parse
from freg_pipeline.errors import NotFoundError


class PersonerService:
    """Source: the register's documentation, personer.

    Args:
        transport: sends the requests.
        answer_format: json or xml; documents come in that form.
        rettighetspakke: the package of rights that entydigsoek's criteria are held against.
    """

    def __init__(
        self,
        transport: Transport,
        answer_format: str = "json",
        rettighetspakke: str = "offentlig-med-hjemmel",
    ) -> None:
        self._transport = transport
        self._rettighetspakke = rettighetspakke
        self._accept = f"application/{answer_format}"

    async def bulkoppslag(
        self, numre: Sequence[str], parts: Sequence[str], read: Read | None = None
    ) -> Answer:
        """Look up to 1,000 persons up by number, in the order asked (``somBestilt``).

        Read the answer by :mod:`freg_pipeline.envelope`.

        Args:
            numre: identity numbers.
            parts: the ``part``s wanted; none means person-basis.
            read: reads the answer in place of the envelope's reader.

        Raises:
            RefusedError, PassingError: as for every request.
        """
        body = msgspec.json.encode({"foedselsEllerDNummer": within_limit(numre)})
        return await self._transport.post(
            "personer/bulkoppslag",
            "personer/bulkoppslag",
            body,
            query=[*parts_query(parts), ("somBestilt", "true")],
            accept=self._accept,
            check=parse,
            read=read,
        )

    async def bulkoppslag_arkiv(
        self,
        dokumentidentifikatorer: Sequence[str],
        parts: Sequence[str],
        read: Read | None = None,
    ) -> Answer:
        """Look up to 1,000 archived documents up. As :meth:`bulkoppslag`, in any order."""
        body = msgspec.json.encode({"dokumentidentifikator": within_limit(dokumentidentifikatorer)})
        return await self._transport.post(
            "personer/bulkoppslag/arkiv",
            "personer/bulkoppslag/arkiv",
            body,
            query=parts_query(parts),
            accept=self._accept,
            check=parse,
            read=read,
        )

    async def person(self, nummer: str, parts: Sequence[str] = ()) -> Answer:
        """One person's current document.

        Raises:
            NotFoundError: the register knows no such person.
        """
        return await self._transport.get(
            "personer/{personidentifikator}",
            f"personer/{url_quote(nummer, safe='')}",
            query=parts_query(parts),
            accept=self._accept,
            check=parse,
        )

    async def arkiv(self, dokumentidentifikator: str, parts: Sequence[str] = ()) -> Answer:
        """One archived document.

        Raises:
            NotFoundError: there is no such document.
            RefusedError: status 400: it has been history for more than 36 months, and is deleted.
        """
        return await self._transport.get(
            "personer/arkiv/{dokumentidentifikator}",
            f"personer/arkiv/{url_quote(dokumentidentifikator, safe='')}",
            query=parts_query(parts),
            accept=self._accept,
            check=parse,
        )

    async def soek(self, kriterier: SoekKriterier) -> Treff:
        """The numbers of everyone who matches all criteria; no hits are not an error.

        The register says "no hits" by an empty list (its API description) or by 404 (its page on
        return codes).

        Raises:
            RefusedError: among others, over 10,000 fit: the register asks for narrower criteria.
            PassingError: as for every request.
        """
        try:
            answer = await self._transport.get(
                "personer/soek",
                "personer/soek",
                query=kriterier.query(),
                accept=self._accept,
                check=parse_treff,
            )
        except NotFoundError:
            await self._transport.require_answering()
            return no_hits(self._accept)
        return Treff(tuple(answer.checked), answer)

    async def entydigsoek(self, kriterier: EntydigKriterier, parts: Sequence[str] = ()) -> Answer:
        """The document of the one person whom the criteria fit.

        Raises:
            NotFoundError: nobody, or more than one.
            RefusedError: among others, a criterion is outside the package: nothing was sent.
            PassingError: as for every request.
        """
        if not self._transport.is_allowed("personer/entydigsoek"):
            kriterier.require_package(self._rettighetspakke)
        try:
            return await self._transport.get(
                "personer/entydigsoek",
                "personer/entydigsoek",
                query=[*kriterier.query(), *parts_query(parts)],
                accept=self._accept,
                check=parse,
            )
        except NotFoundError as error:
            remedy = "Nobody or more than one person fits: correct the criteria, or add some"
            raise NotFoundError(
                error.what, remedy, status=error.status, code=error.code, said=error.said
            ) from None

    async def xsd(self, patience: Patience | None = None) -> bytes:
        """The contract of the person document that is in force now.

        Args:
            patience: how long it is tried for; None: as everything.
        """
        answer = await self._transport.get(
            "personer/xsd",
            "personer/xsd",
            accept="application/xml",
            check=check_markup,
            patience=patience,
        )
        return answer.body
