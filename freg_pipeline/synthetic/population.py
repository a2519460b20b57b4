"""A population with its documents and events, as a register begins with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np

from freg_pipeline.synthetic.columns import Column, Columns, Encoder
from freg_pipeline.synthetic.events import FIRST_SEQUENCE_NUMBER, LARGEST_GAP, milliseconds
from freg_pipeline.synthetic.heap import Heap
from freg_pipeline.synthetic.households import make_people
from freg_pipeline.synthetic.people import SETTLED
from freg_pipeline.synthetic.pointers import some_factor
from freg_pipeline.synthetic.rows import Rows
from freg_pipeline.synthetic.writing import STRETCH, Written, write

FOR_EVER = np.iinfo(np.int64).max
Told = Callable[[int], None]


@dataclass(frozen=True)
class Population:
    """What a register begins with.

    Attributes:
        people: the registrations.
        documents: columns of the documents, a row a document: where it lies, the sequence numbers
            that made and replaced it, which entities it holds.
        events: columns of the events.
        current: by registration: the place of the document in force.
        selection: by registration: what uttrekk/tilpasset looks at, in codes.
        said: what the codes of ``selection`` stand for.
        factors: that names of person documents and of event documents are computed with.
        random: what later events draw from.
        heap: where the documents lie.
    """

    people: Columns
    documents: Mapping[str, Column]
    events: Mapping[str, Column]
    current: Column
    selection: Column
    said: Sequence[Sequence[Any]]
    factors: tuple[int, int]
    random: Random
    heap: Heap


@dataclass(frozen=True)
class Begun:
    """People whose first stretch has documents.

    Attributes:
        people: all of them.
        written: the documents.
        factors: as :class:`Population` has them.
        rows: what drew all of it.
    """

    people: Columns
    written: Written
    factors: tuple[int, int]
    rows: Rows


def begin(seed: int, persons: int, sink: Any, told: Told = lambda _: None) -> Begun:
    """Make people, and the documents of the first stretch of them."""
    random = Random(seed)
    people = make_people(random, persons, told)
    factors = some_factor(random), some_factor(random)
    rows = Rows(random)
    written = write(range(min(STRETCH, persons)), people, rows, sink, lambda _: None)
    return Begun(Encoder().columns(people), written, factors, rows)


def make(seed: int, persons: int) -> Population:
    """Make a population of one stretch, in this process."""
    heap = Heap()
    begun = begin(seed, persons, heap)
    written, random = begun.written, begun.rows.random
    documents, events, current = put_together([written.columns()], begun.people["number"], random)
    return Population(
        begun.people, documents, events, current, written.selection.rows,
        written.selection.values, begun.factors, random, heap,
    )  # fmt: skip


def put_together(
    stretches: Sequence[Mapping[str, Column]], numbers: Column, random: Random
) -> tuple[dict[str, Column], dict[str, Column], Column]:
    """Columns of the documents, of the events, and by registration the place of the one in force.

    First come everybody's first documents, then those of late changes, by their time.

    Args:
        stretches: columns of what was written, as :meth:`Written.columns` gives them.
        numbers: everybody's number.
        random: what the gaps between late events are drawn from.
    """
    all_of = {name: np.concatenate([one[name] for one in stretches]) for name in stretches[0]}
    by_time = np.argsort(all_of["moments"], kind="stable")
    changed = all_of["changed"][by_time]
    count, later = len(numbers), len(by_time)
    places = np.arange(count + later)
    gaps = [int(random.random() * LARGEST_GAP) for _ in range(later)]
    steps = np.concatenate([all_of["gaps"], np.array(gaps, dtype=np.int64)]) + 1
    sequence = FIRST_SEQUENCE_NUMBER + np.cumsum(steps, dtype=np.int64)
    documents = {
        name: np.concatenate([all_of[f"first_{name}"], all_of[f"later_{name}"][by_time]])
        for name in ("starts", "lengths", "entities")
    }
    current, until = places[:count].copy(), np.full(count + later, FOR_EVER)
    for place, index in zip(places[count:].tolist(), changed.tolist(), strict=True):
        until[current[index]] = sequence[place]
        current[index] = place
    kinds = np.concatenate([np.zeros(count, np.uint8), all_of["kinds"][by_time]])
    moments = np.concatenate([_first_moments(count), all_of["moments"][by_time]])
    events = {
        "sequence": sequence, "moment": moments, "kind": kinds, "document": places,
        "number": np.concatenate([numbers, numbers[changed]]),
    }  # fmt: skip
    return {**documents, "since": sequence, "until": until}, events, current


def _first_moments(count: int) -> Column:
    """All first documents were made within a month, between what they tell and late changes."""
    begun = milliseconds(SETTLED + timedelta(days=10))
    return begun + 30 * 24 * 3600 * 1_000 * np.arange(count) // count
