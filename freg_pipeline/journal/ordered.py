"""Every attempt to order an uttrekk, and the job that it shows: the last one accepted."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Literal, Self

from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.asked import Asked
from freg_pipeline.journal.request import OrderAnswer
from freg_pipeline.store import recall_record, write_record

_FOLDER = "order/"


class Ordered(Asked):
    """What lies in the store about an uttrekk's orders, and where what came of them lies."""

    def attempts(self) -> list[tuple[int, OrderAnswer | None]]:
        """Every attempt to order, with what came of it; None: sent, and no answer was recorded."""
        return self._attempts(self.store.list(self.key(_FOLDER)))

    def _attempts(self, there: list[str]) -> list[tuple[int, OrderAnswer | None]]:
        keys = set(there)
        sent = sorted(
            int(key.rsplit("/", 1)[-1].split("-")[0]) for key in keys if key.endswith("-sent.json")
        )
        return [
            (number, self._answer(number) if self.order_key(number, "answer") in keys else None)
            for number in sent
        ]

    def order_key(self, attempt: int, what: Literal["sent", "answer", "gone"]) -> str:
        """Where an attempt to order is recorded."""
        return self.key("order", f"{attempt:02d}-{what}.json")

    def _answer(self, attempt: int) -> OrderAnswer | None:
        key = self.order_key(attempt, "answer")
        try:
            return recall_record(self.store, key, OrderAnswer)
        except DamagedError:
            self.store.delete(key)  # nobody knows any more what came of it
            return None

    def _accepted(self) -> list[tuple[int, str]]:
        """The attempts that the register accepted, with the job that each became.

        On a store far away, as this process knew of them a moment ago.
        """
        attempts = self._attempts(self.store.recall_list(self.key(_FOLDER)))
        return [(number, answer.jobbId) for number, answer in attempts if answer and answer.jobbId]

    @property
    def accepted_at(self) -> datetime | None:
        """When the register had accepted the job; None: it has none, or nobody noted it."""
        if not self.kind.is_job:
            return None
        accepted = [answer for _, answer in self.attempts() if answer and answer.jobbId]
        return accepted[-1].recorded if accepted else None

    @cached_property
    def job(self) -> int:
        """Which of its jobs this view shows: 1, or more where one was lost and ordered anew."""
        return max(1, len(self._accepted())) if self.kind.is_job else 1

    def earlier_jobs(self) -> list[Self]:
        """Views of the jobs that the register lost before this one."""
        views = [type(self)(self.store, self.name) for _ in range(1, self.job)]
        for number, view in enumerate(views, 1):
            view.job = number
        return views

    @property
    def place(self) -> str:
        """Where what came of its job lies, under ``uttrekk/``."""
        return self.name if self.job == 1 else f"{self.name}/jobs/{self.job:02d}"

    def job_key(self, *parts: str) -> str:
        """The key of an object that came of its job."""
        return "/".join(("uttrekk", self.place, *parts))

    def mark_gone(self, said: str) -> None:
        """Record that the register no longer has the job."""
        attempt, _ = self._accepted()[-1]
        write_record(self.store, self.order_key(attempt, "gone"), {"said": said})

    @property
    def is_gone(self) -> bool:
        """Whether the register no longer has the job, before all batches came."""
        accepted = self._accepted()
        return bool(accepted) and self.is_lost(accepted[-1][0])

    @property
    def job_id(self) -> str | None:
        """The register's job, once an order was accepted; None again when it is gone."""
        accepted = self._accepted()
        return accepted[-1][1] if accepted and not self.is_lost(accepted[-1][0]) else None

    def is_lost(self, attempt: int) -> bool:
        """Whether the register no longer has the job that an attempt to order became."""
        return self.store.exists(self.order_key(attempt, "gone"))
