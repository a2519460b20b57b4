"""The services about events."""

from __future__ import annotations

import re

from freg_pipeline.client.transport import Transport

_NUMBER = re.compile(rb"(?<![\d.])\d{1,18}(?![\d.])")
_WITHOUT_PROLOGUE = re.compile(rb"<\?xml[^>]*\?>|xmlns(:\w+)?=\"[^\"]*\"")


class HendelserService:
    """Source: the register's documentation, hendelser."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def siste_sekvensnummer(self) -> int:
        """The number of the last event in the register's event list.

        A bare number, ``{"sekvensnummer": n}`` (announced, and withdrawn), plain text and XML are
        all understood.

        Raises:
            RefusedError, PassingError: as for every request.
        """
        answer = await self._transport.get(
            "hendelser/siste/sekvensnummer", "hendelser/siste/sekvensnummer", check=_number
        )
        return _number(answer.body)


def _number(body: bytes) -> int:
    found = _NUMBER.findall(_WITHOUT_PROLOGUE.sub(b"", body))
    if len(found) != 1:
        msg = "the answer holds no sequence number"
        raise ValueError(msg)
    return int(found[0])
