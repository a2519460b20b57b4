"""What a seed stands for: a register, a store, a question, and steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from freg_pipeline_tests.chaos.places import Kind
from freg_pipeline_tests.chaos.trouble import Trouble

Question = Literal["komplett", "tilpasset", "liste", "soek"]
_QUESTIONS: tuple[Question, ...] = (
    "komplett", "komplett", "komplett", "komplett", "tilpasset", "liste", "soek",
)  # fmt: skip
_PLACES: dict[Kind, int] = {"folder": 13, "disk": 4, "s3": 3}

_ON_THE_WAY = (
    "500=0.2", "503=0.1", "429=0.3", "reset=0.1", "truncated=0.1", "garbled=0.1", "html=0.1",
    "404=0.1", "unordered", "arkivliste", "hendelseobjekt", "sekvensnummerobjekt",
    "500@personer/bulkoppslag=0.5", "reset@hendelser/feed=0.3", "truncated@uttrekk/batch=0.3",
)  # fmt: skip
_IN_DOCUMENTS = ("ukjentfelt=0.1", "ukjentkode=0.2", "enkeltobjekt=0.3", "talltekst=0.3")

# What is done how often. A load that began is resumed by the next one of its name.
_ACTIONS = {
    "sync": 10, "load": 4, "compact": 4, "purge": 2, "restore": 2, "pin": 2, "unpin": 1,
    "sql": 1, "changes": 3, "catalogue": 1, "verify": 1, "spot-check": 1, "export": 1,
    "retention": 2, "erase": 1, "warehouse": 1,
}  # fmt: skip
_TROUBLED, _FAULTY, _TOGETHER = 0.6, 0.3, 0.2  # shares of steps
_KEEPS_LITTLE, _OPEN = 0.3, 0.15  # shares of courses


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
    def is_undisturbed(self) -> bool:
        """Whether nothing is in its way: what time it is isn't."""
        return (
            not self.faults
            and len(self.actions) == 1
            and not any(trouble and trouble.is_in_the_way for _, trouble in self.actions)
        )


@dataclass(frozen=True)
class Plan:
    """A course.

    Attributes:
        seed: of all of it.
        persons: registrations.
        batch_size: identifiers of a batch of an uttrekk.
        oddities: of documents, from beginning to end.
        question: what is loaded, each time.
        place: where the store lies.
        keeps_little: nothing is kept for long: answers, staging, releases.
        is_open: each base is registered for readers of Delta and Iceberg.
        steps: what is done.
    """

    seed: int
    persons: int
    batch_size: int
    oddities: str
    question: Question
    place: Kind
    keeps_little: bool
    is_open: bool
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
            random.choices([*_PLACES], [*_PLACES.values()])[0],
            random.random() < _KEEPS_LITTLE,
            random.random() < _OPEN,
            (*begun, *(_step(random) for _ in range(random.randint(5, 9)))),
        )


def _step(random: Random) -> Step:
    events = random.choice((0, 1, 5, 25)) if random.random() < 0.7 else 0
    faults = random.sample(_ON_THE_WAY, 2) if random.random() < _FAULTY else []
    together = random.choice((2, 3)) if random.random() < _TOGETHER else 1
    actions = random.choices([*_ACTIONS], [*_ACTIONS.values()], k=together)
    troubles = [Trouble.draw(random) if random.random() < _TROUBLED else None for _ in actions]
    return Step(events, ",".join(faults), tuple(zip(actions, troubles, strict=True)))
