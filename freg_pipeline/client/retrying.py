"""Tries again by stamina, in our words: what it logs by itself says nothing that ours doesn't.

They were several a second from a daemon whose register is away. Hooks that a process has set are
its own, and are told of our retries, too; so are stamina's that count.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps

from stamina import instrumentation
from stamina.instrumentation import RetryDetails, RetryHook

_told_by_us = ContextVar("_told_by_us", default=False)


@contextmanager
def told_by_us() -> Iterator[None]:
    """Within it, retries are ours to tell."""
    _leave_out_ours()
    before = _told_by_us.set(True)
    try:
        yield
    finally:
        _told_by_us.reset(before)


def _of_others(hook: RetryHook) -> RetryHook:
    """One of stamina's that logs tells of others' retries only."""
    if getattr(hook, "__name__", "") != "log_retries":
        return hook

    @wraps(hook)
    def tell(details: RetryDetails) -> None:
        if not _told_by_us.get():
            hook(details)

    return tell


@cache
def _leave_out_ours() -> None:
    """Once a process, and not before it asks: by then it has set its own, if it will.

    To ask stamina for its hooks imports what these log by, which takes a tenth of a second.
    """
    hooks = instrumentation.get_on_retry_hooks()
    if all((getattr(hook, "__module__", "") or "").startswith("stamina.") for hook in hooks):
        instrumentation.set_on_retry_hooks([_of_others(hook) for hook in hooks])
