"""Everything asked for is accounted for: the sum, its parts, and whether it may be released."""

from __future__ import annotations

import duckdb
import msgspec

from freg_pipeline.errors import IncompleteError
from freg_pipeline.journal.accounting import Accounting
from freg_pipeline.journal.keptout import OUTCOME
from freg_pipeline.journal.uttrekk import Uttrekk
from freg_pipeline.lake.tables import NO_DOCUMENT, NOT_FOLLOWED

MOST_REASONS = 20
MOST_SAID = 3


def require_complete(accounting: Accounting, uttrekk: Uttrekk) -> None:
    """See that a release may be made of an uttrekk.

    Raises:
        IncompleteError: something failed, is unexplained, or a full load holds nobody.
    """
    problem, way_on = "", f"{uttrekk.resume_command} asks for them again"
    if accounting.failed or accounting.unexplained:
        problem = f"{accounting.failed:,} failed and {accounting.unexplained:,} are unexplained"
    elif uttrekk.kind.is_everyone and not accounting.landed:
        problem = "none is a person: the register delivered nobody"
        way_on = f"Give it up and order anew: freg uttrekk abandon {uttrekk.name}"
    if problem:
        why = [f"{reason} ({count:,})" for reason, count in accounting.reasons.items()
               if reason.startswith("feilet: ")]  # fmt: skip
        said = f" ({', '.join(why[:MOST_SAID])})" if why else ""
        raise IncompleteError(
            f"the uttrekk {uttrekk.name} is not complete: of {accounting.delivered:,} identifiers "
            f"{problem}{said}; nothing was released",
            f"{way_on}. To release it anyway: {uttrekk.resume_command} --allow-incomplete",
            counts={
                "delivered": accounting.delivered,
                "landed": accounting.landed,
                "gone": accounting.gone,
                "failed": accounting.failed,
                "unexplained": accounting.unexplained,
            },
        )


def account(connection: duckdb.DuckDBPyConnection, *, delivered: int, landed: int) -> Accounting:
    """Sum up a resolved database.

    Args:
        connection: as :func:`freg_pipeline.lake.resolve.resolve` left it.
        delivered: counted from the batches as they came.
        landed: how many persons.
    """
    rows = connection.execute(
        "SELECT utfall, aarsak, count(*) AS n FROM avvik GROUP BY ALL ORDER BY n DESC, 1, 2"
    ).fetchall()
    by_outcome = dict.fromkeys(("sammenslaatt", "duplikat", "borte", "feilet", OUTCOME), 0)
    of_events = dict.fromkeys((NO_DOCUMENT, NOT_FOLLOWED), 0)
    for outcome, _, count in rows:
        (of_events if outcome in of_events else by_outcome)[outcome] += count
    return Accounting(
        delivered=delivered,
        landed=landed,
        merged=by_outcome["sammenslaatt"],
        duplicates=by_outcome["duplikat"],
        gone=by_outcome["borte"],
        failed=by_outcome["feilet"],
        unexplained=delivered - landed - sum(by_outcome.values()),
        reasons={f"{outcome}: {why}": count for outcome, why, count in rows[:MOST_REASONS]},
        events_without_document=of_events[NO_DOCUMENT],
        events_not_followed=of_events[NOT_FOLLOWED],
        erased=by_outcome[OUTCOME],
    )


def landed_as(accounting: Accounting, landed: int) -> Accounting:
    """The same, with the number of those who landed as the release's files tell it."""
    unexplained = accounting.unexplained + accounting.landed - landed
    return msgspec.structs.replace(accounting, landed=landed, unexplained=unexplained)
