"""What the register itself says to each service of a package: our table of rights ages.

Only cheap questions, about nobody and nothing that there is; orders are never placed. Whatever is
answered, such as that there is no such document, shows that the service lets us in; 401, 403 and
pages of others show that it doesn't.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from freg_pipeline.client import EntydigKriterier, Register, SoekKriterier
from freg_pipeline.client.html import PageError
from freg_pipeline.errors import PassingError, RefusedError
from freg_pipeline.extract.probe import NOBODY

NOTHING = "0" * 32  # no document's identifier, no job's
_NAME, _BORN = "Ingen Xqzwv", "18540101"
_DENIED = {401, 403}

QUESTIONS: Mapping[str, Callable[[Register], Awaitable[object]]] = {
    "personer/{personidentifikator}": lambda at: at.personer.person(NOBODY),
    "personer/bulkoppslag": lambda at: at.personer.bulkoppslag([NOBODY], ()),
    "personer/soek": lambda at: at.personer.soek(SoekKriterier(navn=_NAME, foedselsdato=_BORN)),
    "personer/entydigsoek": lambda at: at.personer.entydigsoek(
        EntydigKriterier(navn=_NAME, foedselsdato=_BORN)
    ),
    "personer/bulkoppslag/arkiv": lambda at: at.personer.bulkoppslag_arkiv([NOTHING], ()),
    "personer/arkiv/{dokumentidentifikator}": lambda at: at.personer.arkiv(NOTHING),
    "uttrekk/batch": lambda at: at.uttrekk.batch(NOTHING, 0),
    "hendelser/feed": lambda at: at.hendelser.feed(1),
    "hendelser/{hendelsesidentifikator}": lambda at: at.hendelser.hendelse(NOTHING),
    "hendelser/bulkoppslag": lambda at: at.hendelser.bulkoppslag([NOTHING]),
}


async def services_said(register: Register, services: Iterable[str]) -> list[str]:
    """Ask each service that costs nothing; lines that tell which ones don't let us in."""
    asked = [service for service in sorted(services) if service in QUESTIONS]
    answers = [(service, await _said(register, service)) for service in asked]
    denied = [f"{service}: {said}" for service, said in answers if said is not None]
    return [f"{len(asked) - len(denied)} of {len(asked)} let us in; orders aren't tried", *denied]


async def _said(register: Register, service: str) -> str | None:
    """Why a service doesn't let us in; None: it does."""
    try:
        await QUESTIONS[service](register)
    except RefusedError as error:
        is_denied = isinstance(error, PageError) or error.status in _DENIED
        return error.what if is_denied else None
    except PassingError as error:
        return error.what
    return None
