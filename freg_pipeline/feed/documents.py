"""The documents of a sync's events: fetched 1,000 at a time, kept as they came.

The service knows no ``part``: what one hasn't asked for is taken out before an answer is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from freg_pipeline.client import Register
from freg_pipeline.client.answers import Answer
from freg_pipeline.client.feed import FeedEntry
from freg_pipeline.client.hendelsesdokument import (
    Egenskapshendelse,
    Hendelsesdokument,
    hendelsesdokumenter,
    only,
)
from freg_pipeline.extract.crowd import for_each
from freg_pipeline.extract.parts import HISTORY, is_landed
from freg_pipeline.extract.poll import circumstances
from freg_pipeline.journal.raw import pack, read_raw
from freg_pipeline.journal.uttrekk import Request, Uttrekk, chunks


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
    sizes: list[int] = []

    async def work(chunk: int) -> None:
        answer = await register.hendelser.bulkoppslag(asked[chunk])
        data = await asyncio.to_thread(_packed, uttrekk.request, answer)
        await asyncio.to_thread(uttrekk.store.write, _key(uttrekk, chunk), data)
        sizes.append(len(answer.body))
        progress(len(asked[chunk]))

    await for_each((chunk for chunk in range(len(asked)) if chunk not in kept), work, concurrency)
    return sum(sizes)


def read_documents(
    uttrekk: Uttrekk, documents: list[str]
) -> Iterator[dict[str, Hendelsesdokument]]:
    """The documents that came, by the identifier asked for; one look-up at a time.

    An answer that tells no identifier is the one in its place, where the counts agree.
    """
    for chunk, asked in enumerate(chunks(documents)):
        body = read_raw(uttrekk.store, _key(uttrekk, chunk))[1]
        answers = hendelsesdokumenter(body)
        by_place = zip(asked, answers, strict=False) if len(asked) == len(answers) else ()
        found = {name: answer for name, answer in by_place if answer.dokumentidentifikator is None}
        told = ((answer.dokumentidentifikator, answer) for answer in answers)
        found |= {name: answer for name, answer in told if name is not None}
        yield {name: answer for name, answer in found.items() if answer.feilmelding is None}


def _packed(request: Request, answer: Answer) -> bytes:
    """The answer as it came; where some parts are configured, without what belongs to others."""
    meta, body = circumstances(answer), answer.body
    if request.parts_asked:
        body = only(body, partial(_is_landed, request))
        meta = msgspec.structs.replace(
            meta, size=len(body), content_type="application/json", composed=True
        )
    return pack(body, meta)


def _is_landed(request: Request, change: Egenskapshendelse) -> bool:
    return is_landed(change.entitet, request.parts_asked, request.parts) and (
        HISTORY in request.parts or not change.is_history
    )


_FOLDER = "hendelsesdokumenter"


def _key(uttrekk: Uttrekk, chunk: int) -> str:
    return uttrekk.key(_FOLDER, f"{chunk:05d}.{uttrekk.request.form}.zst")


def _number(key: str) -> int:
    return int(key.rsplit("/", 1)[-1][:5])
