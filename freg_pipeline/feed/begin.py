"""Begin a sync: which one continues the release, and what it asks for.

A sync is an uttrekk of kind hendelser, named after the position that it continues, so that two
workers that do the same piece write the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedPage
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.extract.begin import as_taken
from freg_pipeline.extract.contracts import fetch_contract
from freg_pipeline.feed.own import has_own_events
from freg_pipeline.feed.pages import ask, has_pages
from freg_pipeline.feed.position import last_number, require_within
from freg_pipeline.journal.keptout import awaiting
from freg_pipeline.journal.kinds import AnyKind, Hendelser
from freg_pipeline.journal.manifest import Manifest
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.releases import require_current
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.reopen import reopen_sync
from freg_pipeline.settings import Settings
from freg_pipeline.store import Store


@dataclass(frozen=True)
class Begun:
    """A sync to take steps of.

    Attributes:
        uttrekk: of kind hendelser.
        current: the release that it continues.
        first: what that release was made of in the beginning.
        page: the first page of its events, where it was asked for just now.
    """

    uttrekk: Uttrekk
    current: Manifest
    first: AnyKind
    page: FeedPage | None


async def begin_sync(
    store: Store, register: Register, settings: Settings, *, ask_again: bool
) -> Begun | None:
    """The sync that continues the current release; None if nothing has happened since.

    Args:
        store: where everything lies.
        register: whom to ask.
        settings: which register it is.
        ask_again: one that was refused for look-ups that failed is given up, and begun anew.

    Raises:
        ConfigurationError: there is no release, or it was made with other settings.
        TooOldError: the event list no longer reaches back to the release's position.
        BegunAnewError: the list ends before the release's position.
        BeyondTheEndError: the list tells an event after the register's last one.
        RefusedError, PassingError: as for every request.
    """
    current = require_current(store)
    first = Uttrekk(store, current.base.uttrekk).question
    _require_same(current.number, first, settings)
    uttrekk = _following(store, current, settings)
    is_begun = uttrekk.exists
    if is_begun and ask_again and reopen_sync(uttrekk):
        uttrekk = _following(store, current, settings)
        is_begun = uttrekk.exists
    if is_begun and (has_pages(uttrekk) or has_own_events(uttrekk)):
        return Begun(uttrekk, current, first.kind, None)
    page = await ask(register, settings.answer_format, current.sekvensnummer)
    if page is None or not page.entries:
        await last_number(register, current)
        return None
    await require_within(register, page.entries[-1].sekvensnummer)  # before anything is kept
    await _record(uttrekk, register, settings, current)
    return Begun(uttrekk, current, first.kind, page)


async def _record(
    uttrekk: Uttrekk, register: Register, settings: Settings, current: Manifest
) -> None:
    contract = await fetch_contract(uttrekk.store, register, settings.contract_file)
    kind = Hendelser(current.sekvensnummer, current.base.uttrekk)
    question = Question.of(kind, settings, register.base_url)
    # What was refused before is told by the release, and isn't asked for again by every sync.
    request = await as_taken(
        register, question, contract, current.sekvensnummer, current.parts_refused
    )
    own = {"name": uttrekk.name, "lifts": awaiting(uttrekk.store)}
    Uttrekk.begin(uttrekk.store, msgspec.structs.replace(request, **own))


def _following(store: Store, current: Manifest, settings: Settings) -> Uttrekk:
    """The sync that continues a release: the one under way, or one of the first name that is free.

    The usual name can be taken by the sync of an earlier release that stood at the same position,
    before a full load replaced it, or by one that was given up because it was damaged. Where the
    event list has begun anew, its pages tell of others.
    """
    usual = f"hendelser-{current.sekvensnummer:012d}"
    number = 1
    while True:
        uttrekk = Uttrekk(store, usual if number == 1 else f"{usual}-{number}")
        if _can_be_begun(uttrekk) or (
            _can_go_on(uttrekk)
            and _is_after(uttrekk, current)
            and not uttrekk.question.differences(uttrekk.question.under(settings))
        ):
            return uttrekk
        number += 1


def _can_be_begun(uttrekk: Uttrekk) -> bool:
    return not uttrekk.exists and not uttrekk.store.list(uttrekk.key(""))


def _can_go_on(uttrekk: Uttrekk) -> bool:
    return uttrekk.exists and uttrekk.release is None and not uttrekk.is_abandoned


def _is_after(uttrekk: Uttrekk, current: Manifest) -> bool:
    """Whether a sync continues what the current release is made of."""
    return isinstance(uttrekk.kind, Hendelser) and uttrekk.kind.base == current.base.uttrekk


def _require_same(number: str, first: Question, settings: Settings) -> None:
    """See that what the sync asks for is what the release was made of."""
    differences = first.differences(first.under(settings))
    if differences:
        raise ConfigurationError(
            f"release {number} was made with different settings: {'; '.join(differences)}",
            "Set them back, or make a new full load: freg uttrekk komplett",
        )
