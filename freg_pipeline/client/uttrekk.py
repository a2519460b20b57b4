"""The services that deliver identifiers in bulk: uttrekk/komplett, uttrekk/tilpasset, batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote as url_quote

import msgspec

from freg_pipeline.client.answers import Answer
from freg_pipeline.client.patience import Patience
from freg_pipeline.client.transport import Transport
from freg_pipeline.criteria.tilpasset import TilpassetKriterier
from freg_pipeline.envelope_batch import is_doubtful, parse_batch
from freg_pipeline.errors import GoneError, NotFoundError, RefusedError
from freg_pipeline.outside import showable
from freg_pipeline.readable import read_json

ONCE = Patience(faults=1, throttled_seconds=0, waits=False)  # for what is no idempotent call


_LONGEST_ID = 200  # of a job; those seen have 36 characters
_LOOKED_AHEAD = 3  # batches after one that holds nobody: as many, and it is the end


class BatchState(StrEnum):
    """What the register says of a batch."""

    READY = "ready"
    NOT_READY = "not ready"  # 404: wait, and ask again
    END = "end"  # past the last batch


@dataclass(frozen=True)
class BatchAnswer:
    """The answer to a question for a batch.

    Attributes:
        state: ready, not ready, or past the last one.
        count: identifiers in it.
        raw: the answer as it came; None while it is not ready.
    """

    state: BatchState
    count: int
    raw: Answer | None


class _Job(msgspec.Struct):
    jobbId: str | int | None = None  # noqa: N815  the register's name
    feilmelding: str | dict[str, Any] | None = None


_receipt = msgspec.json.Decoder(_Job)


class UttrekkService:
    """Source: the register's documentation, uttrekk; only "offentlig med hjemmel" has komplett."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def bestill_komplett(self, feedsekvensnr: int) -> str:
        """Order everyone's documents valid at a sequence number, and later changes.

        Not idempotent: each call that the register accepts starts a job, of which an organisation
        may have ten. So a lost answer is never followed by another order here: that is decided by
        who keeps the orders' record.

        Returns:
            The job's id.

        Raises:
            RefusedError: the register said no.
            PassingError: no answer came: a job may have been started all the same.
            ThrottledError: 429: no job was started.
        """
        answer = await self._transport.get(
            "uttrekk/komplett",
            "uttrekk/komplett",
            query=[("feedsekvensnr", str(feedsekvensnr))],
            check=_job,
            patience=ONCE,
        )
        return _job_id(answer.body, "uttrekk/komplett")

    async def bestill_tilpasset(self, kriterier: TilpassetKriterier | Mapping[str, Any]) -> str:
        """Order the identifiers of a selection.

        Args:
            kriterier: the criteria; or a mapping of them under the register's names, as
                :meth:`TilpassetKriterier.to_register` gives it.

        Returns and raises as :meth:`bestill_komplett`, and

        Raises:
            ConfigurationError: a criterion is wrong, or none that the register has; nothing was
                sent. A register that ignored it would deliver everyone.
        """
        if not isinstance(kriterier, TilpassetKriterier):
            kriterier = TilpassetKriterier.from_register(kriterier)
        answer = await self._transport.post(
            "uttrekk/tilpasset",
            "uttrekk/tilpasset",
            msgspec.json.encode(kriterier.to_register()),
            check=_job,
            patience=ONCE,
        )
        return _job_id(answer.body, "uttrekk/tilpasset")

    async def batch(self, jobb_id: str, batch_nr: int) -> BatchAnswer:
        """Ask for a batch once, from 0. It can be asked for again as long as the job lives.

        An answer that holds nobody, and isn't ``{}``, may be a batch of nobody as well as the end:
        the batches after it tell which. So nobody who follows one is lost.

        Raises:
            GoneError: the job or the batch no longer exists.
            RefusedError: as for every request; or the answer is a reason, and neither a batch nor
                the end.
            PassingError: as for every request.
        """
        answer = await self._batch(jobb_id, batch_nr)
        if answer.raw is None or not _is_doubtful(answer):
            return answer
        state = await self._state_after(jobb_id, batch_nr)
        return BatchAnswer(state, 0, None if state is BatchState.NOT_READY else answer.raw)

    async def _batch(self, jobb_id: str, batch_nr: int) -> BatchAnswer:
        try:
            answer = await self._transport.get(
                "uttrekk/batch",
                f"uttrekk/{url_quote(jobb_id, safe='')}/batch/{batch_nr}",
                check=parse_batch,
            )
        except NotFoundError:
            return BatchAnswer(BatchState.NOT_READY, 0, None)
        kind, identifiers = parse_batch(answer.body)
        state = BatchState.END if kind is None else BatchState.READY
        return BatchAnswer(state, len(identifiers), answer)

    async def _state_after(self, jobb_id: str, batch_nr: int) -> BatchState:
        """What an answer that holds nobody is, by the batches that follow it."""
        for later in range(batch_nr + 1, batch_nr + 1 + _LOOKED_AHEAD):
            try:
                answer = await self._batch(jobb_id, later)
            except GoneError:  # of a job that has answered just now: there is no such batch
                return BatchState.END
            if answer.raw is None or not _is_doubtful(answer):
                return answer.state
        return BatchState.END


def _is_doubtful(answer: BatchAnswer) -> bool:
    return answer.count == 0 and answer.raw is not None and is_doubtful(answer.raw.body)


def _job(body: bytes) -> _Job:
    try:
        return read_json(_receipt.decode, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        msg = "the answer is no receipt for an order"
        raise ValueError(msg) from None


def _job_id(body: bytes, service: str) -> str:
    job = _job(body)
    named = "" if job.jobbId is None else str(job.jobbId).strip()
    # "..": another address than the job's
    if len(named) > _LONGEST_ID or not named.strip(".") or not named.isprintable():
        named = ""
    if named:
        return named
    said = job.feilmelding
    if isinstance(said, dict):
        said = str(said.get("feilmelding", ""))
    reason = f': "{showable(said)}"' if said else ", and gave no reason"
    raise RefusedError(f"{service}: the register created no job{reason}", "Correct the order")
