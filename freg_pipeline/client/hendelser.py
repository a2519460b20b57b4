"""The services about events: the list of what happened, the documents that say what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote as url_quote

import msgspec

from freg_pipeline.client.answers import Answer, NotModifiedError
from freg_pipeline.client.arguments import check_markup, within_limit
from freg_pipeline.client.feed import FEED_FORMS, FeedPage, parse_feed
from freg_pipeline.client.hendelsesdokument import hendelsesdokumenter
from freg_pipeline.client.sekvensnummer import parse_number
from freg_pipeline.client.transport import Transport
from freg_pipeline.errors import RefusedError, TooOldError

_NOT_ACCEPTABLE = 406


class HendelserService:
    """Source: the register's documentation, hendelser.

    Args:
        transport: sends the requests.
        answer_format: json or xml; events' documents come in that form.
    """

    def __init__(self, transport: Transport, answer_format: str = "json") -> None:
        self._transport = transport
        self._accept = f"application/{answer_format}"

    async def siste_sekvensnummer(self) -> int:
        """The number of the last event in the register's event list.

        A bare number, ``{"sekvensnummer": n}`` (announced, and withdrawn), plain text and XML are
        all understood.

        Raises:
            RefusedError, PassingError: as for every request.
        """
        answer = await self._transport.get(
            "hendelser/siste/sekvensnummer", "hendelser/siste/sekvensnummer", check=parse_number
        )
        number: int = answer.checked
        return number

    async def feed(
        self,
        seq: int,
        *,
        form: Literal["json", "atom", "xml"] = "json",
        etag: str | None = None,
    ) -> FeedPage | None:
        """The events from a sequence number on: a page of up to 1,000, the number itself included.

        Past the last event the page is empty. The next page begins after the page's last number.

        Args:
            seq: the first number wanted.
            form: in which form the register is to send it.
            etag: of the page as it was last time.

        Returns:
            The page; None: it is still the one that ``etag`` names (304).

        Raises:
            TooOldError: the number is older than 36 months: only a new full load leads on.
            RefusedError, PassingError: as for every request.
        """
        try:
            answer = await self._transport.get(
                "hendelser/feed",
                "hendelser/feed",
                query=[("seq", str(seq))],
                accept=FEED_FORMS[form],
                etag=etag,
                check=parse_feed,
            )
        except NotModifiedError:
            return None
        except RefusedError as error:
            if error.status == _NOT_ACCEPTABLE and await self._is_too_old(error, form):
                raise _too_old(error) from None
            raise
        return FeedPage(tuple(answer.checked), answer, answer.etag)

    async def _is_too_old(self, error: RefusedError, form: str) -> bool:
        """Whether a 406 speaks of the number, and not of the form.

        The register's text tells. Where it can't be read, the form is tried with a number that is
        surely young enough.
        """
        if "sekvensnummer" in error.said.lower():
            return True
        if error.said:
            return False
        newest = str(await self.siste_sekvensnummer())
        try:
            await self._transport.get(
                "hendelser/feed", "hendelser/feed", query=[("seq", newest)], accept=FEED_FORMS[form]
            )
        except RefusedError:
            return False
        return True

    async def hendelse(self, hendelsesidentifikator: str) -> Answer:
        """One event's document; "med hjemmel" only.

        Read the answer by :func:`freg_pipeline.client.hendelsesdokument.hendelsesdokumenter`.

        Raises:
            NotFoundError: there is no such document.
            RefusedError, PassingError: as for every request.
        """
        return await self._transport.get(
            "hendelser/{hendelsesidentifikator}",
            f"hendelser/{url_quote(hendelsesidentifikator, safe='')}",
            accept=self._accept,
            check=hendelsesdokumenter,
        )

    async def bulkoppslag(self, hendelsesidentifikatorer: Sequence[str]) -> Answer:
        """Up to 1,000 events' documents, in any order; as :meth:`hendelse`.

        The published description (1.5) types the answer as one document; an array and an object
        that holds a list are read as well.
        """
        asked = within_limit(hendelsesidentifikatorer)
        return await self._transport.post(
            "hendelser/bulkoppslag",
            "hendelser/bulkoppslag",
            msgspec.json.encode({"dokumentidentifikator": asked}),
            accept=self._accept,
            check=hendelsesdokumenter,
        )

    async def xsd(self) -> bytes:
        """The contract of the event document that is in force now."""
        return await self._contract("hendelser/xsd")

    async def feedxsd(self) -> bytes:
        """The contract of the event list that is in force now."""
        return await self._contract("hendelser/feedxsd")

    async def _contract(self, service: str) -> bytes:
        answer = await self._transport.get(
            service, service, accept="application/xml", check=check_markup
        )
        return answer.body


def _too_old(error: RefusedError) -> TooOldError:
    said = f': "{error.said}"' if error.said else ""
    return TooOldError(
        f"the event list no longer reaches back to where the release stands{said}",
        "Make a new full load: freg uttrekk komplett",
        status=error.status,
        code=error.code,
        said=error.said,
    )
