"""A batch of an uttrekk: the identifiers of documents or persons that the register delivers.

Source: ``folkeregisteret-api.md``, uttrekk/{jobbid}/batch/{batchnr}.
"""

from __future__ import annotations

import msgspec

from freg_pipeline.envelope import IdentifierKind, is_null, reason_in
from freg_pipeline.errors import RefusedError
from freg_pipeline.identifiers import as_told
from freg_pipeline.readable import read_json

_NUMBER: IdentifierKind = "foedselsEllerDNummer"
_DOCUMENT: IdentifierKind = "dokumentidentifikator"


_Identifiers = list[str | int | None] | str | int | None  # one alone may stand for its list


class _Batch(msgspec.Struct):
    foedselsEllerDNummer: _Identifiers = None  # noqa: N815  the register's name
    dokumentidentifikator: _Identifiers = None


_batch = msgspec.json.Decoder(_Batch)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse_batch(body: bytes) -> tuple[IdentifierKind | None, list[str]]:
    """Return what an uttrekk's batch holds and its identifiers; None and nothing past the last one.

    The end is ``{}``. What else holds nobody is told from it by what follows
    (:meth:`UttrekkService.batch`). An answer that holds a reason (``feilmelding``, as the published
    description allows, or an error's body under status 200) is no end: whoever took it for one
    would lose the persons of the batches that follow.

    Raises:
        ValueError: the body is no batch, or holds two; says nothing of its content.
        RefusedError: it is the register's reason for there being no batch.
    """
    try:
        batch = read_json(_batch.decode, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        msg = "the answer is no batch of identifiers"
        raise ValueError(msg) from None
    documents = [str(one) for one in _listed(batch.dokumentidentifikator)]
    numbers = [as_told(one) for one in _listed(batch.foedselsEllerDNummer)]
    if documents and numbers:
        msg = "the answer holds identifiers of two kinds"
        raise ValueError(msg)
    if documents or numbers:
        return (_DOCUMENT, documents) if documents else (_NUMBER, numbers)
    reason = reason_in(read_json(_fields.decode, body))
    if reason is not None:
        raise RefusedError(
            f'uttrekk/batch: "{reason}"',
            "Run the same command again later: it resumes where it stopped",
        )
    return None, []


def is_doubtful(body: bytes) -> bool:
    """Whether an answer in which :func:`parse_batch` finds nobody isn't the end as published.

    It names a list, if an empty one, or holds what nobody has heard of.
    """
    return not all(map(is_null, read_json(_fields.decode, body).values()))


def _listed(identifiers: _Identifiers) -> list[str | int]:
    every = identifiers if isinstance(identifiers, list) else [identifiers]
    return [one for one in every if one is not None and one != ""]
