"""Which tables the code location has when it is loaded: those of a contract that is known then.

Loading needs neither a register nor a store. It is done by each of Dagster's processes, so it
reads one manifest and one contract, and waits for a store that is far away for a moment only.
"""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue

from freg_pipeline.contract import Plan, compile_contract
from freg_pipeline.errors import FregError
from freg_pipeline.foreseen import foreseen
from freg_pipeline.journal.pointer import current_number
from freg_pipeline.journal.releases import facts_of
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.landing import load_plan
from freg_pipeline.orchestration.resources import Freg
from freg_pipeline.store import Store

WAIT_SECONDS = 5.0
logger = logging.getLogger(__name__)


def known_plan(freg: Freg) -> Plan:
    """The tables of the current release; before the first one, of the uttrekk that is under way.

    Where the store tells neither (it is empty, or away, or settings are missing), those of the
    synthetic register's contract: they are what the real one is known to have. Whoever uses the
    store says what is wrong with it.
    """
    found = _in_time(freg)
    if found is not None:
        return found
    from freg_pipeline.synthetic import xsd  # costs 0.2 s, and only until there is a release

    return compile_contract(xsd())


def _in_time(freg: Freg) -> Plan | None:
    answer: SimpleQueue[Plan | None] = SimpleQueue()

    def ask() -> None:
        answer.put(_told(freg))

    threading.Thread(target=ask, daemon=True, name="known tables").start()
    try:
        return answer.get(timeout=WAIT_SECONDS)
    except Empty:
        logger.warning(
            "the store didn't answer within %.0f s: the tables shown are those of the synthetic "
            "register's contract. Reload the code location once it does",
            WAIT_SECONDS,
        )
        return None


def _told(freg: Freg) -> Plan | None:
    try:
        store = freg.store
        number = current_number(store)
        contract = _ordered(store) if number is None else facts_of(store, number).contract
        return load_plan(store, contract) if contract else None
    except FregError as error:
        _warn(error)
    except Exception as error:  # whatever it is: the location loads
        known = foreseen(error)
        _warn(known or FregError(f"the store can't be read: {type(error).__name__}"))
    return None


def _ordered(store: Store) -> str | None:
    """The contract of the uttrekk that was begun last, of those under way."""
    begun = Uttrekk.list_open(store)
    return begun[-1].request.contract if begun else None


def _warn(error: FregError) -> None:
    logger.warning(
        "%s. The tables shown are those of the synthetic register's contract: reload the code "
        "location once that is mended",
        error,
    )
