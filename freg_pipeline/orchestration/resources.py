"""What the assets work with. Belongs here: access to settings, store and register; nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar, cast

from freg_pipeline.client import Register
from freg_pipeline.client.environments import base_url
from freg_pipeline.client.session import Question, Session
from freg_pipeline.errors import ConfigurationError
from freg_pipeline.feed.standstill import Opened
from freg_pipeline.journal.home import has_met
from freg_pipeline.orchestration.given import read_given
from freg_pipeline.orchestration.names import Names
from freg_pipeline.orchestration.progress import Progress, logged, no_progress
from freg_pipeline.settings import Settings, load
from freg_pipeline.store import Store, open_store

T = TypeVar("T")


class Freg:
    """Settings, store and register of one process.

    A plain object instead of Dagster's configurable resource: what that is configured with gets
    into the run's record, and a token has no business there.

    Args:
        overrides: settings that win over the environment. One that is a ``dagster.EnvVar`` is read
            from that variable.
        progress: told about long work, which is logged in any case.
    """

    def __init__(
        self, overrides: Mapping[str, Any] | None = None, progress: Progress = no_progress
    ) -> None:
        self._overrides = dict(overrides or {})
        self.progress = logged(progress)
        self._session = Session(self._register)

    @classmethod
    def from_settings(cls, settings: Settings, progress: Progress = no_progress) -> Freg:
        """With settings that are read already."""
        freg = cls(progress=progress)
        freg.settings = settings
        return freg

    @classmethod
    def of(cls, opened: Opened, progress: Progress = no_progress) -> Freg:
        """With what is open already, and closed by whoever opened it."""
        freg = cls.from_settings(opened.settings, progress)
        freg.store, freg._session = opened.store, opened.session
        return freg

    @cached_property
    def settings(self) -> Settings:
        """Read when first used, so that a code location loads whatever they are."""
        return load(**read_given(self._overrides))

    def settings_now(self) -> Settings | None:
        """The settings as they are, for what is defined by them; None: they are wrong.

        That is told by whatever uses them. They aren't kept: a process defines before it works.
        """
        try:
            return self.__dict__.get("settings") or load(**read_given(self._overrides))
        except ConfigurationError:
            return None

    @cached_property
    def store(self) -> Store:
        """Where everything lies."""
        return open_store(self.settings)

    def ask(self, question: Question[T], *, waits: bool = True, seconds: float | None = None) -> T:
        """Ask the register: by the one connection that everything in this process shares.

        Args:
            question: what is awaited, given the register.
            waits: whether a register that is away is waited for, for hours.
            seconds: how long an answer is waited for; None: as long as its requests are patient.

        Raises:
            SilentError: there was no answer within that time.
            FregError: as the question raises it; ConfigurationError: settings name no register.
        """
        return self._session.ask(question, waits=waits, seconds=seconds)

    def close(self) -> None:
        """Close the connection; it is opened again where it is needed again."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _register(self) -> Register:
        settings, store, where = self.settings, self.store, base_url(self.settings)
        return Register.from_settings(settings, known=lambda: has_met(store, where), waits=True)


class Context(Protocol):
    """The context of whatever Dagster calls, as far as we look at it here."""

    @property
    def resources(self) -> Any:
        """By their keys."""


def freg_of(context: Context, names: Names) -> Freg:
    """What to work with, from the context of an asset, a check, an op or a sensor.

    It has to require ``names.resource``. (Dagster could pass it as an argument, but then by the
    argument's name, which is the same for every store.)
    """
    return cast(Freg, getattr(context.resources, names.resource))
