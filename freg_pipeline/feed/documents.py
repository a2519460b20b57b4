"""The documents of a sync's events: fetched 1,000 at a time, kept as they came.

The service knows no ``part``: what one hasn't asked for is taken out before an answer is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from freg_pipeline.client import Register
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.client.hendelsesdokument import (
    Egenskapshendelse,
    Hendelsesdokument,
    compose,
    hendelsesdokumenter,
)
from freg_pipeline.errors import RefusedError
from freg_pipeline.extract.blank import event_documents_without
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.extract.look_up import is_about_documents, not_there
from freg_pipeline.extract.parts import HISTORY, is_landed
from freg_pipeline.extract.poll import circumstances
from freg_pipeline.journal.batches import chunks
from freg_pipeline.journal.keptout import NOBODY, kept_out
from freg_pipeline.journal.raw import RawMeta, pack, recall_raw
from freg_pipeline.journal.request import Request
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.reasons import means_gone

logger = logging.getLogger(__name__)

AT_ONCE = 4  # single look-ups under way, where many are refused together


def documents_of(events: Sequence[FeedEntry]) -> list[str]:
    """The documents that events point to, each once; none where the package doesn't tell them."""
    pointers = (event.hendelsesdokument for event in events)
    return list(dict.fromkeys(pointer for pointer in pointers if pointer is not None))


async def fetch_documents(
    register: Register,
    uttrekk: Uttrekk,
    documents: list[str],
    *,
    concurrency: int,
    progress: Callable[[int], None],
) -> int:
    """Fetch and keep the answers to all look-ups of event documents that lack one.

    Args:
        register: whom to ask.
        uttrekk: of kind hendelser.
        documents: as :func:`documents_of` gives them.
        concurrency: look-ups under way at once.
        progress: told how many more documents are answered.

    Returns:
        The bytes of the answers fetched now, before compression.

    Raises:
        RefusedError, PassingError: as for every request; what was fetched until then is kept.
    """
    asked = chunks(documents)
    kept = {_number(key) for key in uttrekk.store.list(uttrekk.key(_FOLDER, ""))}
    progress(sum(len(asked[chunk]) for chunk in kept))
    out = kept_out(uttrekk.store) if len(kept) < len(asked) else NOBODY
    sizes: list[int] = []

    async def work(chunk: int) -> None:
        meta, body = await _look_up(register, uttrekk.request, asked[chunk])
        left = await asyncio.to_thread(event_documents_without, body, out) if out else None
        if left is not None:
            meta, body = RawMeta(len(left), meta.hentet, _JSON, "", composed=True), left
        key = _key(uttrekk, chunk)
        data = await asyncio.to_thread(pack, key, body, meta)
        await asyncio.to_thread(uttrekk.store.write, key, data)
        sizes.append(len(body))
        progress(len(asked[chunk]))

    await for_each((chunk for chunk in range(len(asked)) if chunk not in kept), work, concurrency)
    return sum(sizes)


def read_documents(
    uttrekk: Uttrekk, documents: list[str]
) -> Iterator[dict[str, Hendelsesdokument]]:
    """What came, by the identifier asked for: documents, or the reason for there being none.

    One look-up at a time, and all of its identifiers.
    """
    for chunk, asked in enumerate(chunks(documents)):
        answers = hendelsesdokumenter(recall_raw(uttrekk.store, _key(uttrekk, chunk))[1])
        yield {
            name: answer or Hendelsesdokument(name, feilmelding="ikke besvart")
            for name, answer in _by_name(asked, answers).items()
        }


def _by_name(
    asked: list[str], answers: Sequence[Hendelsesdokument]
) -> dict[str, Hendelsesdokument | None]:
    """The answer to each; one that tells no identifier is the one in its place, if counts agree."""
    by_place = zip(asked, answers, strict=False) if len(asked) == len(answers) else ()
    found = {name: answer for name, answer in by_place if answer.dokumentidentifikator is None}
    told = ((answer.dokumentidentifikator, answer) for answer in answers)
    found |= {name: answer for name, answer in told if name is not None}
    return {name: found.get(name) for name in asked}


async def _look_up(register: Register, request: Request, asked: list[str]) -> tuple[RawMeta, bytes]:
    """Look up 1,000 at most; what stays open is asked for again, what is refused each by itself.

    A document that can't be had stops nothing: its person's own document tells what holds now.
    """
    keeps = partial(_is_landed, request) if request.question.parts else _everything
    try:
        answer = await register.hendelser.bulkoppslag(asked)
    except RefusedError as refused:
        if not is_about_documents(refused):
            raise
        logger.warning("%d event documents were refused together: asking for them one by one",
                       len(asked))  # fmt: skip
        body = compose(await _one_by_one(register, asked), keeps)
        return RawMeta(len(body), datetime.now(UTC), _JSON, "", composed=True), body
    found = _by_name(asked, answer.checked)
    if request.question.parts or any(map(_is_open, found.values())):
        await _ask_again(register, found)
        told = (replace(one, dokumentidentifikator=name) for name, one in found.items() if one)
        body = compose(told, keeps)
        meta = RawMeta(len(body), answer.hentet, _JSON, answer.correlation_id, composed=True)
        return meta, body
    return circumstances(answer), answer.body


async def _ask_again(register: Register, found: dict[str, Hendelsesdokument | None]) -> None:
    """Ask for what is open once more, and fill in what comes."""
    missing = [name for name, answer in found.items() if _is_open(answer)]
    if not missing:
        return
    logger.warning("%d event documents have no answer: asking again", len(missing))
    try:
        answer = await register.hendelser.bulkoppslag(missing)
        later = _by_name(missing, answer.checked)
    except RefusedError as refused:
        if not is_about_documents(refused):
            raise
        singles = await _one_by_one(register, missing)
        later = dict(zip(missing, singles, strict=True))
    found.update({name: one for name, one in later.items() if one is not None})


async def _one_by_one(register: Register, asked: list[str]) -> list[Hendelsesdokument]:
    found: dict[str, Hendelsesdokument] = {}

    async def work(name: str) -> None:
        try:
            answers = (await register.hendelser.hendelse(name)).checked
        except RefusedError as refused:
            if not is_about_documents(refused):
                raise
            answers = [Hendelsesdokument(None, feilmelding=not_there(refused))]
        if answers:
            found[name] = replace(answers[0], dokumentidentifikator=name)

    await for_each(iter(asked), work, AT_ONCE)
    nothing = "ikke besvart"
    return [found.get(name) or Hendelsesdokument(name, feilmelding=nothing) for name in asked]


def _is_open(answer: Hendelsesdokument | None) -> bool:
    """Whether it is neither a document nor the word that there is none."""
    if answer is None:
        return True
    return answer.feilmelding is not None and not means_gone(answer.feilmelding)


def _everything(change: Egenskapshendelse) -> bool:
    del change
    return True


def _is_landed(request: Request, change: Egenskapshendelse) -> bool:
    return is_landed(change.entitet, request.question.parts, request.parts) and (
        HISTORY in request.parts or not change.is_history
    )


_JSON = "application/json"
_FOLDER = "hendelsesdokumenter"


def _key(uttrekk: Uttrekk, chunk: int) -> str:
    return uttrekk.key(_FOLDER, f"{chunk:05d}.{uttrekk.question.form}.zst")


def _number(key: str) -> int:
    return int(key.rsplit("/", 1)[-1][:5])
