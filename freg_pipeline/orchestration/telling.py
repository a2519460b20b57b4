"""What an asset or a sensor raises, before Dagster records it: in our words, without theirs.

Dagster keeps an error's text and those of all that led to it. A library's text may quote a person's
value: of what is foreseen, our own line is kept; of anything else its class and where it happened.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import dagster as dg

from freg_pipeline.errors import FregError, UnforeseenError
from freg_pipeline.foreseen import foreseen

F = TypeVar("F", bound=Callable[..., Any])


def in_our_words(function: F) -> F:
    """Tell what goes wrong in a function that Dagster calls; goes under Dagster's decorator."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generate(*arguments: Any, **named: Any) -> Iterator[Any]:
            with _telling():
                yield from function(*arguments, **named)

        return cast(F, generate)

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        with _telling():
            return function(*arguments, **named)

    return cast(F, call)


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except (FregError, dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        told = foreseen(error) or UnforeseenError(error)
        raise told.with_traceback(error.__traceback__) from None
