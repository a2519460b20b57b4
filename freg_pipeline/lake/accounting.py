"""Everything asked for is accounted for: the sum, its parts, and whether it may be released."""

from __future__ import annotations

import duckdb
import msgspec

from freg_pipeline.errors import IncompleteError
from freg_pipeline.journal.uttrekk import Uttrekk

MOST_REASONS = 20
MOST_SAID = 3


class Accounting(msgspec.Struct, frozen=True):
    """What became of an uttrekk's identifiers.

    Attributes:
        delivered: identifiers that the register delivered in batches.
        landed: persons in the release, counted in its files.
        merged: numbers that have gone over to another person, or are another number of one.
        duplicates: older documents of a person, and identifiers that came twice.
        gone: the register no longer has them.
        failed: they could not be decoded, or were never answered.
        unexplained: identifiers that are none of these; anything but 0 is a fault of ours.
        reasons: how many for each reason, the most frequent ones.
    """

    delivered: int
    landed: int
    merged: int
    duplicates: int
    gone: int
    failed: int
    unexplained: int
    reasons: dict[str, int]

    def require_complete(self, uttrekk: Uttrekk) -> None:
        """See that a release may be made of an uttrekk.

        Raises:
            IncompleteError: something failed, is unexplained, or a full load holds nobody.
        """
        problem = ""
        if self.failed or self.unexplained:
            problem = f"{self.failed:,} failed and {self.unexplained:,} are unexplained"
        elif uttrekk.request.kind == "komplett" and not self.landed:
            problem = "the register delivered nobody"
        if problem:
            why = [f"{reason} ({count:,})" for reason, count in self.reasons.items()
                   if reason.startswith("feilet: ")]  # fmt: skip
            said = f" ({', '.join(why[:MOST_SAID])})" if why else ""
            raise IncompleteError(
                f"the uttrekk {uttrekk.name} is not complete: of {self.delivered:,} identifiers "
                f"{problem}{said}; nothing was released",
                f"To release it all the same: {uttrekk.resume_command} --allow-incomplete",
            )


def account(connection: duckdb.DuckDBPyConnection, *, delivered: int, landed: int) -> Accounting:
    """Sum up a resolved database.

    Args:
        connection: as :func:`freg_pipeline.lake.resolve.resolve` left it.
        delivered: counted from the batches as they came.
        landed: counted from the release's files.
    """
    rows = connection.execute(
        "SELECT utfall, aarsak, count(*) AS n FROM avvik GROUP BY ALL ORDER BY n DESC, 1, 2"
    ).fetchall()
    by_outcome = dict.fromkeys(("sammenslaatt", "duplikat", "borte", "feilet"), 0)
    for outcome, _, count in rows:
        by_outcome[outcome] += count
    return Accounting(
        delivered=delivered,
        landed=landed,
        merged=by_outcome["sammenslaatt"],
        duplicates=by_outcome["duplikat"],
        gone=by_outcome["borte"],
        failed=by_outcome["feilet"],
        unexplained=delivered - landed - sum(by_outcome.values()),
        reasons={f"{outcome}: {why}": count for outcome, why, count in rows[:MOST_REASONS]},
    )
