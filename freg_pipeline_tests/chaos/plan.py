"""What a seed stands for: a register, a question to it, and steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from freg_pipeline_tests.chaos.trouble import Trouble

Question = Literal["komplett", "tilpasset", "liste"]
_QUESTIONS: tuple[Question, ...] = ("komplett", "komplett", "komplett", "tilpasset", "liste")

_ON_THE_WAY = (
    "500=0.2", "503=0.1", "429=0.3", "reset=0.1", "truncated=0.1", "garbled=0.1", "html=0.1",
    "404=0.1", "unordered", "arkivliste", "hendelseobjekt", "sekvensnummerobjekt",
    "500@personer/bulkoppslag=0.5", "reset@hendelser/feed=0.3", "truncated@uttrekk/batch=0.3",
)  # fmt: skip
_IN_DOCUMENTS = ("ukjentfelt=0.1", "ukjentkode=0.2", "enkeltobjekt=0.3", "talltekst=0.3")

# What is done how often. A load that began is resumed by the next one of its name.
_ACTIONS = {
    "sync": 8, "load": 3, "compact": 3, "purge": 2, "restore": 1, "pin": 1, "unpin": 1,
    "export": 1, "changes": 2, "catalogue": 1, "verify": 1,
}  # fmt: skip
_TROUBLED, _FAULTY, _TWO = 0.6, 0.3, 0.15  # shares of steps


@dataclass(frozen=True)
class Step:
    """Something happens in the register, and then one command runs, or several at once.

    Attributes:
        events: that happen first.
        faults: of the register, meanwhile.
        actions: what is done, each with what happens to its process.
    """

    events: int
    faults: str
    actions: tuple[tuple[str, Trouble | None], ...]

    @property
    def is_calm(self) -> bool:
        """Whether nothing is in its way."""
        return not self.faults and len(self.actions) == 1 and self.actions[0][1] is None


@dataclass(frozen=True)
class Plan:
    """A course.

    Attributes:
        seed: of all of it.
        persons: registrations.
        batch_size: identifiers of a batch of an uttrekk.
        oddities: of documents, from beginning to end.
        question: what is loaded, each time.
        steps: what is done.
    """

    seed: int
    persons: int
    batch_size: int
    oddities: str
    question: Question
    steps: tuple[Step, ...] = field(repr=False)

    @classmethod
    def draw(cls, seed: int) -> Plan:
        """The plan of a seed."""
        random = Random(seed)
        persons = random.randint(20, 90)
        begun = [Step(0, "", (("load", Trouble.draw(random)),)) for _ in range(2)]
        begun.append(Step(0, "", (("load", None),)))  # the rest has something to work on
        return cls(
            seed,
            persons,
            random.randint(persons // 6, persons),
            ",".join(one for one in _IN_DOCUMENTS if random.random() < 0.3),
            random.choice(_QUESTIONS),
            (*begun, *(_step(random) for _ in range(random.randint(5, 9)))),
        )


def _step(random: Random) -> Step:
    events = random.choice((0, 1, 5, 25)) if random.random() < 0.7 else 0
    faults = random.sample(_ON_THE_WAY, 2) if random.random() < _FAULTY else []
    actions = random.choices(
        [*_ACTIONS], [*_ACTIONS.values()], k=random.choice((2, 3)) if random.random() < _TWO else 1
    )
    troubles = [Trouble.draw(random) if random.random() < _TROUBLED else None for _ in actions]
    return Step(events, ",".join(faults), tuple(zip(actions, troubles, strict=True)))
