"""The services that deliver person documents, and their contract."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from freg_pipeline.client.answers import Answer
from freg_pipeline.client.arguments import check_markup, parts_query, within_limit
from freg_pipeline.client.transport import Transport
from freg_pipeline.envelope import parse


class PersonerService:
    """Source: the register's documentation, personer.

    Args:
        transport: sends the requests.
        answer_format: json or xml; documents come in that form.
    """

    def __init__(self, transport: Transport, answer_format: str = "json") -> None:
        self._transport = transport
        self._accept = f"application/{answer_format}"

    async def bulkoppslag(self, numre: Sequence[str], parts: Sequence[str]) -> Answer:
        """Look up to 1,000 persons up by number, in the order asked (``somBestilt``).

        Read the answer by :mod:`freg_pipeline.envelope`.

        Args:
            numre: identity numbers.
            parts: the ``part``s wanted; none means person-basis.

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
        )

    async def bulkoppslag_arkiv(
        self, dokumentidentifikatorer: Sequence[str], parts: Sequence[str]
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
        )

    async def person(self, nummer: str, parts: Sequence[str] = ()) -> Answer:
        """One person's current document.

        Raises:
            NotFoundError: the register knows no such person.
        """
        return await self._transport.get(
            "personer/{personidentifikator}",
            f"personer/{nummer}",
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
            f"personer/arkiv/{dokumentidentifikator}",
            query=parts_query(parts),
            accept=self._accept,
            check=parse,
        )

    async def xsd(self) -> bytes:
        """The contract of the person document that is in force now."""
        answer = await self._transport.get(
            "personer/xsd", "personer/xsd", accept="application/xml", check=check_markup
        )
        return answer.body
