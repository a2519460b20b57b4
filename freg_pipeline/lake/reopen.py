"""What failed is asked for again, before somebody goes on without it.

Answers are kept, also those that hold a reason in place of a document. A fault of the register
passes, and what it said meanwhile must not stand for good: whoever goes on with an uttrekk that was
refused for it asks again, once a call.
"""

from __future__ import annotations

import logging
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from freg_pipeline.errors import DamagedError
from freg_pipeline.journal.batches import CHUNK
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.guards import STRICT, Policy, too_many_gone
from freg_pipeline.lake.heal import begin_anew, drop_tables, set_aside
from freg_pipeline.lake.landing import LandedBatch, load_landed
from freg_pipeline.lake.staging import read_landed
from freg_pipeline.normalize.account import DOCUMENT_TABLE

logger = logging.getLogger(__name__)


def reopen(uttrekk: Uttrekk, policy: Policy = STRICT) -> int:
    """Remove the answers for which an uttrekk that is whole would not be released.

    Those of a few identifiers that are gone stay: that they are is explained.

    Args:
        uttrekk: one that isn't a sync.
        policy: what is let through needs no second answer.

    Returns:
        How many look-ups will be made again.
    """
    outcomes = _worth_asking(uttrekk, policy)
    if not outcomes:
        return 0
    removed = sum(_reopen(uttrekk, batch, outcomes) for batch in range(uttrekk.end or 0))
    logger.warning("%s: asking again for what failed, in %d look-ups", uttrekk.name, removed)
    return removed


def reopen_sync(uttrekk: Uttrekk) -> bool:
    """Give up a sync that is whole and would not be released, so that the next one asks anew.

    As a whole, since its batches follow from each other's answers.

    Returns:
        Whether it was.
    """
    if not (uttrekk.events_staged and _worth_asking(uttrekk, STRICT)):
        return False
    logger.warning("%s: starting over, since look-ups failed", uttrekk.name)
    begin_anew(uttrekk, "")
    return True


def _worth_asking(uttrekk: Uttrekk, policy: Policy) -> set[str]:
    """Which outcomes keep it from being released; none where it isn't whole, or is released."""
    end = uttrekk.end
    if end is None or uttrekk.release is not None or not uttrekk.landed().issuperset(range(end)):
        return set()
    of = Counter[str]()
    for batch in range(end):
        of.update(load_landed(uttrekk.store, uttrekk.place, batch).outcomes)
    outcomes = set()
    if of["feilet"] and not policy.allow_incomplete:
        outcomes.add("feilet")
    if too_many_gone(uttrekk, of["borte"], of.total(), of["dokument"], policy):
        outcomes.add("borte")
    return outcomes


def _reopen(uttrekk: Uttrekk, batch: int, outcomes: set[str]) -> int:
    """Remove a batch's answers that hold such outcomes, after its tables; how many answers."""
    store, landed = uttrekk.store, load_landed(uttrekk.store, uttrekk.place, batch)
    if not any(landed.outcomes.get(one) for one in outcomes):
        return 0
    try:
        look_ups = _look_ups(uttrekk, landed, outcomes)
    except DamagedError as error:
        set_aside(store, error.key)
        return 0  # it lands anew, and what failed is found then
    drop_tables(uttrekk, batch)
    for look_up in sorted(look_ups):
        store.delete(uttrekk.answer_key(batch, look_up))
    return len(look_ups)


def _look_ups(uttrekk: Uttrekk, landed: LandedBatch, outcomes: set[str]) -> set[int]:
    """The look-ups of a landed batch that one of the outcomes came of."""
    rows = read_landed(uttrekk.store, uttrekk.place, landed, DOCUMENT_TABLE, ["dok_nr", "utfall"])
    places = rows.filter(pc.is_in(rows["utfall"], pa.array(outcomes)))["dok_nr"]
    return {place // CHUNK for place in places.to_pylist()}
