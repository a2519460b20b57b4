"""What an uttrekk asks for: one value, from whoever asks down to the order and into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from freg_pipeline.journal.kinds import AnyKind

if TYPE_CHECKING:
    from freg_pipeline.settings import Settings

# The names under which its fields are set.
_SETTINGS = {
    "environment": "FREG_ENVIRONMENT",
    "base_url": "FREG_BASE_URL",
    "rettighetspakke": "FREG_RETTIGHETSPAKKE",
    "parts": "FREG_PARTS",
    "form": "FREG_ANSWER_FORMAT",
}
# An address may hold a password, and of a short list the hash can be guessed: of these it is told
# that they differ, and no more.
_UNTOLD = {"FREG_BASE_URL", "sha256"}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for, and of which register: two uttrekk with equal ones are the same uttrekk.

    Attributes:
        kind: everyone, a selection, a list, a search or a slice of the event list, and which.
        environment: which register.
        base_url: the address that it is asked of.
        rettighetspakke: the package of rights.
        parts: the ``part``s that were configured, in alphabetical order; none means everything.
        form: how the documents are asked for.
    """

    kind: AnyKind
    environment: str
    base_url: str
    rettighetspakke: str
    parts: tuple[str, ...]
    form: Literal["json", "xml"] = "json"

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "parts", tuple(sorted(set(self.parts))))

    @classmethod
    def of(cls, kind: AnyKind, settings: Settings, base_url: str) -> Question:
        """A question put with these settings, at this address."""
        return cls(
            kind=kind,
            environment=settings.environment,
            base_url=base_url,
            rettighetspakke=settings.rettighetspakke,
            parts=settings.parts,
            form=settings.answer_format,
        )

    def under(self, settings: Settings) -> Question:
        """The same question as these settings put it.

        Where and in which form it is asked stays: a register can move, and the rows are the same.
        """
        return msgspec.structs.replace(
            self,
            environment=settings.environment,
            rettighetspakke=settings.rettighetspakke,
            parts=settings.parts,
        )

    def differences(self, now: Question) -> list[str]:
        """In what another question differs from this one, a phrase each; none: in nothing."""
        if type(self.kind) is not type(now.kind):
            return [f"kind was {self.kind.name} and is {now.kind.name} now"]
        before, after = _says(self), _says(now)
        names = dict.fromkeys((*before, *after))
        return [
            _difference(name, before.get(name), after.get(name))
            for name in names
            if before.get(name) != after.get(name)
        ]


def _says(question: Question) -> dict[str, Any]:
    fields = msgspec.structs.asdict(question)
    del fields["kind"]
    return question.kind.says() | {_SETTINGS.get(name, name): fields[name] for name in fields}


def _difference(name: str, before: Any, after: Any) -> str:
    if name in _UNTOLD:
        return f"{'its content' if name == 'sha256' else name} differs"
    return f"{name} was {_told(before)} and is {_told(after)} now"


def _told(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "not given"
    return "not given" if value is None else str(value)
