"""What was asked for under an uttrekk's name: the beginning of every view of it."""

from __future__ import annotations

from functools import cached_property

from freg_pipeline.errors import ConfigurationError, DamagedError, ObjectMissingError
from freg_pipeline.journal.kinds import AnyKind, Hendelser
from freg_pipeline.journal.question import Question
from freg_pipeline.journal.request import Request, check_name
from freg_pipeline.store import Store, is_there, recall_record


class Asked:
    """An uttrekk's name and request.

    Args:
        store: where it lies.
        name: its name.

    Raises:
        ConfigurationError: no uttrekk can have that name.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = check_name(name)

    def key(self, *parts: str) -> str:
        """The key of one of its objects."""
        return "/".join(("uttrekk", self.name, *parts))

    @cached_property
    def request(self) -> Request:
        """What was asked for.

        Raises:
            ConfigurationError: there is no such uttrekk.
            DamagedError: what says so isn't as it was written.
        """
        try:
            return recall_record(self.store, self._request_key, Request)
        except DamagedError as error:
            raise DamagedError(error.key, self.store.location, self._without_it) from None
        except ObjectMissingError:
            key = self._request_key
            if self.store.list(self.key("")):
                raise DamagedError(key, self.store.location, self._without_it, "gone") from None
            raise ConfigurationError(
                f"there is no uttrekk {self.name} in {self.store.location}",
                "See freg uttrekk status for the ones there are",
            ) from None

    @property
    def _without_it(self) -> str:
        return (
            f"Restore it from a backup, or delete the folder uttrekk/{self.name}/: releases stay, "
            "but one that started with it can no longer be kept current"
        )

    @property
    def question(self) -> Question:
        """What is asked for, without the circumstances; raises as :attr:`request`."""
        return self.request.question

    @property
    def kind(self) -> AnyKind:
        """Its kind, with what was said to have one; raises as :attr:`request`."""
        return self.question.kind

    @property
    def etter(self) -> int | None:
        """Of a sync: the position that its events come after; None: it is no sync."""
        return self.kind.etter if isinstance(self.kind, Hendelser) else None

    @property
    def resume_command(self) -> str:
        """The command that goes on with it."""
        return self.kind.resume_command(self.name)

    @property
    def exists(self) -> bool:
        """Whether anything was asked for under this name."""
        return is_there(self.store, self._request_key)

    @property
    def _request_key(self) -> str:
        return self.key("request.json")
