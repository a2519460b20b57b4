"""What an asset or a sensor raises, before Dagster records it: in our words, without theirs.

Dagster keeps an error's text and those of all that led to it. A library's text may quote a person's
value: of what is foreseen, our own line is kept; of anything else its class and where it happened.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar, cast

import dagster as dg

from freg_pipeline.errors import (
    FregError,
    IncompleteError,
    PassingError,
    RefusedError,
    ResourceError,
    UnforeseenError,
)
from freg_pipeline.foreseen import foreseen
from freg_pipeline.orchestration.alive import telling_that_it_lives
from freg_pipeline.orchestration.config import OrderConfig, ReleaseConfig
from freg_pipeline.orchestration.logs import current_run, in_run_log
from freg_pipeline.outside import masked

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
    run = current_run()
    with _in_run(run) if run is not None else nullcontext():
        try:
            yield
        except (dg.Failure, dg.RetryRequested):
            raise
        except Exception as error:
            told = foreseen(error) or UnforeseenError(error)
            if run is None:
                raise told.with_traceback(error.__traceback__) from None
            raise failure(told) from None


@contextmanager
def _in_run(run: dg.OpExecutionContext) -> Iterator[None]:
    with in_run_log(run), telling_that_it_lives(run):
        yield


def failure(error: FregError) -> FregFailure:
    """The error as Dagster shows it: what was foreseen without a trace of where it was raised."""
    shown = FregFailure(error)
    if isinstance(error, UnforeseenError):
        return shown.with_traceback(error.original.__traceback__)
    return shown


class FregFailure(dg.Failure):
    """A failure whose line comes first on Dagster's page, with what to do, instead of a trace.

    Args:
        error: what the domain raised; whoever runs a job in their own process gets it itself.
    """

    __module__ = "builtins"  # else the page begins the line with the module's path

    def __init__(self, error: FregError) -> None:
        # A wrong setting or a refusal is the same at once again; a sensor tries it later.
        helps = isinstance(error, PassingError | ResourceError | UnforeseenError)
        super().__init__(masked(str(error)), _metadata(error), allow_retries=helps)
        self.error = error


def _metadata(error: FregError) -> dict[str, str | int]:
    told: dict[str, str | int] = {"what": masked(error.what)}
    if error.remedy:
        told["what to do"] = masked(error.remedy)
    fields = [field for flag, field in _FIELDS.items() if flag in error.remedy]
    if fields:
        told["or here"] = f"Launch it again with {', '.join(f'{field}: true' for field in fields)}"
    told["kind of error"] = type(error).__name__.removesuffix("Error")
    if isinstance(error, RefusedError) and error.status is not None:
        told["HTTP status"] = error.status
    if isinstance(error, IncompleteError):
        told.update(error.counts)
    return told


# What a command's option is called in the form.
_FIELDS = {
    f"--{field.replace('_', '-')}": field
    for form in (OrderConfig, ReleaseConfig)
    for field, told in form.model_fields.items()
    if told.annotation is bool
}
