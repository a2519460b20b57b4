"""One tree of errors: what went wrong, and what to do about it, in one line without personal data.

Every error that a user can meet is a :class:`FregError`. Its class says which kind it is, and so
which exit code the command ends with; its text says what happened and what to do. No error's text
ever holds an identity number, a name, a token or a key: mask first
(:func:`freg_pipeline.outside.showable`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal


class FregError(Exception):
    """Anything that stops the work and can be told in one line.

    Args:
        what: what happened, without a full stop at its end.
        remedy: what the reader can do about it; empty when there is nothing to do but to look.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}. {self.remedy}".strip() if self.remedy else self.what


class ConfigurationError(FregError):
    """Usage or settings are wrong: nothing was sent, nothing was changed (exit code 2)."""

    exit_code = 2


class OvertakenError(ConfigurationError):
    """Another sync has moved the release on, past where this one's events begin (exit code 2)."""


class StoreError(ConfigurationError):
    """The store can't be read or written as it is set up (exit code 2)."""


class DamagedError(StoreError):
    """An object of the store isn't as it was written (exit code 1: no setting mends it).

    Args:
        key: which object.
        location: of the store.
        remedy: the way out.
        how: what is wrong with it.
    """

    exit_code = 1

    def __init__(
        self,
        key: str,
        location: str,
        remedy: str = "Restore it from a copy",
        how: Literal["damaged", "gone"] = "damaged",
    ) -> None:
        super().__init__(f"{key} in {location} is {how}", remedy)
        self.key = key


class ResourceError(FregError):
    """What the machine has is used up or taken: disk, memory, open files, a lock."""


class UnforeseenError(FregError):
    """What nobody has foreseen. Its text isn't shown: nobody knows what it quotes.

    Args:
        original: what was raised; not for records.
    """

    def __init__(self, original: BaseException) -> None:
        super().__init__(
            f"unforeseen {type(original).__name__}", "Run it again with --debug and report it"
        )
        self.original = original


class ContractError(FregError):
    """A contract (XSD) can't be compiled, or an answer breaks it past repair."""


class RefusedError(FregError):
    """The register said no: retrying the same thing won't help (exit code 3).

    Args:
        status: the HTTP status, where there was one.
        code: the register's own error code, where it gave one.
        said: the register's own words, as they may be shown.
    """

    exit_code = 3

    def __init__(
        self,
        what: str,
        remedy: str = "",
        *,
        status: int | None = None,
        code: str | None = None,
        said: str = "",
    ) -> None:
        super().__init__(what, remedy)
        self.status = status
        self.code = code
        self.said = said


class PartsRefusedError(RefusedError):
    """The register no longer takes parts that it took when the uttrekk was begun: begin anew."""


class GoneError(RefusedError):
    """410: the uttrekk job or its batch no longer exists at the register; order anew."""


class NotFoundError(RefusedError):
    """404: nothing there. For a batch this means "not ready yet", which the caller decides."""


class TooOldError(RefusedError):
    """406 of the event list: the number is older than 36 months. Only a new full load leads on."""


class UnreachableError(ConfigurationError):
    """Nothing answers at the address: a wrong address or a closed network (exit code 2).

    Args:
        is_set: whether a setting of its own may be wrong, and not the register's address.
    """

    def __init__(self, what: str, remedy: str = "", *, is_set: bool = False) -> None:
        super().__init__(what, remedy)
        self.is_set = is_set


class PassingError(FregError):
    """A fault that may pass (5xx, 429, connection, truncated body), and outlasted the retries.

    Attributes:
        retry_after: seconds that the register asked us to wait.
        is_tried_out: whoever met it has tried again as often as is of use.
    """

    is_tried_out = False

    def __init__(self, what: str, remedy: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(what, remedy)
        self.retry_after = retry_after


class ThrottledError(PassingError):
    """429: too many requests, or too many running jobs; waits ``retry_after`` seconds at least."""


class AwayError(PassingError):
    """The register is away: nothing answers where it was, or a gateway says that nothing does."""


class SilentError(AwayError):
    """Nothing answers where the register was: all of its services are away."""


class UncertainOrderError(FregError):
    """An order was sent, and its answer never recorded: a second one is not made blindly."""


class IncompleteError(FregError):
    """The work is finished, but not everything asked for is accounted for (exit code 4).

    Args:
        counts: what was found, by name.
    """

    exit_code = 4

    def __init__(
        self, what: str, remedy: str = "", *, counts: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(what, remedy)
        self.counts = dict(counts or {})


class ObjectMissingError(FregError):
    """The store holds no object of that name.

    Args:
        key: which name.
        location: of the store.
    """

    def __init__(self, key: str, location: str) -> None:
        super().__init__(f"{location} holds no {key}", "Restore it from a copy")
        self.key = key
