"""Who sent an order: a process that lives and waits for the answer, or one that died of it.

Two processes may be told to make the same uttrekk at the same time. The one that comes second waits
for what the other gets to hear, and orders nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from datetime import UTC, datetime, timedelta

import msgspec

from freg_pipeline.errors import DamagedError, ObjectMissingError
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.store import read_record

ANSWER_SECONDS = 200.0  # an order's answer is there after this, or lost: one try takes 180 at most


class Sender(msgspec.Struct, frozen=True):
    """The record of an order that is about to be sent.

    Attributes:
        sent: when (UTC).
        host: the machine's name.
        pid: the process's number there.
    """

    sent: datetime | None = None
    host: str = ""
    pid: int = 0

    def may_wait(self) -> bool:
        """Whether another process may still be waiting for the answer."""
        if self.sent is None or datetime.now(UTC) - self.sent > timedelta(seconds=ANSWER_SECONDS):
            return False
        if self.host != socket.gethostname():
            return True  # only time tells
        return self.pid != os.getpid() and _is_alive(self.pid)


def this_process() -> Sender:
    """What is recorded before an order is sent."""
    return Sender(datetime.now(UTC), socket.gethostname(), os.getpid())


async def others_answer(uttrekk: Uttrekk, attempt: int, poll_seconds: float) -> bool:
    """Wait for the answer to an order that another process has sent.

    Returns:
        Whether the order has an answer now, or was taken back; no: who sent it is dead.
    """
    deadline = time.monotonic() + ANSWER_SECONDS  # whatever the other machine's clock says
    while True:
        try:
            sender = read_record(uttrekk.store, uttrekk.order_key(attempt, "sent"), Sender)
        except DamagedError:
            sender = Sender()
        except ObjectMissingError:
            return True  # the register had too much to do, and the order is made anew
        # Looked at before the answer: who answers and ends in between has not died of it.
        may_wait = time.monotonic() < deadline and sender.may_wait()
        if uttrekk.store.exists(uttrekk.order_key(attempt, "answer")):
            return True
        if not may_wait:
            return False
        await asyncio.sleep(min(poll_seconds, 1.0))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True
